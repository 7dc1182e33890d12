#include "cmd/asked.h"

#include "cmd/present.h"

int asked_take(struct asked *ret, const char *text, enum asked_as as, const struct suffix_list *list, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(text, strlen(text), wire);
    if (n == 0)
        return fault_set(why, E_USAGE, "'%s' is not a domain name", text);
    size_t len = name_owner_key(wire, n, ret->key);
    size_t registered = as == ASKED_HOST ? 0 : suffix_find(list, ret->key, len).registered;
    if (as == ASKED_DOMAIN && registered == 0)
        return fault_set(why, E_USAGE, "'%s' is a public suffix, not of a registered domain", text);
    ret->kind = as == ASKED_DOMAIN || (as == ASKED_BEST && registered == len - 1) ? KIND_DOMAIN : KIND_HOST;
    if (ret->kind == KIND_DOMAIN) {
        len = registered + 1;
        ret->key[registered] = 0;
    }
    ret->owner = (struct slice){ ret->key, len };
    ret->name_len = present_owner(ret->owner, ret->name);
    return E_OK;
}

void asked_turn(struct asked *a)
{
    a->kind = a->kind == KIND_DOMAIN ? KIND_HOST : KIND_DOMAIN;
}

struct asked_span asked_span(int64_t from_s, int64_t to_s)
{
    return (struct asked_span){
        .from = (uint64_t)from_s / ACTIVITY_HOUR_S,
        .end = to_s == INT64_MAX ? UINT64_MAX : ((uint64_t)to_s + ACTIVITY_HOUR_S - 1) / ACTIVITY_HOUR_S,
    };
}

uint64_t asked_count(const struct activity *a)
{
    uint64_t both;
    return __builtin_add_overflow(a->counters[ACTIVITY_QUERIES], a->counters[ACTIVITY_STRAY], &both) ? UINT64_MAX : both;
}

bool asked_all_clients(const struct activity *a)
{
    return a->n_clients < activity_clients_max(a);
}

bool asked_all_names(const struct activity *a)
{
    return a->n_names < ACTIVITY_NAMES;
}

struct walk {
    struct asked *asked;
    asked_sink sink;
    void *ctx;
};

static int take_entry(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct walk *w = ctx;
    struct asked *a = w->asked;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, a->kind == KIND_DOMAIN, &a->hour))
        return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck", record_kinds[a->kind].name);
    return w->sink(w->ctx, hour, &a->hour, why);
}

int asked_each(struct asked *a, struct store *store, struct asked_span span, asked_sink sink, void *ctx, struct fault *why)
{
    uint8_t start[ACTIVITY_KEY_MAX], end[ACTIVITY_KEY_MAX];
    struct walk walk = { a, sink, ctx };
    if (span.from >= span.end || span.from > UINT32_MAX)
        return E_OK;
    struct store_range range = { .kind = a->kind, .exact = a->owner, .after = (int64_t)span.from * ACTIVITY_HOUR_S };
    range.start = (struct slice){ start, activity_key_put(a->owner, (uint32_t)span.from, start) };
    if (span.end <= UINT32_MAX) {
        range.end = (struct slice){ end, activity_key_put(a->owner, (uint32_t)span.end, end) };
        range.before = (int64_t)span.end * ACTIVITY_HOUR_S;
    } else { /* an owner ends with 00, and no other key begins with it: up to the next such key */
        memcpy(end, a->owner.ptr, a->owner.len);
        end[a->owner.len - 1] = 1;
        range.end = (struct slice){ end, a->owner.len };
    }
    int rc = store_scan_each(store, &range, take_entry, &walk, why);
    return rc == ASKED_STOP ? E_OK : rc;
}

static int stop_at_first(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    (void)hour;
    (void)a;
    (void)why;
    *(bool *)ctx = true;
    return ASKED_STOP;
}

bool asked_ever(struct asked *a, struct store *store)
{
    struct fault why = { 0 };
    bool found = false;
    return asked_each(a, store, asked_span(0, INT64_MAX), stop_at_first, &found, &why) == 0 && found;
}
