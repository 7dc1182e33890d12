#include "detect/subject.h"

#include "base/arena.h"
#include "detect/channel.h"
#include "detect/memo.h"
#include "detect/first.h"
#include "record/rr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    RAW_LIMIT = 64 << 20,       /* bytes of one subject's history */
    SCANNED_MAX = 200000,       /* host entries and rr looked at */
    GATHER_HOSTS = 4 * SUBJECT_HOSTS,
    GATHER_RECORDS = 4 * SUBJECT_RECORDS,
    CHUNK_BYTES = 1 << 14,
};

struct raw_hour {
    uint32_t hour;
    size_t at, len; /* in `raw` */
};

struct asks {
    uint32_t *seconds;
    size_t n, room;
};

/* What is loaded, behind the view. */
struct history {
    struct subject view; /* first: the handle is its address */
    struct arena memory;
    struct buffer raw; /* encoded activity values, one after another */
    struct raw_hour *raw_hours;
    size_t n_raw, raw_room;
    struct subject_host *all_hosts; /* by first_s, owner; their hours whole */
    size_t n_all_hosts, hosts_room;
    struct subject_record *all_records;
    size_t n_all_records, records_room;
    bool prepared; /* sorted */
    uint32_t beyond_hosts_s, beyond_records_s; /* first seen of the earliest ones that found no place; UINT32_MAX = none */
    bool hosts_scanned, records_scanned; /* to the end */

    struct subject_host *shown_hosts; /* the view's: hours cut to the window */
    struct subject_hour *hours;
    size_t hours_room;
    size_t next_raw;
    struct subject_client clients[SUBJECT_CLIENTS + 1];
    struct asks asks[SUBJECT_CLIENTS + 1];
    struct activity decoded;
    struct subject_memo memo;
    uint8_t key[NAME_KEY_MAX];
    char name[NAME_TEXT_MAX];
};

static struct history *history_of(struct subject *s)
{
    return (struct history *)s;
}

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for the history of a name");
}

/* Room for one more element of `size` bytes in an array of `n`. */
static bool reserve(void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    size_t more = *room ? 2 * *room : 16;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = reallocarray(old, more, size);
    if (grown == NULL)
        return false;
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return true;
}

/* ---- making ---- */

/* Presentation form without the final dot. */
static bool text_of(struct slice owner, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_owner_key(owner.ptr, owner.len, wire);
    size_t n = len ? name_to_text(wire, len, text) : 0;
    if (n > 1)
        text[n - 1] = '\0';
    return n != 0;
}

static int make(struct history **ret, struct slice owner, const struct suffix_list *suffixes, struct fault *why)
{
    struct history *h = calloc(1, sizeof *h);
    if (h == NULL)
        return no_memory(why);
    assert(owner.len <= sizeof h->key);
    memcpy(h->key, owner.ptr, owner.len);
    arena_init(&h->memory, CHUNK_BYTES);
    buffer_init(&h->raw, RAW_LIMIT);
    h->view.owner = (struct slice){ h->key, owner.len };
    h->view.name = h->name;
    h->view.suffixes = suffixes;
    h->view.suffix = suffix_find(suffixes, h->key, owner.len).suffix;
    h->view.first_s = UINT32_MAX;
    h->view.hosts_whole = h->view.records_whole = true;
    h->hosts_scanned = h->records_scanned = true;
    h->beyond_hosts_s = h->beyond_records_s = UINT32_MAX;
    h->view.memo = &h->memo;
    if (!text_of(owner, h->name)) {
        struct subject *s = &h->view;
        subject_destroy(&s);
        return fault_set(why, E_CORRUPT, "a key in an activity table is not a name; run dnsmon fsck");
    }
    *ret = h;
    return E_OK;
}

void subject_destroy(struct subject **s)
{
    if (*s == NULL)
        return;
    struct history *h = history_of(*s);
    for (size_t i = 0; i <= SUBJECT_CLIENTS; i++)
        free(h->asks[i].seconds);
    for (size_t i = 0; i < h->n_all_hosts; i++)
        free((void *)(uintptr_t)h->all_hosts[i].hours);
    free(h->all_hosts);
    free(h->all_records);
    free(h->shown_hosts);
    free(h->raw_hours);
    free(h->hours);
    buffer_release(&h->raw);
    arena_release(&h->memory);
    free(h);
    *s = NULL;
}

