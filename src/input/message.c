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

static int batch_grow(struct message_batch *batch)
{
    if (batch->capacity > UINT32_MAX / 2)
        return E_LIMIT;
    uint32_t capacity = batch->capacity * 2;
    struct message *grown = realloc(batch->messages, (size_t)capacity * sizeof *grown);
    if (grown == NULL)
        return E_NOMEM;
    batch->messages = grown;
    batch->capacity = capacity;
    return 0;
}

int message_batch_add(struct message_batch *batch, const struct message *message)
{
    if (__builtin_expect(batch->count == batch->capacity, 0)) {
        int rc = batch_grow(batch);
        if (rc < 0)
            return rc;
    }
    uint8_t *wire = arena_alloc(&batch->bytes, message->wire_len);
    if (__builtin_expect(wire == NULL, 0))
        return E_NOMEM;
    if (message->wire_len)
        memcpy(wire, message->wire, message->wire_len);
    struct message *m = &batch->messages[batch->count++];
    *m = *message;
    m->wire = wire;
    if (m->ts_ns > batch->newest_ns)
        batch->newest_ns = m->ts_ns;
    return 0;
}
