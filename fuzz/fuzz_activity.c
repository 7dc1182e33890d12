/* Activity values. The first byte: bit 0 says domain, the others choose what the rest is: a value, two
 * values (the length of the first in two bytes), questions to count, or a key. Properties: what is taken
 * encodes to the same bytes; merging is commutative, associative, and has a neutral element; however
 * questions are divided, merging the parts is counting them at once. */
#include "must.h"
#include "record/day.h"
#include "record/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_equal(const struct activity *a, const struct activity *b)
{
    struct buffer x, y;
    buffer_init(&x, ACTIVITY_VALUE_MAX);
    buffer_init(&y, ACTIVITY_VALUE_MAX);
    activity_put(a, &x);
    activity_put(b, &y);
    must(!x.failed && x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0);
    buffer_release(&x);
    buffer_release(&y);
}

static bool value(struct slice in, bool domain, struct activity *a)
{
    struct buffer made;
    if (!activity_get(in, domain, a))
        return false;
    must(a->first <= a->last && a->n_clients <= activity_clients_max(a) && a->n_names <= ACTIVITY_NAMES);
    must(activity_clients(a) >= a->n_clients && activity_names(a) >= a->n_names);
    must(domain || a->n_names == 0);
    for (unsigned i = 0; i < a->n_clients; i++)
        must(a->clients[i].n_asks == 0 || a->n_clients < activity_clients_max(a));
    buffer_init(&made, ACTIVITY_VALUE_MAX);
    activity_put(a, &made);
    must(!made.failed && made.len == in.len && memcmp(made.ptr, in.ptr, in.len) == 0);
    buffer_release(&made);
    return true;
}

/* A day that is taken encodes to the same bytes. */
static void day(struct slice in, bool domain)
{
    static struct day d;
    struct buffer made;
    if (!day_get(in, domain, &d))
        return;
    must(day_count(&d) >= 1 && day_count(&d) <= DAY_HOURS);
    buffer_init(&made, ACTIVITY_VALUE_MAX);
    day_put(&d, &made);
    must(!made.failed && made.len == in.len && memcmp(made.ptr, in.ptr, in.len) == 0);
    buffer_release(&made);
}

/* What is an hour makes a day. */
static void rolled(struct slice in, bool domain)
{
    static const uint8_t key[] = {0, 0, 0, 0, 47};
    static struct day d;
    struct buffer to_key, to_value;
    buffer_init(&to_key, ACTIVITY_KEY_MAX);
    buffer_init(&to_value, ACTIVITY_VALUE_MAX);
    must(day_of_hour(domain, (struct slice){key, sizeof key}, in, &to_key, &to_value) == E_OK);
    must(day_get((struct slice){to_value.ptr, to_value.len}, domain, &d) && d.hours == 1u << 23);
    must(to_key.len == sizeof key && to_key.ptr[4] == 1);
    buffer_release(&to_key);
    buffer_release(&to_value);
}

static void one(struct slice in, bool domain)
{
    static struct activity a, b;
    day(in, domain);
    if (!value(in, domain, &a))
        return;
    rolled(in, domain);
    activity_init(&b, domain);
    activity_merge(&b, &a);
    must_equal(&a, &b);
}

static void two(struct slice in, bool domain)
{
    static struct activity a, b, ab, ba;
    struct cursor c = cursor_over(in.ptr, in.len);
    size_t len = cursor_be16(&c);
    struct slice first = {cursor_take(&c, len), len}, second = {c.ptr, cursor_left(&c)};
    if (c.failed || !value(first, domain, &a) || !value(second, domain, &b))
        return;
    ab = a;
    activity_merge(&ab, &b);
    ba = b;
    activity_merge(&ba, &a);
    must_equal(&ab, &ba);
    activity_merge(&ab, &a); /* (a + b) + a == (a + a) + b */
    ba = a;
    activity_merge(&ba, &a);
    activity_merge(&ba, &b);
    must_equal(&ab, &ba);
    struct buffer made;
    buffer_init(&made, ACTIVITY_VALUE_MAX);
    must(record_kinds[domain ? KIND_DOMAIN : KIND_HOST].merge(first, second, &made) == E_OK);
    must(value((struct slice){made.ptr, made.len}, domain, &ab));
    buffer_release(&made);
}

/* Five bytes a question: its part, client, second, name. */
static void questions(struct slice in, bool domain)
{
    enum { PARTS = 4 };
    static struct activity whole, parts[PARTS];
    struct cursor c = cursor_over(in.ptr, in.len);
    activity_init(&whole, domain);
    whole.first = 0;
    for (unsigned i = 0; i < PARTS; i++)
        parts[i] = whole;
    while (cursor_left(&c) >= 5) {
        struct activity *part = &parts[cursor_u8(&c) % PARTS];
        uint64_t id = cursor_u8(&c);
        uint16_t second = cursor_be16(&c);
        uint8_t hash = cursor_u8(&c);
        struct activity_name name = {hash % 128, hash / 128, 1};
        activity_add_client(&whole, id, second);
        activity_add_client(part, id, second);
        if (domain) {
            activity_add_name(&whole, name);
            activity_add_name(part, name);
        }
    }
    activity_merge(&parts[3], &parts[1]);
    activity_merge(&parts[2], &parts[0]);
    activity_merge(&parts[2], &parts[3]);
    must_equal(&parts[2], &whole);
}

static void key(struct slice in, bool domain)
{
    static const uint8_t plain[] = {0, 0, 0, 0, 0};
    const struct record_kind *kind = &record_kinds[domain ? KIND_DOMAIN : KIND_HOST];
    uint8_t made[ACTIVITY_KEY_MAX], scratch[OWNER_KEY_MAX];
    size_t lens[KIND_FILTER_KEYS];
    struct slice owner, same;
    uint32_t hour;
    bool valid = kind->valid(in, (struct slice){plain, domain ? 5 : 4});
    if (!activity_key_get(in, &owner, &hour)) {
        must(!valid);
        return;
    }
    must(valid == (hour == 0));
    must(owner.len <= NAME_KEY_MAX);
    must(activity_key_put(owner, hour, made) == in.len && memcmp(made, in.ptr, in.len) == 0);
    must(kind->filter_keys(in, lens) == 2 && lens[0] <= lens[1] && lens[1] == owner.len);
    must(kind->owner(in, scratch, &same) && slice_compare(same, owner) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice in = {data + 1, size - 1};
    bool domain = data[0] & 1;
    switch (data[0] / 2 % 4) {
    case 0:
        one(in, domain);
        break;
    case 1:
        two(in, domain);
        break;
    case 2:
        questions(in, domain);
        break;
    default:
        key(in, domain);
    }
    return 0;
}