static void see_first(struct history *h, uint64_t second)
{
    if (second < h->view.first_s)
        h->view.first_s = (uint32_t)second;
}

static bool keep_hour(struct history *h, uint32_t hour, struct slice value)
{
    if (!reserve(&h->raw_hours, h->n_raw, &h->raw_room, sizeof *h->raw_hours))
        return false;
    h->raw_hours[h->n_raw++] = (struct raw_hour){ hour, h->raw.len, value.len };
    buffer_append(&h->raw, value.ptr, value.len);
    return !h->raw.failed;
}

/* The part of a key below the registered domain, as text: "www", "a.b", "". */
static const char *sub_text(struct history *h, struct slice owner)
{
    char text[NAME_TEXT_MAX];
    if (!text_of(owner, text))
        return NULL;
    size_t whole = strlen(text), domain = strlen(h->name);
    size_t len = whole > domain ? whole - domain - 1 : 0;
    char *sub = arena_alloc(&h->memory, len + 1);
    if (sub == NULL)
        return NULL;
    memcpy(sub, text, len);
    sub[len] = '\0';
    return sub;
}

static bool copy_key(struct history *h, struct slice from, struct slice *ret)
{
    uint8_t *to = arena_alloc(&h->memory, from.len);
    if (to == NULL)
        return false;
    if (from.len)
        memcpy(to, from.ptr, from.len);
    *ret = (struct slice){ to, from.len };
    return true;
}

static int by_first(uint32_t a_s, struct slice a, uint32_t b_s, struct slice b)
{
    return a_s != b_s ? (a_s > b_s) - (a_s < b_s) : slice_compare(a, b);
}

static int compare_hosts(const void *a, const void *b)
{
    const struct subject_host *x = a, *y = b;
    return by_first(x->first_s, x->owner, y->first_s, y->owner);
}

static int compare_records(const void *a, const void *b)
{
    const struct subject_record *x = a, *y = b;
    int c = by_first(x->first_s, x->owner, y->first_s, y->owner);
    if (c == 0)
        c = (x->type > y->type) - (x->type < y->type);
    return c ? c : slice_compare(x->rdata, y->rdata);
}

/* Sorts, and forgets all but the earliest. Later names never displace earlier ones, so what is shown of a
 * step does not depend on what came after it. */
static void settle_hosts(struct history *h)
{
    if (h->n_all_hosts)
        qsort(h->all_hosts, h->n_all_hosts, sizeof *h->all_hosts, compare_hosts);
    while (h->n_all_hosts > SUBJECT_HOSTS) {
        struct subject_host *last = &h->all_hosts[--h->n_all_hosts];
        h->beyond_hosts_s = last->first_s < h->beyond_hosts_s ? last->first_s : h->beyond_hosts_s;
        free((void *)(uintptr_t)last->hours);
    }
}

static void settle_records(struct history *h)
{
    if (h->n_all_records)
        qsort(h->all_records, h->n_all_records, sizeof *h->all_records, compare_records);
    if (h->n_all_records > SUBJECT_RECORDS) {
        uint32_t beyond = h->all_records[SUBJECT_RECORDS].first_s;
        h->beyond_records_s = beyond < h->beyond_records_s ? beyond : h->beyond_records_s;
        h->n_all_records = SUBJECT_RECORDS;
    }
}

static struct subject_host *begin_host(struct history *h, struct slice owner)
{
    if (h->n_all_hosts >= GATHER_HOSTS)
        settle_hosts(h);
    if (!reserve(&h->all_hosts, h->n_all_hosts, &h->hosts_room, sizeof *h->all_hosts))
        return NULL;
    struct subject_host *host = &h->all_hosts[h->n_all_hosts];
    *host = (struct subject_host){ .first_s = UINT32_MAX, .asked_hour = UINT32_MAX, .sub = sub_text(h, owner) };
    if (host->sub == NULL || !copy_key(h, owner, &host->owner))
        return NULL;
    h->n_all_hosts++;
    return host;
}

