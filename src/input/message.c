#include "input/message.h"

#include <stdlib.h>

enum {
    BATCH_CHUNK = 1 << 20, /* bytes of wire taken from the system at once */
    BATCH_SLACK = 64,      /* a reader may go beyond the room by one packet */
};

int message_batch_init(struct message_batch *batch, uint32_t room)
{
    *batch = (struct message_batch){ .room = room, .newest_ns = INT64_MIN };
    arena_init(&batch->bytes, BATCH_CHUNK);
    batch->capacity = room + BATCH_SLACK;
    batch->messages = calloc(batch->capacity, sizeof *batch->messages);
    return batch->messages ? 0 : E_NOMEM;
}

void message_batch_release(struct message_batch *batch)
{
    free(batch->messages);
    arena_release(&batch->bytes);
    *batch = (struct message_batch){ 0 };
}

void message_batch_clear(struct message_batch *batch)
{
    batch->count = 0;
    batch->newest_ns = INT64_MIN;
    arena_reset(&batch->bytes);
}

static bool batch_grow(struct message_batch *batch)
{
    if (batch->capacity > UINT32_MAX / 2)
        return false;
    uint32_t capacity = batch->capacity * 2;
    struct message *grown = realloc(batch->messages, (size_t)capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    batch->messages = grown;
    batch->capacity = capacity;
    return true;
}

struct message *message_batch_slot(struct message_batch *batch, const uint8_t *wire,
                                   uint32_t wire_len)
{
    if (__builtin_expect(batch->count == batch->capacity, 0) && !batch_grow(batch))
        return NULL;
    uint8_t *kept = arena_alloc(&batch->bytes, wire_len);
    if (__builtin_expect(kept == NULL, 0))
        return NULL;
    if (wire_len)
        memcpy(kept, wire, wire_len);
    struct message *m = &batch->messages[batch->count++];
    m->wire = kept;
    m->wire_len = wire_len;
    return m;
}

int message_batch_add(struct message_batch *batch, const struct message *message, struct tally *tally)
{
    struct message *m = message_batch_slot(batch, message->wire, message->wire_len);
    if (m == NULL)
        return E_NOMEM;
    const uint8_t *kept = m->wire;
    *m = *message;
    m->wire = kept;
    message_batch_dated(batch, message->ts_ns, tally);
    return 0;
}
