#include "cmd/answer.h"

struct answer {
    struct store *store;
    const struct query *query;
    const struct answer_fence *fence;
    answer_sink sink;
    void *ctx;
    uint8_t rdata[RR_KEY_MAX];
};

static bool inside(const struct answer_fence *f, const struct rr_value *v)
{
    uint64_t after = (uint64_t)f->after, before = f->before ? (uint64_t)f->before : UINT64_MAX;
    if (f->strict)
        return v->first >= after && v->last <= before;
    return v->last >= after && v->first <= before;
}

/* A scan of one range, or of what lies inside the fence of one. */
struct range_pass {
    struct answer *answer;
    struct store_range range;
    unsigned looked_up; /* of a fenced scan */
    uint8_t last[RR_INVERSE_MAX + 1]; /* what was looked up last, and a byte behind it: the next key at the earliest */
    size_t last_len;
};

static int not_parsed(uint8_t kind, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck", record_kinds[kind].name);
}

static int parse(const struct range_pass *pass, struct slice key, struct slice value, struct rr_key *ret_key,
                 struct rr_value *ret_value, struct fault *why)
{
    uint8_t kind = pass->range.kind, *rdata = pass->answer->rdata;
    bool ok = kind == KIND_INVERSE ? rr_inverse_get(key, rdata, ret_key) : rr_key_get(key, ret_key);
    return ok && rr_value_get(value, ret_value) ? E_OK : not_parsed(kind, why);
}

static int offer(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct range_pass *pass = ctx;
    struct answer *a = pass->answer;
    struct rr_key k;
    struct rr_value v;
    int rc = parse(pass, key, value, &k, &v, why);
    if (rc != 0 || !query_wants(a->query, &k) || !inside(a->fence, &v))
        return rc;
    return a->sink(a->ctx, &k, &v);
}

/* ---- few tables inside the fence ---- */

/* What the fence lets through is in a table that reaches it, with the time that lets it through: last seen is the
 * largest of all tables, first seen the smallest. One side is enough to find it. */
static void narrow(struct store_range *range, const struct answer_fence *fence)
{
    range->after = fence->after;
    range->before = fence->after ? 0 : fence->before;
}

static bool reaches(const struct store_range *narrow, int64_t first, int64_t last)
{
    return (narrow->after == 0 || last >= narrow->after) && (narrow->before == 0 || first <= narrow->before);
}

static bool is_smaller_part(const struct answer *a, const struct store_range *narrow)
{
    const struct store_table *tables;
    size_t n = store_tables(a->store, &tables);
    uint64_t all = 0, inside = 0;
    for (size_t i = 0; i < n; i++) {
        if (tables[i].kind != narrow->kind)
            continue;
        all += tables[i].entries;
        inside += reaches(narrow, tables[i].from, tables[i].to) ? tables[i].entries : 0;
    }
    return inside < all / 2;
}

/* The key of `pass->last` in all tables that may have it. */
static int run_point(struct range_pass *pass, struct fault *why)
{
    struct slice key = { pass->last, pass->last_len - 1 };
    uint8_t kind = pass->range.kind;
    size_t lens[KIND_FILTER_KEYS];
    unsigned n = record_kinds[kind].filter_keys(key, lens);
    if (n == 0)
        return not_parsed(kind, why);
    struct store_range point = { .kind = kind, .start = key, .end = { pass->last, pass->last_len },
                                 .exact = { key.ptr, lens[n - 1] } };
    return store_scan_each(pass->answer->store, &point, offer, pass, why);
}

/* A look-up costs as much as the scan of some hundred entries: where the range holds many records of this time, scanning is
 * better, and FENCED_MAX look-ups, about 0.1 s, are what it costs to see that. */
enum { FENCED_MAX = 4096, FENCED_MANY = 2 };

