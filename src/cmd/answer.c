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

struct range_pass {
    struct answer *answer;
    uint8_t kind;
};

static int offer(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct range_pass *pass = ctx;
    struct answer *a = pass->answer;
    struct rr_key k;
    struct rr_value v;
    bool ok = pass->kind == KIND_INVERSE ? rr_inverse_get(key, a->rdata, &k) : rr_key_get(key, &k);
    if (!ok || !rr_value_get(value, &v))
        return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck",
                         record_kinds[pass->kind].name);
    if (!query_wants(a->query, &k) || !inside(a->fence, &v))
        return E_OK;
    return a->sink(a->ctx, &k, &v);
}

static int run_range(struct answer *a, const struct store_range *range, struct fault *why)
{
    struct range_pass pass = { a, range->kind };
    return store_scan_each(a->store, range, offer, &pass, why);
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
