#include "cmd/pick.h"

#include "cmd/present.h"

#include <stdlib.h>

struct picked {
    struct rr_key key; /* views into bytes */
    struct rr_value value;
    uint64_t rank;
    size_t len;
    uint8_t bytes[];
};

void pick_init(struct pick *p, enum pick_order order, bool reverse, size_t room, size_t bytes_limit)
{
    *p = (struct pick){ .order = order, .reverse = reverse, .room = room, .bytes_limit = bytes_limit };
}

void pick_release(struct pick *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->heap[i]);
    free(p->heap);
    p->heap = NULL;
    p->n = p->capacity = 0;
}

static uint64_t rank_of(enum pick_order order, const struct rr_value *v)
{
    switch (order) {
    case PICK_FIRST: return v->first;
    case PICK_LAST: return v->last;
    case PICK_COUNT: return present_count(v);
    default: return 0;
    }
}

static int compare_keys(const struct rr_key *a, const struct rr_key *b)
{
    int c = slice_compare(a->owner, b->owner);
    if (c == 0)
        c = (a->type > b->type) - (a->type < b->type);
    if (c == 0)
        c = (a->about > b->about) - (a->about < b->about);
    if (c == 0)
        c = (a->subtype > b->subtype) - (a->subtype < b->subtype);
    return c ? c : slice_compare(a->rdata, b->rdata);
}

/* Which of two stands in front in the output. */
static int compare(const struct pick *p, uint64_t rank_a, const struct rr_key *a, uint64_t rank_b,
                   const struct rr_key *b)
{
    int c = (rank_a > rank_b) - (rank_a < rank_b);
    int by_key = c == 0 ? compare_keys(a, b) : 0;
    if (p->order == PICK_NAME)
        c = by_key;
    else if (c == 0)
        return by_key;
    return p->reverse ? -c : c;
}

static int compare_picked(const struct pick *p, const struct picked *a, const struct picked *b)
{
    return compare(p, a->rank, &a->key, b->rank, &b->key);
}

static struct picked *copy(const struct rr_key *key, const struct rr_value *value, uint64_t rank)
{
    size_t len = key->owner.len + key->rdata.len;
    struct picked *one = malloc(sizeof *one + len);
    if (one == NULL)
        return NULL;
    one->key = *key;
    one->value = *value;
    one->rank = rank;
    one->len = sizeof *one + len;
    memcpy(one->bytes, key->owner.ptr, key->owner.len);
    if (key->rdata.len)
        memcpy(one->bytes + key->owner.len, key->rdata.ptr, key->rdata.len);
    one->key.owner.ptr = one->bytes;
    one->key.rdata.ptr = one->bytes + key->owner.len;
    return one;
}

static void sift_up(struct pick *p, size_t at)
{
    struct picked *one = p->heap[at];
    while (at > 0 && compare_picked(p, p->heap[(at - 1) / 2], one) < 0) {
        p->heap[at] = p->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    p->heap[at] = one;
}

static void sift_down(struct pick *p, size_t at)
{
    struct picked *one = p->heap[at];
    for (size_t child; (child = 2 * at + 1) < p->n; at = child) {
        if (child + 1 < p->n && compare_picked(p, p->heap[child], p->heap[child + 1]) < 0)
            child++;
        if (compare_picked(p, one, p->heap[child]) >= 0)
            break;
        p->heap[at] = p->heap[child];
    }
    p->heap[at] = one;
}

static int push(struct pick *p, struct picked *one)
{
    if (p->n == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 64;
        struct picked **heap = realloc(p->heap, capacity * sizeof *heap);
        if (heap == NULL)
            return E_NOMEM;
        p->heap = heap;
        p->capacity = capacity;
    }
    p->heap[p->n++] = one;
    sift_up(p, p->n - 1);
    return E_OK;
}

int pick_offer(struct pick *p, const struct rr_key *key, const struct rr_value *value)
{
    uint64_t rank = rank_of(p->order, value);
    bool full = p->n == p->room;
    if (full && (p->n == 0 || compare(p, p->heap[0]->rank, &p->heap[0]->key, rank, key) <= 0))
        return E_OK;
    struct picked *one = copy(key, value, rank);
    if (one == NULL)
        return E_NOMEM;
    p->bytes += one->len + sizeof one;
    if (!full) {
        int rc = p->bytes > p->bytes_limit ? E_LIMIT : push(p, one);
        if (rc != 0)
            free(one);
        return rc;
    }
    p->bytes -= p->heap[0]->len + sizeof one;
    free(p->heap[0]);
    p->heap[0] = one;
    sift_down(p, 0);
    return E_OK;
}

/* Heap sort: the worst goes to the end, again and again. */
void pick_sort(struct pick *p)
{
    size_t n = p->n;
    while (p->n > 1) {
        struct picked *worst = p->heap[0];
        p->heap[0] = p->heap[--p->n];
        sift_down(p, 0);
        p->heap[p->n] = worst;
    }
    p->n = n;
}

void pick_get(const struct pick *p, size_t i, struct rr_key *ret_key, struct rr_value *ret_value)
{
    *ret_key = p->heap[i]->key;
    *ret_value = p->heap[i]->value;
}
