/* Open state. The first byte says whose: the packets' (fragments, TCP streams), the observer's,
 * or waiting queries alone. Properties: what loads saves, and the saved loads and saves to the
 * same bytes; time goes on afterwards whatever the state said. */
#include "input/source.h"
#include "must.h"
#include "observe/observer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATE_LIMIT = 16 << 20 };
#define SECOND INT64_C(1000000000)
#define NOW (INT64_C(1700000000) * SECOND)

static void same(const struct buffer *a, const struct buffer *b)
{
    must(!a->failed && !b->failed && a->len == b->len &&
         (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0));
}

static void packets(struct cursor c)
{
    static const uint8_t frame[60] = {[12] = 8, [14] = 0x45, [17] = 40, [22] = 64, [23] = 6};
    struct input_options options = {0};
    struct transport *t = transport_create(&options), *u = transport_create(&options);
    struct message_batch batch;
    struct tally tally = {0};
    struct buffer first, second;
    struct fault why;
    must(t != NULL && u != NULL && message_batch_init(&batch, 16) == 0);
    buffer_init(&first, STATE_LIMIT);
    buffer_init(&second, STATE_LIMIT);
    if (transport_load(t, &c, &why) == 0) {
        transport_save(t, &first);
        struct cursor again = cursor_over(first.ptr, first.len);
        must(transport_load(u, &again, &why) == 0 && again.ptr == again.end);
        transport_save(u, &second);
        same(&first, &second);
        (void)!transport_frame(t, 1, NOW, frame, sizeof frame, sizeof frame, &batch, &tally);
        (void)!transport_frame(t, 1, NOW + 3600 * SECOND, frame, sizeof frame, sizeof frame,
                               &batch, &tally);
    }
    buffer_release(&first);
    buffer_release(&second);
    message_batch_release(&batch);
    transport_destroy(&t);
    transport_destroy(&u);
}

static void lose(void *ctx, const struct pair_asked *asked)
{
    must(name_wire_length(asked->qname, asked->qname_len) == asked->qname_len);
    ++*(uint64_t *)ctx;
}

static void waiting(struct cursor c)
{
    struct pair pair, other;
    struct buffer first, second;
    uint64_t lost = 0;
    must(pair_init(&pair, 5 * SECOND, lose, &lost) == 0 && pair_init(&other, 5 * SECOND, NULL, NULL) == 0);
    buffer_init(&first, STATE_LIMIT);
    buffer_init(&second, STATE_LIMIT);
    if (pair_load(&pair, &c) == 0) {
        pair_save(&pair, &first);
        struct cursor again = cursor_over(first.ptr, first.len);
        must(pair_load(&other, &again) == 0 && again.ptr == again.end);
        pair_save(&other, &second);
        same(&first, &second);
        struct pair_asked asked;
        struct pair_key key = {first.len >= 12 ? get_le64(first.ptr + 4) : 0,
                               first.len >= 20 ? get_le64(first.ptr + 12) : 0};
        uint64_t matched = pair_response(&pair, key, NOW, &asked);
        must(!matched || name_wire_length(asked.qname, asked.qname_len) == asked.qname_len);
        pair_expire(&pair, NOW);
        pair_expire(&pair, NOW + 3600 * SECOND);
        uint64_t left = 0;
        for (uint64_t i = pair.first; i < pair.last; i++)
            left += pair.ring[i & pair.mask].waiting;
        must(pair.unanswered == lost && get_le32(first.ptr) == matched + lost + left);
    }
    buffer_release(&first);
    buffer_release(&second);
    pair_release(&pair);
    pair_release(&other);
}

static void observer(struct cursor c)
{
    static struct suffix_list *suffixes;
    static struct round round;
    if (suffixes == NULL)
        must(suffix_parse(&suffixes, "com\n", 4, NULL) == 0 && round_init(&round) == 0);
    struct observer_options options = {.suffixes = suffixes,
                                       .slot_s = 60,
                                       .lateness_ns = 5 * SECOND,
                                       .pair_timeout_ns = 5 * SECOND,
                                       .copy_window_ns = 10000000,
                                       .memory = 1 << 26};
    static const uint8_t query[] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
    struct observer *o = NULL;
    must(observer_create(&o, &options) == 0);
    if (observer_load(o, &c, NULL) == 0) {
        (void)observer_is_behind(o, NOW);
        struct message m = {
            .ts_ns = NOW, .wire = query, .wire_len = sizeof query, .known = KNOWN_ALL};
        round_clear(&round);
        must(message_batch_add(&round.batch, &m, &round.tally) == 0);
        must(observer_admit(o, &round) == 0);
        for (unsigned p = 0; p < PARTITIONS; p++)
            observer_decode(o, &round, p);
        for (unsigned s = 0; s < SHARDS; s++)
            observer_fold(o, &round, s);
        struct observer_counts counts = {0};
        (void)!observer_finish(&round, &counts);
        observer_advance(o, NOW + 3600 * SECOND);
    }
    observer_destroy(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct cursor c = cursor_over(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        packets(c);
        break;
    case 1:
        waiting(c);
        break;
    default:
        observer(c);
    }
    return 0;
}