static uint32_t capped(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static void see_host(struct subject_host *host, uint32_t hour, uint64_t first)
{
    host->first_s = first < host->first_s ? (uint32_t)first : host->first_s;
    host->asked_hour = hour < host->asked_hour ? hour : host->asked_hour;
}

/* Rooms double at powers of two, so that none has to be kept. */
static bool add_host_hour(struct subject_host *host, uint32_t hour, const struct activity *a)
{
    struct subject_host_hour *hours = (void *)(uintptr_t)host->hours;
    if ((host->n_hours & (host->n_hours - 1)) == 0) {
        hours = reallocarray(hours, host->n_hours ? 2 * (size_t)host->n_hours : 1, sizeof *hours);
        if (hours == NULL)
            return false;
        host->hours = hours;
    }
    hours[host->n_hours++] = (struct subject_host_hour){
        .hour = hour,
        .queries = capped(a->counters[ACTIVITY_QUERIES]),
        .noerror = capped(a->counters[ACTIVITY_NOERROR]),
        .missing = capped(a->counters[ACTIVITY_NX_DOMAIN] + a->counters[ACTIVITY_NX_HOST]),
        .clients = capped(activity_clients(a)),
    };
    see_host(host, hour, a->first);
    return true;
}

static bool add_record(struct history *h, struct slice owner, uint16_t type, struct slice rdata, uint32_t first_s)
{
    if (h->n_all_records >= GATHER_RECORDS)
        settle_records(h);
    if (!reserve(&h->all_records, h->n_all_records, &h->records_room, sizeof *h->all_records))
        return false;
    struct subject_record *r = &h->all_records[h->n_all_records];
    r->type = type;
    r->first_s = first_s;
    if (!copy_key(h, owner, &r->owner) || !copy_key(h, rdata, &r->rdata))
        return false;
    h->n_all_records++;
    return true;
}

/* ---- loading ---- */

struct load {
    struct history *h;
    struct subject_host *host; /* at hand */
    uint32_t from, to;         /* hours kept */
    uint32_t scanned;
};

enum { STOP = 1 };

static int bad_record(struct fault *why)
{
    return fault_set(why, E_CORRUPT, "a record does not parse; run dnsmon fsck");
}

static int take_domain_hour(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct load *l = ctx;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, true, &l->h->decoded))
        return bad_record(why);
    see_first(l->h, l->h->decoded.first);
    if (hour < l->from)
        return E_OK;
    return keep_hour(l->h, hour, value) ? E_OK : no_memory(why);
}

static int take_host_hour(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct load *l = ctx;
    struct history *h = l->h;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, false, &h->decoded))
        return bad_record(why);
    if (hour > l->to)
        return E_OK;
    if (l->scanned++ >= SCANNED_MAX) {
        h->hosts_scanned = false;
        return STOP;
    }
    if (l->host == NULL || slice_compare(l->host->owner, owner) != 0)
        l->host = begin_host(h, owner);
    if (l->host == NULL)
        return no_memory(why);
    if (hour < l->from) {
        see_host(l->host, hour, h->decoded.first);
        return E_OK;
    }
    return add_host_hour(l->host, hour, &h->decoded) ? E_OK : no_memory(why);
}

static int take_record(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct load *l = ctx;
    struct rr_key k;
    struct rr_value v;
    if (!rr_key_get(key, &k) || !rr_value_get(value, &v))
        return bad_record(why);
    if (k.type == 0 || (int64_t)v.first >= step_end_s(l->to))
        return E_OK;
    if (l->scanned++ >= SCANNED_MAX) {
        l->h->records_scanned = false;
        return STOP;
    }
    return add_record(l->h, k.owner, k.type, k.rdata, capped(v.first)) ? E_OK : no_memory(why);
}

/* All keys at or below the domain: its prefix up to the one that follows its last label. */
static int scan_subtree(struct load *l, struct store *store, uint8_t kind, store_entry entry, struct fault *why)
{
    const struct subject *s = &l->h->view;
    uint8_t end[NAME_KEY_MAX];
    size_t len = s->owner.len - 1;
    memcpy(end, s->owner.ptr, len);
    end[len - 1] = 1;
    struct store_range range = { .kind = kind, .start = { s->owner.ptr, len }, .end = { end, len }, .before = step_end_s(l->to) };
    if (name_key_labels(s->owner.ptr, s->owner.len) == 2)
        range.exact = range.start;
    l->scanned = 0;
    l->host = NULL;
    int rc = store_scan_each(store, &range, entry, l, why);
    return rc == STOP ? E_OK : rc;
}

