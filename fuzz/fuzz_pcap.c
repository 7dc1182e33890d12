/* Any file, through decompression, readers and transport. Property: from any position on, with the
 * open state of that moment, another reader finds the same messages and counts the same. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "input/source.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ROOM = 4, DECODED_MAX = 16 << 20, STATE_LIMIT = 64 << 20 };

static const struct input_options options = {.keep_multicast = true, .transport_limit = 1 << 20};

struct reading {
    struct source *source;
    struct transport *transport;
    struct message_batch batch;
    struct tally tally;
    uint64_t seen; /* a hash of all messages since it was last set to 0 */
};

/* Where the first round ended, and what was held open there. */
struct mark {
    struct source_position position;
    struct buffer state;
    struct tally tally;
};

static bool reading_open(struct reading *r, const char *path, struct mark *resume)
{
    struct fault why = {0};
    *r = (struct reading){.transport = transport_create(&options)};
    must(r->transport != NULL && message_batch_init(&r->batch, ROOM) == 0);
    if (resume != NULL) {
        struct cursor from = cursor_over(resume->state.ptr, resume->state.len);
        must(transport_load(r->transport, &from, &why) == 0);
    }
    return source_open(&r->source, path, &options, r->transport, &why) == 0;
}

static void reading_close(struct reading *r)
{
    source_close(&r->source);
    transport_destroy(&r->transport);
    message_batch_release(&r->batch);
}

/* One batch; false at the end. */
static bool reading_round(struct reading *r)
{
    struct fault why = {0};
    bool more = false;
    message_batch_clear(&r->batch);
    if (source_read(r->source, &r->batch, &r->tally, &more, &why) < 0)
        return false;
    for (uint32_t i = 0; i < r->batch.count; i++) {
        const struct message *m = &r->batch.messages[i];
        const uint64_t about[] = {r->seen, (uint64_t)m->ts_ns, m->from.port, m->to.port,
                                  m->transport, m->truncated, m->wire_len};
        r->seen = XXH3_64bits_withSeed(m->wire, m->wire_len, hash_stable(about, sizeof about));
    }
    return more;
}

/* To the end, or to the limit: compressed nothing can be long. */
static void reading_rest(struct reading *r)
{
    struct source_position position;
    do
        source_position(r->source, &position);
    while (position.offset < DECODED_MAX && reading_round(r));
}

static void check_resumed(const char *path, const struct reading *first, struct mark *mark)
{
    struct reading r;
    struct source_position position;
    struct fault why = {0};
    must(reading_open(&r, path, mark));
    must(source_skip(r.source, mark->position.offset, &why) == 0);
    source_position(r.source, &position);
    must(memcmp(&position, &mark->position, sizeof position) == 0);
    r.tally = mark->tally;
    reading_rest(&r);
    must(r.seen == first->seen);
    must(memcmp(&r.tally, &first->tally, sizeof r.tally) == 0);
    reading_close(&r);
}

static void read_twice(const char *path)
{
    struct reading r;
    struct mark mark;
    if (reading_open(&r, path, NULL) && reading_round(&r)) {
        buffer_init(&mark.state, STATE_LIMIT);
        source_position(r.source, &mark.position);
        transport_save(r.transport, &mark.state);
        mark.tally = r.tally;
        r.seen = 0;
        reading_rest(&r);
        check_resumed(path, &r, &mark);
        buffer_release(&mark.state);
    }
    reading_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    must(ftruncate(fd, 0) == 0 && pwrite(fd, data, len, 0) == (ssize_t)len);
    read_twice(path);
    return 0;
}
