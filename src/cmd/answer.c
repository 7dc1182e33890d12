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

static int offer(struct answer *a, uint8_t kind, struct slice key, struct slice value, struct fault *why)
{
    struct rr_key k;
    struct rr_value v;
    bool ok = kind == KIND_INVERSE ? rr_inverse_get(key, a->rdata, &k) : rr_key_get(key, &k);
    if (!ok || !rr_value_get(value, &v))
        return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck",
                         record_kinds[kind].name);
    if (!query_wants(a->query, &k) || !inside(a->fence, &v))
        return E_OK;
    return a->sink(a->ctx, &k, &v);
}

static int run_range(struct answer *a, const struct store_range *range, struct fault *why)
{
    struct store_scan *scan;
    int rc = store_scan_open(&scan, a->store, range, why);
    if (rc != 0)
        return rc;
    for (;;) {
        struct slice key, value;
        rc = store_scan_next(scan, &key, &value, why);
        if (rc != 0 || key.ptr == NULL)
            break;
        rc = offer(a, range->kind, key, value, why);
        if (rc != 0)
            break;
    }
    store_scan_close(&scan);
    return rc;
}

static int run_ranges(struct answer *a, const struct query *q, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < q->n_ranges; i++)
        rc = run_range(a, &q->ranges[i], why);
    return rc;
}

/* A name table's key: a host, or with one byte more its registered domain. */
static int run_host(struct answer *a, struct query *point, struct slice key, struct fault *why)
{
    uint8_t owner[NAME_KEY_MAX];
    size_t len = name_key_length(key.ptr, key.len);
    if (len != key.len)
        return E_OK;
    len = name_key_reverse(key.ptr, len, owner);
    if (len == 0)
        return fault_set(why, E_CORRUPT, "a record in a name table does not parse; run dnsmon fsck");
    int rc = query_owner(point, a->query, (struct slice){ owner, len }, why);
    return rc ? rc : run_ranges(a, point, why);
}

static int run_forward(struct answer *a, struct fault *why)
{
    struct query point;
    struct store_scan *scan;
    int rc = store_scan_open(&scan, a->store, &a->query->ranges[0], why);
    if (rc != 0)
        return rc;
    query_init(&point);
    for (;;) {
        struct slice key, value;
        rc = store_scan_next(scan, &key, &value, why);
        if (rc != 0 || key.ptr == NULL)
            break;
        rc = run_host(a, &point, key, why);
        if (rc != 0)
            break;
    }
    query_release(&point);
    store_scan_close(&scan);
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