static int scan_hours(struct load *l, struct store *store, struct fault *why)
{
    const struct subject *s = &l->h->view;
    uint8_t start[ACTIVITY_KEY_MAX], end[ACTIVITY_KEY_MAX];
    struct store_range range = { .kind = KIND_DOMAIN, .exact = s->owner, .before = step_end_s(l->to) };
    range.start = (struct slice){ start, activity_key_put(s->owner, 0, start) };
    range.end = (struct slice){ end, activity_key_put(s->owner, l->to + 1, end) };
    return store_scan_each(store, &range, take_domain_hour, l, why);
}

static int date_hosts(struct history *h, struct store *store, struct fault *why)
{
    settle_hosts(h);
    for (size_t i = 0; i < h->n_all_hosts; i++) {
        struct subject_host *host = &h->all_hosts[i];
        uint64_t first;
        int rc = first_seen(store, host->owner, false, host->first_s, &first, why);
        if (rc != 0)
            return rc;
        host->first_s = (uint32_t)first;
    }
    return E_OK;
}

/* Before the first view: by first seen, so that what a step knows is the front of an array. */
static int prepare(struct history *h, struct fault *why)
{
    settle_hosts(h);
    settle_records(h);
    h->shown_hosts = calloc(h->n_all_hosts + 1, sizeof *h->shown_hosts);
    if (h->shown_hosts == NULL)
        return no_memory(why);
    h->prepared = true;
    return E_OK;
}

int subject_load(struct subject **ret, struct store *store, const struct suffix_list *suffixes, struct slice owner,
                 uint32_t from, uint32_t to, struct fault *why)
{
    struct history *h = NULL;
    uint64_t first;
    int rc = make(&h, owner, suffixes, why);
    if (rc != 0)
        return rc;
    struct load l = { .h = h, .from = from > WINDOW_STEPS ? from - WINDOW_STEPS : 0, .to = to };
    rc = scan_hours(&l, store, why);
    if (rc == 0)
        rc = scan_subtree(&l, store, KIND_HOST, take_host_hour, why);
    if (rc == 0)
        rc = scan_subtree(&l, store, KIND_RR, take_record, why);
    if (rc == 0)
        rc = date_hosts(h, store, why);
    if (rc == 0)
        rc = first_seen(store, h->view.owner, true, h->view.first_s, &first, why);
    if (rc == 0)
        see_first(h, first);
    if (rc == 0)
        rc = prepare(h, why);
    struct subject *s = &h->view;
    if (rc != 0)
        subject_destroy(&s);
    else
        *ret = s;
    return rc;
}

/* ---- the view ---- */

static struct asks *asks_at(struct history *h, size_t i)
{
    return &h->asks[i];
}

