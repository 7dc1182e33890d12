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
    asked_day_sink day_sink;
    void *ctx;
};

static int bad_record(uint8_t kind, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck", record_kinds[kind].name);
}

static int take_hour(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct walk *w = ctx;
    struct asked *a = w->asked;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, a->kind == KIND_DOMAIN, &a->now.all))
        return bad_record(a->kind, why);
    return w->sink(w->ctx, hour, &a->now.all, why);
}

static int take_day(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct walk *w = ctx;
    struct asked *a = w->asked;
    struct slice owner;
    uint32_t day;
    if (!activity_key_get(key, &owner, &day) || !day_get(value, a->kind == KIND_DOMAIN, &a->now))
        return bad_record((uint8_t)record_kinds[a->kind].rest, why);
    return w->day_sink(w->ctx, day, &a->now, why);
}

/* The entries of the name in [from, end), in units of so many seconds. */
static int scan(struct walk *w, struct store *store, uint8_t kind, struct asked_span span, int64_t unit_s, store_entry take,
                struct fault *why)
{
    uint8_t start[ACTIVITY_KEY_MAX], end[ACTIVITY_KEY_MAX];
    struct slice owner = w->asked->owner;
    if (span.from >= span.end || span.from > UINT32_MAX)
        return E_OK;
    struct store_range range = { .kind = kind, .exact = owner, .after = (int64_t)span.from * unit_s };
    range.start = (struct slice){ start, activity_key_put(owner, (uint32_t)span.from, start) };
    if (span.end <= UINT32_MAX) {
        range.end = (struct slice){ end, activity_key_put(owner, (uint32_t)span.end, end) };
        range.before = (int64_t)span.end * unit_s;
    } else { /* an owner ends with 00, and no other key begins with it: up to the next such key */
        memcpy(end, owner.ptr, owner.len);
        end[owner.len - 1] = 1;
        range.end = (struct slice){ end, owner.len };
    }
    int rc = store_scan_each(store, &range, take, w, why);
    return rc == ASKED_STOP ? E_OK : rc;
}

int asked_each(struct asked *a, struct store *store, struct asked_span span, asked_sink sink, void *ctx, struct fault *why)
{
    struct walk walk = { .asked = a, .sink = sink, .ctx = ctx };
    return scan(&walk, store, a->kind, span, ACTIVITY_HOUR_S, take_hour, why);
}

int asked_each_day(struct asked *a, struct store *store, struct asked_span span, asked_day_sink sink, void *ctx,
                   struct fault *why)
{
    struct walk walk = { .asked = a, .day_sink = sink, .ctx = ctx };
    span.from /= DAY_HOURS;
    span.end = span.end == UINT64_MAX ? span.end : (span.end + DAY_HOURS - 1) / DAY_HOURS;
    return scan(&walk, store, (uint8_t)record_kinds[a->kind].rest, span, DAY_S, take_day, why);
}

static int stop_at_first(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    (void)hour;
    (void)a;
    (void)why;
    *(bool *)ctx = true;
    return ASKED_STOP;
}

static int stop_at_day(void *ctx, uint32_t day, const struct day *d, struct fault *why)
{
    return stop_at_first(ctx, day, &d->all, why);
}

bool asked_ever(struct asked *a, struct store *store)
{
    struct fault why = { 0 };
    struct asked_span ever = asked_span(0, INT64_MAX);
    bool found = false;
    return asked_each(a, store, ever, stop_at_first, &found, &why) == 0 &&
           (found || asked_each_day(a, store, ever, stop_at_day, &found, &why) == 0) && found;
}
