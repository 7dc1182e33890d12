/* The bytes that tables hold. The first byte says which: a record's value, a name's value, a
 * record's key, an inverse key, a name's key. Properties: get then put gives the same bytes (a
 * value may have been longer than needed, an inverse key in upper case), merging is
 * commutative, and what the kinds say of a key lies within it. */
#include "must.h"
#include "record/kind.h"
#include "record/rr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_value(struct slice in, const uint8_t *made, size_t n)
{
    must(n <= in.len);
    must(n < in.len || memcmp(made, in.ptr, n) == 0);
}

static void value(struct slice in)
{
    struct rr_value v, again;
    uint8_t made[RR_VALUE_MAX], second[RR_VALUE_MAX];
    if (!rr_value_get(in, &v))
        return;
    must(v.first <= v.last && v.ttl_min <= v.ttl_max);
    size_t n = rr_value_put(&v, made);
    same_value(in, made, n);
    must(rr_value_get((struct slice){made, n}, &again));
    must(rr_value_put(&again, second) == n && memcmp(made, second, n) == 0);
}

static void name_value_of(struct slice in)
{
    struct name_value v;
    uint8_t made[3 * VARINT_MAX];
    if (!name_value_get(in, &v))
        return;
    must(v.first <= v.last);
    same_value(in, made, name_value_put(&v, made));
}

/* Halves of the input merge the same both ways. */
static void merge(const struct record_kind *kind, struct slice in)
{
    struct slice a = {in.ptr, in.len / 2}, b = {in.ptr + in.len / 2, in.len - in.len / 2};
    struct buffer ab, ba;
    buffer_init(&ab, 4096);
    buffer_init(&ba, 4096);
    int r = kind->merge(a, b, &ab);
    must(kind->merge(b, a, &ba) == r);
    must(ab.len == ba.len && (ab.len == 0 || memcmp(ab.ptr, ba.ptr, ab.len) == 0));
    buffer_release(&ab);
    buffer_release(&ba);
}

static void key(struct slice in)
{
    struct rr_key k;
    uint8_t made[RR_KEY_MAX];
    if (in.len > RR_KEY_MAX || !rr_key_get(in, &k))
        return;
    size_t n = k.type ? rr_key_put(k.owner, k.type, k.rdata, made)
                      : rr_about_put(k.owner, k.about, k.subtype, k.rdata, made);
    must(n == in.len && memcmp(made, in.ptr, n) == 0);
}

static void inverse(struct slice in)
{
    struct rr_key k;
    uint8_t made[RR_INVERSE_MAX], rdata[RR_KEY_MAX];
    if (!rr_inverse_get(in, rdata, &k))
        return;
    size_t n = rr_inverse_put(k.owner, k.type, k.turn, k.rdata, made);
    if (n == 0)
        return;
    must(n == in.len);
    for (size_t i = 0; i < n; i++)
        must(made[i] == in.ptr[i] || made[i] == name_lower[in.ptr[i]]);
}

static void about_key(const struct record_kind *kind, struct slice in, struct slice value_bytes)
{
    size_t lens[KIND_FILTER_KEYS];
    uint8_t scratch[OWNER_KEY_MAX];
    struct slice owner;
    unsigned n = kind->filter_keys(in, lens);
    must(n <= KIND_FILTER_KEYS);
    for (unsigned i = 0; i < n; i++)
        must(lens[i] <= in.len);
    if (kind->owner(in, scratch, &owner))
        must(owner.len > 0 && owner.len <= OWNER_KEY_MAX);
    (void)kind->valid(in, value_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t plain[] = {1, 0, 1, 0, 0, 0, 0, 0, 0};
    if (size == 0)
        return 0;
    struct slice in = {data + 1, size - 1};
    switch (data[0] % 5) {
    case 0:
        value(in);
        merge(&record_kinds[KIND_RR], in);
        break;
    case 1:
        name_value_of(in);
        merge(&record_kinds[KIND_NAME], in);
        break;
    case 2:
        key(in);
        about_key(&record_kinds[KIND_RR], in, (struct slice){plain, sizeof plain});
        break;
    case 3:
        inverse(in);
        about_key(&record_kinds[KIND_INVERSE], in, (struct slice){plain, sizeof plain});
        break;
    default:
        about_key(&record_kinds[KIND_NAME], in, (struct slice){plain, 3});
    }
    return 0;
}