static int offer_fenced(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct range_pass *pass = ctx;
    struct rr_key k;
    struct rr_value v;
    int rc = parse(pass, key, value, &k, &v, why);
    if (rc != 0 || !query_wants(pass->answer->query, &k) || !reaches(&pass->range, (int64_t)v.first, (int64_t)v.last))
        return rc;
    if (key.len >= sizeof pass->last)
        return not_parsed(pass->range.kind, why);
    memcpy(pass->last, key.ptr, key.len);
    pass->last[key.len] = 0;
    pass->last_len = key.len + 1;
    rc = run_point(pass, why);
    return rc == 0 && ++pass->looked_up == FENCED_MAX ? FENCED_MANY : rc;
}

static int run_range(struct answer *a, const struct store_range *range, struct fault *why)
{
    struct range_pass pass = { .answer = a, .range = *range };
    narrow(&pass.range, a->fence);
    if ((pass.range.after || pass.range.before) && is_smaller_part(a, &pass.range)) {
        int rc = store_scan_each(a->store, &pass.range, offer_fenced, &pass, why);
        if (rc != FENCED_MANY)
            return rc;
        pass.range.start = (struct slice){ pass.last, pass.last_len };
    }
    pass.range.after = pass.range.before = 0;
    return store_scan_each(a->store, &pass.range, offer, &pass, why);
}

static int run_ranges(struct answer *a, const struct query *q, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < q->n_ranges; i++)
        rc = run_range(a, &q->ranges[i], why);
    return rc;
}

struct host_pass {
    struct answer *answer;
    struct query point;
};

/* A name table's key: a host, or with one byte more its registered domain. */
static int run_host(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct host_pass *pass = ctx;
    uint8_t owner[NAME_KEY_MAX];
    (void)value;
    size_t len = name_key_length(key.ptr, key.len);
    if (len != key.len)
        return E_OK;
    len = name_key_reverse(key.ptr, len, owner);
    if (len == 0)
        return fault_set(why, E_CORRUPT, "a record in a name table does not parse; run dnsmon fsck");
    int rc = query_owner(&pass->point, pass->answer->query, (struct slice){ owner, len }, why);
    return rc ? rc : run_ranges(pass->answer, &pass->point, why);
}

static int run_forward(struct answer *a, struct fault *why)
{
    struct host_pass pass = { .answer = a };
    query_init(&pass.point);
    int rc = store_scan_each(a->store, &a->query->ranges[0], run_host, &pass, why);
    query_release(&pass.point);
    return rc;
}

/* The least type of an inverse key that is at least `from`; 0 when there is none. */
static int next_type(struct store *store, uint32_t from, uint16_t *ret, struct fault *why)
{
    uint8_t start[2];
    struct store_scan *scan;
    struct slice key, value;
    *ret = 0;
    if (from > 65535)
        return E_OK;
    put_be16(start, (uint16_t)from);
    struct store_range range = { .kind = KIND_INVERSE, .start = { start, 2 } };
    int rc = store_scan_open(&scan, store, &range, why);
    if (rc != 0)
        return rc;
    rc = store_scan_next(scan, &key, &value, why);
    if (rc == 0 && key.ptr != NULL && key.len >= 2)
        *ret = get_be16(key.ptr);
    store_scan_close(&scan);
    return rc;
}

static int run_every_type(struct answer *a, struct fault *why)
{
    struct query one;
    uint16_t type = 0;
    query_init(&one);
    one.inverse = true;
    one.raw = a->query->raw;
    int rc = next_type(a->store, 1, &type, why);
    while (rc == 0 && type != 0) {
        arena_reset(&one.memory);
        rc = query_raw(&one, type, why);
        if (rc == 0)
            rc = run_ranges(a, &one, why);
        if (rc == 0)
            rc = next_type(a->store, type + 1u, &type, why);
    }
    query_release(&one);
    return rc;
}

int answer_run(struct store *store, const struct query *q, const struct answer_fence *fence, answer_sink sink,
               void *ctx, struct fault *why)
{
    struct answer a = { .store = store, .query = q, .fence = fence, .sink = sink, .ctx = ctx };
    int rc;
    if (q->forward)
        rc = run_forward(&a, why);
    else if (q->every_type)
        rc = run_every_type(&a, why);
    else
        rc = run_ranges(&a, q, why);
    return rc == ANSWER_STOP ? E_OK : rc;
}