/* A place for the client in the sample, or -1 when it is beyond the largest. */
static ptrdiff_t place_client(struct history *h, uint64_t id, uint32_t hour)
{
    struct subject *s = &h->view;
    size_t lo = 0, hi = s->n_clients;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (h->clients[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < s->n_clients && h->clients[lo].id == id)
        return (ptrdiff_t)lo;
    if (s->n_clients == SUBJECT_CLIENTS)
        s->clients_whole = false;
    if (lo == SUBJECT_CLIENTS)
        return -1;
    /* The last one, or the spare, gives its memory for asks. */
    size_t last = s->n_clients < SUBJECT_CLIENTS ? s->n_clients++ : SUBJECT_CLIENTS - 1;
    struct asks spare = h->asks[last];
    memmove(&h->clients[lo + 1], &h->clients[lo], (last - lo) * sizeof *h->clients);
    memmove(&h->asks[lo + 1], &h->asks[lo], (last - lo) * sizeof *h->asks);
    h->clients[lo] = (struct subject_client){ .id = id, .first_hour = hour };
    h->asks[lo] = spare;
    h->asks[lo].n = 0;
    return (ptrdiff_t)lo;
}

static bool add_asks(struct asks *to, uint32_t hour, const struct activity_client *from)
{
    for (unsigned i = 0; i < from->n_asks; i++) {
        if (!reserve(&to->seconds, to->n, &to->room, sizeof *to->seconds))
            return false;
        to->seconds[to->n++] = hour * STEP_S + from->asks[i];
    }
    return true;
}

static bool add_clients(struct history *h, uint32_t hour, const struct activity *a)
{
    for (unsigned i = 0; i < a->n_clients; i++) {
        ptrdiff_t at = place_client(h, a->clients[i].id, hour);
        if (at < 0)
            break; /* the others are larger still */
        struct subject_client *c = &h->clients[at];
        c->last_hour = hour;
        c->hours++;
        if (!add_asks(asks_at(h, (size_t)at), hour, &a->clients[i]))
            return false;
    }
    if (a->n_clients == activity_clients_max(a))
        h->view.clients_whole = false;
    return true;
}

/* Pointers into memory that may have moved. */
static void show_clients(struct history *h)
{
    for (size_t i = 0; i < h->view.n_clients; i++) {
        h->clients[i].asks = h->asks[i].seconds;
        h->clients[i].n_asks = (uint32_t)h->asks[i].n;
    }
    h->view.clients = h->clients;
}

static bool add_hour(struct history *h, uint32_t hour, const struct activity *a)
{
    if (!reserve(&h->hours, h->view.n_hours, &h->hours_room, sizeof *h->hours))
        return false;
    struct subject_hour *to = &h->hours[h->view.n_hours++];
    to->hour = hour;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        to->counters[i] = capped(a->counters[i]);
    to->clients = capped(activity_clients(a));
    to->names = capped(activity_names(a));
    to->carried = channel_carried(a);
    to->sampled = a->n_clients == activity_clients_max(a);
    h->view.hours = h->hours;
    return add_clients(h, hour, a);
}

static int add_raw(struct history *h, const struct raw_hour *raw, struct fault *why)
{
    if (!activity_get((struct slice){ h->raw.ptr + raw->at, raw->len }, true, &h->decoded))
        return bad_record(why);
    return add_hour(h, raw->hour, &h->decoded) ? E_OK : no_memory(why);
}

/* Cuts a host's hours to [from, step]. */
static void show_host(struct subject_host *shown, const struct subject_host *host, uint32_t from, uint32_t step)
{
    uint32_t begin = 0, n = host->n_hours;
    while (begin < n && host->hours[begin].hour < from)
        begin++;
    while (n > begin && host->hours[n - 1].hour > step)
        n--;
    *shown = *host;
    shown->n_hours = n - begin;
    if (begin > 0) /* without hours there is nothing to point into */
        shown->hours = host->hours + begin;
}

static void show_known(struct history *h)
{
    struct subject *s = &h->view;
    int64_t end = step_end_s(s->step);
    s->n_hosts = 0;
    for (size_t i = 0; i < h->n_all_hosts; i++)
        if (h->all_hosts[i].asked_hour <= s->step)
            show_host(&h->shown_hosts[s->n_hosts++], &h->all_hosts[i], s->window_from, s->step);
    s->hosts = h->shown_hosts;
    s->hosts_whole = h->hosts_scanned && h->beyond_hosts_s >= end;
    s->records_whole = h->records_scanned && h->beyond_records_s >= end;
    s->n_records = 0;
    while (s->n_records < h->n_all_records && h->all_records[s->n_records].first_s < end)
        s->n_records++;
    s->records = h->all_records;
}

int subject_begin(struct subject *s, uint32_t period, const struct profile *profile, struct fault *why)
{
    struct history *h = history_of(s);
    int rc = h->prepared ? E_OK : prepare(h, why);
    if (rc != 0)
        return rc;
    s->profile = *profile;
    s->window_from = period > WINDOW_STEPS ? period - WINDOW_STEPS : 0;
    s->step = period - 1;
    s->n_hours = s->n_clients = 0;
    s->clients_whole = true;
    h->memo = (struct subject_memo){ 0 };
    for (h->next_raw = 0; h->next_raw < h->n_raw && h->raw_hours[h->next_raw].hour < s->window_from;)
        h->next_raw++;
    while (rc == 0 && h->next_raw < h->n_raw && h->raw_hours[h->next_raw].hour < period)
        rc = add_raw(h, &h->raw_hours[h->next_raw++], why);
    show_clients(h);
    show_known(h);
    return rc;
}

int subject_advance(struct subject *s, uint32_t step, const struct activity **ret, struct fault *why)
{
    struct history *h = history_of(s);
    int rc = E_OK;
    assert(step == s->step + 1);
    s->step = step;
    h->memo = (struct subject_memo){ 0 };
    *ret = NULL;
    if (h->next_raw >= h->n_raw || h->raw_hours[h->next_raw].hour != step)
        return E_OK;
    rc = add_raw(h, &h->raw_hours[h->next_raw++], why);
    if (rc != 0)
        return rc;
    profile_add(&s->profile, step, &h->decoded);
    show_clients(h);
    show_known(h);
    *ret = &h->decoded;
    return rc;
}

/* The first raw hour not before `hour`. */
static size_t raw_from(const struct history *h, uint32_t hour)
{
    size_t lo = 0, hi = h->n_raw;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (h->raw_hours[mid].hour < hour)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool subject_will_be_asked(const struct subject *s, uint32_t from, uint32_t to)
{
    const struct history *h = (const struct history *)s;
    size_t at = raw_from(h, from);
    return at < h->n_raw && h->raw_hours[at].hour <= to;
}

static size_t hour_from(const struct subject *s, uint32_t hour)
{
    size_t lo = 0, hi = s->n_hours;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->hours[mid].hour < hour)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct subject_hour *subject_hour_at(const struct subject *s, uint32_t hour)
{
    size_t at = hour_from(s, hour);
    return at < s->n_hours && s->hours[at].hour == hour ? &s->hours[at] : NULL;
}

uint64_t subject_sum(const struct subject *s, enum activity_counter counter, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (size_t i = hour_from(s, from); i < s->n_hours && s->hours[i].hour <= to; i++)
        sum += s->hours[i].counters[counter];
    return sum;
}

/* ---- for tests ---- */

static bool key_of(const char *text, uint8_t key[NAME_KEY_MAX], struct slice *ret)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(text, strlen(text), wire);
    *ret = (struct slice){ key, n ? name_owner_key(wire, n, key) : 0 };
    return n != 0;
}

int subject_make(struct subject **ret, const char *name, const struct suffix_list *suffixes, struct fault *why)
{
    uint8_t key[NAME_KEY_MAX];
    struct slice owner;
    struct history *h = NULL;
    if (!key_of(name, key, &owner))
        return fault_set(why, E_USAGE, "'%s' is not a domain name", name);
    int rc = make(&h, owner, suffixes, why);
    if (rc == 0)
        *ret = &h->view;
    return rc;
}

int subject_give_hour(struct subject *s, uint32_t hour, const struct activity *a)
{
    struct history *h = history_of(s);
    struct buffer value;
    buffer_init(&value, ACTIVITY_VALUE_MAX);
    activity_put(a, &value);
    see_first(h, a->first);
    bool kept = !value.failed && keep_hour(h, hour, (struct slice){ value.ptr, value.len });
    buffer_release(&value);
    return kept ? E_OK : E_NOMEM;
}

int subject_give_host_hour(struct subject *s, const char *host, uint32_t hour, const struct activity *a)
{
    struct history *h = history_of(s);
    uint8_t key[NAME_KEY_MAX];
    struct slice owner;
    if (!key_of(host, key, &owner))
        return E_USAGE;
    struct subject_host *at = NULL;
    for (size_t i = 0; i < h->n_all_hosts && at == NULL; i++)
        if (slice_compare(h->all_hosts[i].owner, owner) == 0)
            at = &h->all_hosts[i];
    if (at == NULL)
        at = begin_host(h, owner);
    return at != NULL && add_host_hour(at, hour, a) ? E_OK : E_NOMEM;
}

int subject_give_record(struct subject *s, const char *owner_text, uint16_t type, struct slice rdata, uint32_t first_s)
{
    uint8_t key[NAME_KEY_MAX];
    struct slice owner;
    if (!key_of(owner_text, key, &owner))
        return E_USAGE;
    return add_record(history_of(s), owner, type, rdata, first_s) ? E_OK : E_NOMEM;
}
