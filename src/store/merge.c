#include "store/merge.h"

#include <stdlib.h>

static const uint8_t EMPTY[1];

void merge_init(struct merge *m)
{
    *m = (struct merge){ 0 };
    buffer_init(&m->key, TABLE_KEY_MAX);
    buffer_init(&m->value, 1 << 20);
    buffer_init(&m->next_value, 1 << 20);
}

void merge_release(struct merge *m)
{
    buffer_release(&m->key);
    buffer_release(&m->value);
    buffer_release(&m->next_value);
    free(m->inputs);
    free(m->tree);
    merge_init(m);
}

void merge_clear(struct merge *m, const struct record_kind *kind)
{
    m->kind = kind;
    m->n = 0;
    m->advance = false;
}

static inline uint64_t prefix_of(struct slice key)
{
    if (key.len >= 8)
        return get_be64(key.ptr);
    uint64_t v = 0;
    for (size_t i = 0; i < key.len; i++)
        v |= (uint64_t)key.ptr[i] << (56 - 8 * i);
    return v;
}

static int next_of_run(struct merge_input *in, struct fault *why)
{
    size_t left = (size_t)(in->end - in->next);
    if (left == 0) {
        in->key.ptr = NULL;
        return 0;
    }
    size_t klen = left >= 4 ? get_le16(in->next) : 0, vlen = left >= 4 ? get_le16(in->next + 2) : 0;
    if (left < 4 || klen + vlen > left - 4)
        return fault_set(why, E_MALFORMED, "run: entry does not fit");
    in->key = (struct slice){ in->next + 4, klen };
    in->value = (struct slice){ in->next + 4 + klen, vlen };
    in->next += 4 + klen + vlen;
    in->prefix = prefix_of(in->key);
    return 0;
}

static inline void take_table_entry(struct merge_input *in)
{
    const struct block_cursor *b = &in->table->block;
    in->key = (struct slice){ b->valid ? b->key ? b->key : EMPTY : NULL, b->key_len };
    in->value = b->value;
    if (b->valid)
        in->prefix = prefix_of(in->key);
}

static inline int next_of(struct merge_input *in, struct fault *why)
{
    if (in->table == NULL)
        return next_of_run(in, why);
    int r = table_cursor_next(in->table, why);
    if (r == 0)
        take_table_entry(in);
    return r;
}

static struct merge_input *add_input(struct merge *m)
{
    if (m->n == m->capacity) {
        unsigned capacity = m->capacity ? m->capacity * 2 : 16;
        struct merge_input *inputs = realloc(m->inputs, capacity * sizeof *inputs);
        if (inputs)
            m->inputs = inputs;
        uint32_t *tree = realloc(m->tree, capacity * sizeof *tree);
        if (tree)
            m->tree = tree;
        if (!inputs || !tree)
            return NULL;
        m->capacity = capacity;
    }
    struct merge_input *in = &m->inputs[m->n++];
    *in = (struct merge_input){ 0 };
    return in;
}

int merge_add_run(struct merge *m, const uint8_t *bytes, size_t len, struct fault *why)
{
    struct merge_input *in = add_input(m);
    if (in == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    in->next = bytes;
    in->end = bytes + len;
    return next_of_run(in, why);
}

int merge_add_table(struct merge *m, struct table_cursor *c, struct fault *why)
{
    struct merge_input *in = add_input(m);
    if (in == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    in->table = c;
    take_table_entry(in);
    return 0;
}

/* Ended inputs are above all keys. Marks the winner of two equal keys. */
static inline bool wins(struct merge_input *a, struct merge_input *b)
{
    if (a->key.ptr == NULL || b->key.ptr == NULL)
        return b->key.ptr == NULL;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    int c = slice_compare(a->key, b->key);
    if (c == 0)
        a->tied = true;
    return c <= 0;
}

static unsigned build(struct merge *m, unsigned node)
{
    if (node >= m->n)
        return node - m->n;
    unsigned a = build(m, 2 * node), b = build(m, 2 * node + 1);
    bool first = wins(&m->inputs[a], &m->inputs[b]);
    m->tree[node] = first ? b : a;
    return first ? a : b;
}

int merge_start(struct merge *m, struct fault *why)
{
    (void)why;
    if (m->n)
        m->tree[0] = m->n == 1 ? 0 : build(m, 1);
    return 0;
}

static inline int advance(struct merge *m, struct fault *why)
{
    unsigned winner = m->tree[0];
    m->inputs[winner].tied = false;
    int r = next_of(&m->inputs[winner], why);
    if (r < 0)
        return r;
    for (unsigned node = (winner + m->n) / 2; node; node /= 2) {
        unsigned other = m->tree[node];
        if (!wins(&m->inputs[winner], &m->inputs[other])) {
            m->tree[node] = winner;
            winner = other;
        }
    }
    m->tree[0] = winner;
    return 0;
}

/* The winner's key is held by others too: fold them all into `value`. */
static int merge_equal(struct merge *m, struct fault *why)
{
    const struct merge_input *in = &m->inputs[m->tree[0]];
    buffer_clear(&m->key);
    buffer_clear(&m->value);
    buffer_append(&m->key, in->key.ptr, in->key.len);
    buffer_append(&m->value, in->value.ptr, in->value.len);
    for (;;) {
        int r = advance(m, why);
        if (r < 0)
            return r;
        in = &m->inputs[m->tree[0]];
        struct slice key = { m->key.ptr, m->key.len }, value = { m->value.ptr, m->value.len };
        if (in->key.ptr == NULL || slice_compare(in->key, key) != 0)
            return 0;
        buffer_clear(&m->next_value);
        r = m->kind->merge(value, in->value, &m->next_value);
        if (r < 0)
            return fault_set(why, r, "%s: value does not parse",
                             in->table ? table_reader_path(in->table->reader) : "run");
        if (m->next_value.failed || m->next_value.len > TABLE_VALUE_MAX)
            return fault_set(why, E_LIMIT, "merged value is too long");
        struct buffer swap = m->value;
        m->value = m->next_value;
        m->next_value = swap;
    }
}

int merge_next(struct merge *m, struct slice *ret_key, struct slice *ret_value, struct fault *why)
{
    int r = m->advance ? advance(m, why) : 0;
    m->advance = false;
    if (r < 0)
        return r;
    ret_key->ptr = NULL;
    if (m->n == 0 || m->inputs[m->tree[0]].key.ptr == NULL)
        return 0;
    const struct merge_input *in = &m->inputs[m->tree[0]];
    if (!in->tied) {
        m->advance = true;
        *ret_key = in->key;
        *ret_value = in->value;
        return 0;
    }
    r = merge_equal(m, why);
    if (r < 0)
        return r;
    *ret_key = (struct slice){ m->key.ptr ? m->key.ptr : EMPTY, m->key.len };
    *ret_value = (struct slice){ m->value.ptr, m->value.len };
    return 0;
}
