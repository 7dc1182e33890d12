/* A run of frames: link type (1), then each frame with seconds since the last (1) and
 * length (2, big-endian). Property: saving and loading after half of them changes
 * neither the messages nor the counts. A first byte of 255: the rest is saved state. */
#include "input/source.h"

#include <stdlib.h>

struct rig {
    struct transport *transport;
    struct message_batch batch;
    struct tally tally;
};

static void rig_open(struct rig *r, size_t limit)
{
    const struct input_options options = { .transport_limit = limit };
    *r = (struct rig){ .transport = transport_create(&options) };
    if (r->transport == NULL || message_batch_init(&r->batch, 64) < 0)
        abort();
}

static void rig_close(struct rig *r)
{
    transport_destroy(&r->transport);
    message_batch_release(&r->batch);
}

/* The state of `r` goes through bytes. */
static void rig_reload(struct rig *r)
{
    struct buffer saved, again;
    struct fault why = { 0 };
    buffer_init(&saved, 64 << 20);
    buffer_init(&again, 64 << 20);
    transport_save(r->transport, &saved);
    struct cursor from = cursor_over(saved.ptr, saved.len);
    if (saved.failed || transport_load(r->transport, &from, &why) < 0 || cursor_left(&from))
        abort();
    transport_save(r->transport, &again);
    if (again.len != saved.len || memcmp(again.ptr, saved.ptr, saved.len) != 0)
        abort();
    buffer_release(&saved);
    buffer_release(&again);
}

static void run(struct rig *r, const uint8_t *data, size_t len, bool reload)
{
    static const int linktypes[] = { 101, 1, 0, 9, 50, 51, 104, 108, 113, 276, 239, 12, 228, 229 };
    struct cursor c = cursor_over(data, len);
    int linktype = linktypes[cursor_u8(&c) % (sizeof linktypes / sizeof *linktypes)];
    int64_t ts_ns = 0;
    while (cursor_left(&c) > 3) {
        ts_ns += cursor_u8(&c) * INT64_C(1000000000);
        uint16_t n = cursor_be16(&c), cut = n >> 12;
        n &= 0xfff;
        if (n > cursor_left(&c))
            n = (uint16_t)cursor_left(&c);
        const uint8_t *p = cursor_take(&c, n);
        uint8_t *exact = malloc(n + 1u);
        if (n)
            memcpy(exact, p, n);
        if (transport_frame(r->transport, linktype, ts_ns, exact, n, n + cut, &r->batch,
                            &r->tally) < 0)
            abort();
        free(exact);
        if (reload)
            rig_reload(r);
    }
}

static void check_same(const struct rig *a, const struct rig *b)
{
    if (memcmp(&a->tally, &b->tally, sizeof a->tally) != 0 || a->batch.count != b->batch.count)
        abort();
    for (uint32_t i = 0; i < a->batch.count; i++) {
        const struct message *m = &a->batch.messages[i], *n = &b->batch.messages[i];
        if (m->ts_ns != n->ts_ns || m->wire_len != n->wire_len || m->truncated != n->truncated ||
            memcmp(m->wire, n->wire, m->wire_len) != 0 || m->from.port != n->from.port)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rig plain, reloaded;
    rig_open(&plain, 32 << 20);
    if (len && data[0] == 255) {
        struct cursor from = cursor_over(data + 1, len - 1);
        struct fault why;
        if (transport_load(plain.transport, &from, &why) == 0) {
            struct cursor rest = from;
            run(&plain, rest.ptr, cursor_left(&rest), false);
        }
        rig_close(&plain);
        return 0;
    }
    rig_open(&reloaded, 32 << 20);
    run(&plain, data, len, false);
    run(&reloaded, data, len, true);
    check_same(&plain, &reloaded);
    rig_close(&plain);
    rig_close(&reloaded);
    return 0;
}
