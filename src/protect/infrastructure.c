#include "protect/infrastructure.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/hashset.h"
#include "knowledge/decision.h"
#include "record/rr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    STOP = 1,
    PUBLISHED_BYTES = 1 << 30,
    TARGETS_BYTES = 256 << 20,
    TARGET_MAX = 2 + NAME_WIRE_MAX,
};

struct search {
    const struct infrastructure_search *o;
    uint64_t since;      /* seconds: what was not seen any more by then does not count */
    struct hashset words; /* of what is said of names */
    struct hashset seen;  /* targets */
    struct buffer names;   /* of published: u8 trigger, u16 length, owner key */
    struct buffer targets; /* u16 length, u16 type, rdata */
    uint64_t skipped;
    struct fault *why;
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for looking at infrastructure");
}

/* ---- who is published ---- */

enum said { PUBLISHED_DOMAIN, PUBLISHED_HOST, ALLOWED_DOMAIN, ALLOWED_HOST };

/* Of the first bytes of an owner key, which are whole labels, and what is said of them. */
static uint64_t hash_name(const uint8_t *key, size_t len, enum said said)
{
    uint64_t hash = hash_mix(hash_stable(key, len) + said);
    return hash ? hash : 1;
}

static bool is_said(const struct search *s, struct slice owner, size_t len, enum said said)
{
    return hashset_has(&s->words, hash_name(owner.ptr, len, said));
}

static int take_published(void *ctx, const struct publication *p, struct fault *why)
{
    struct search *s = ctx;
    uint8_t key[NAME_KEY_MAX];
    if (p->trigger != TRIGGER_DOMAIN && p->trigger != TRIGGER_HOST)
        return E_OK;
    size_t len = knowledge_key(p->name, key);
    if (len == 0)
        return E_OK;
    buffer_u8(&s->names, (uint8_t)p->trigger);
    buffer_u8(&s->names, (uint8_t)len);
    buffer_u8(&s->names, (uint8_t)(len >> 8));
    buffer_append(&s->names, key, len);
    int added = hashset_add(&s->words, hash_name(key, len - 1, p->trigger == TRIGGER_HOST ? PUBLISHED_HOST : PUBLISHED_DOMAIN));
    return s->names.failed || added < 0 ? no_memory(why) : E_OK;
}

static int take_allowed(void *ctx, const struct decision *d, struct fault *why)
{
    struct search *s = ctx;
    uint8_t key[NAME_KEY_MAX];
    size_t len = knowledge_key(d->name, key);
    if (len == 0)
        return E_OK;
    return hashset_add(&s->words, hash_name(key, len - 1, d->scope == SCOPE_HOST ? ALLOWED_HOST : ALLOWED_DOMAIN)) < 0 ? no_memory(why) : E_OK;
}

/* What is nearest holds: the host's own, then of each domain above it; and of the same name an allow. */
static bool is_published(const struct search *s, struct slice owner)
{
    if (is_said(s, owner, owner.len - 1, ALLOWED_HOST))
        return false;
    bool found = is_said(s, owner, owner.len - 1, PUBLISHED_HOST);
    for (size_t len = owner.len - 1; !found && len > 0; len--) {
        if (owner.ptr[len - 1] == 0 && is_said(s, owner, len, ALLOWED_DOMAIN))
            return false;
        found = owner.ptr[len - 1] == 0 && is_said(s, owner, len, PUBLISHED_DOMAIN);
    }
    return found;
}

/* ---- what they point at ---- */

/* Addresses that belong to no one on the Internet (RFC 6890). */
static bool is_special(struct slice address)
{
    const uint8_t *a = address.ptr;
    if (address.len == 16)
        return (a[0] & 0xe0) != 0x20; /* 2000::/3 is what is given out */
    return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 || (a[0] == 100 && (a[1] & 0xc0) == 64) ||
           (a[0] == 169 && a[1] == 254) || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
           (a[0] == 192 && a[1] == 0 && a[2] == 0) || (a[0] == 198 && (a[1] & 0xfe) == 18);
}

static bool is_target(const struct rr_key *k)
{
    switch (k->type) {
    case TYPE_A: return k->rdata.len == 4 && !is_special(k->rdata);
    case TYPE_AAAA: return k->rdata.len == 16 && !is_special(k->rdata);
    case TYPE_NS: return k->rdata.len > 1 && k->rdata.len <= NAME_WIRE_MAX;
    default: return false;
    }
}

static int add_target(struct search *s, uint16_t type, struct slice rdata, struct fault *why)
{
    uint8_t target[TARGET_MAX];
    size_t len = 2 + rdata.len;
    put_be16(target, type);
    if (type == TYPE_NS)
        name_lower_copy(target + 2, rdata.ptr, rdata.len);
    else
        memcpy(target + 2, rdata.ptr, rdata.len);
    if (s->seen.count == INFRASTRUCTURE_TARGETS) {
        s->skipped++;
        return E_OK;
    }
    uint64_t hash = hash_stable(target, len);
    int added = hashset_add(&s->seen, hash ? hash : 1);
    if (added > 0) {
        buffer_u8(&s->targets, (uint8_t)len);
        buffer_u8(&s->targets, (uint8_t)(len >> 8));
        buffer_append(&s->targets, target, len);
    }
    return added < 0 || s->targets.failed ? no_memory(why) : E_OK;
}

static int take_known(void *ctx, const struct publication *p, struct fault *why)
{
    uint8_t bytes[NAME_WIRE_MAX];
    size_t len = p->trigger == TRIGGER_NAMESERVER ? name_from_text(p->name, strlen(p->name), bytes) : 0;
    if (len > 1)
        return add_target(ctx, TYPE_NS, (struct slice){ bytes, len }, why);
    if (inet_pton(AF_INET, p->name, bytes) == 1)
        return add_target(ctx, TYPE_A, (struct slice){ bytes, 4 }, why);
    if (inet_pton(AF_INET6, p->name, bytes) == 1)
        return add_target(ctx, TYPE_AAAA, (struct slice){ bytes, 16 }, why);
    return E_OK; /* a network, which is nobody's record */
}

static int take_record(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct search *s = ctx;
    struct rr_key k;
    struct rr_value v;
    if (!rr_key_get(key, &k) || !rr_value_get(value, &v))
        return fault_set(why, E_CORRUPT, "a record is not well formed; run dnsmon fsck");
    return is_target(&k) && v.last >= s->since ? add_target(s, k.type, k.rdata, why) : E_OK;
}

/* A host's own records, or those of a whole domain. */
static int look_at(struct search *s, enum trigger trigger, const uint8_t *key, size_t len)
{
    uint8_t end[NAME_KEY_MAX];
    size_t start_len = trigger == TRIGGER_HOST ? len : len - 1;
    memcpy(end, key, start_len);
    end[start_len - 1]++; /* it was a 00 */
    struct store_range range = { .kind = KIND_RR, .start = { key, start_len }, .end = { end, start_len } };
    return store_scan_each(s->o->store, &range, take_record, s, s->why);
}

static int is_stopped(const struct search *s)
{
    return s->o->stop != NULL && atomic_load(s->o->stop) ? STOP : E_OK;
}

static int look_at_all(struct search *s)
{
    int rc = E_OK;
    for (size_t at = 0; rc == 0 && at < s->names.len;) {
        const uint8_t *p = s->names.ptr + at;
        size_t len = get_le16(p + 1);
        rc = look_at(s, (enum trigger)p[0], p + 3, len);
        rc = rc ? rc : is_stopped(s);
        at += 3 + len;
    }
    return rc;
}

/* ---- who else points there ---- */

struct users {
    struct search *s;
    unsigned hosts, n_domains;
    uint64_t domains[INFRASTRUCTURE_DOMAINS];
    bool others; /* somebody who is not published, or too many to look at */
};

static void count_domain(struct users *u, struct slice owner)
{
    struct suffix_match m = suffix_find(u->s->o->suffixes, owner.ptr, owner.len);
    uint64_t hash = hash_stable(owner.ptr, m.registered ? m.registered : owner.len - 1);
    for (unsigned i = 0; i < u->n_domains; i++)
        if (u->domains[i] == hash)
            return;
    if (u->n_domains < INFRASTRUCTURE_DOMAINS)
        u->domains[u->n_domains++] = hash;
}

static int take_user(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct users *u = ctx;
    uint8_t rdata[RR_KEY_MAX];
    struct rr_key k;
    struct rr_value v;
    if (!rr_inverse_get(key, rdata, &k) || !rr_value_get(value, &v))
        return fault_set(why, E_CORRUPT, "an inverse record is not well formed; run dnsmon fsck");
    if (v.last < u->s->since)
        return E_OK;
    u->others = !is_published(u->s, k.owner) || ++u->hosts > INFRASTRUCTURE_HOSTS;
    count_domain(u, k.owner);
    return u->others ? STOP : E_OK;
}

/* Of a name server, those below it, too: its trigger has them. */
static int find_users(struct search *s, const uint8_t *target, size_t len, struct users *ret)
{
    uint8_t start[2 + NAME_WIRE_MAX + 2 * NAME_KEY_MAX], end[sizeof start];
    uint16_t type = get_be16(target);
    size_t n = 2 + rdata_searchable(type, 0, target + 2, len - 2, start + 2) - (type == TYPE_NS);
    *ret = (struct users){ .s = s };
    memcpy(start, target, 2);
    memcpy(end, start, n);
    size_t n_end = n;
    while (end[n_end - 1] == 0xff) /* ends before the type, which is not ffff */
        n_end--;
    end[n_end - 1]++;
    struct store_range range = { .kind = KIND_INVERSE, .start = { start, n }, .end = { end, n_end } };
    if (type != TYPE_NS)
        range.exact = range.start;
    int rc = store_scan_each(s->o->store, &range, take_user, ret, s->why);
    return rc < 0 ? rc : E_OK;
}

static const char *text_of(const uint8_t *target, size_t len, char text[NAME_TEXT_MAX])
{
    uint8_t key[NAME_KEY_MAX];
    if (get_be16(target) != TYPE_NS)
        return inet_ntop(len == 6 ? AF_INET : AF_INET6, target + 2, text, NAME_TEXT_MAX);
    size_t n = name_owner_key(target + 2, len - 2, key);
    return n != 0 && knowledge_name(key, n, text) != 0 ? text : NULL;
}

static int judge(struct search *s, const uint8_t *target, size_t len, infrastructure_sink sink, void *ctx)
{
    char text[NAME_TEXT_MAX];
    struct users users;
    int rc = find_users(s, target, len, &users);
    if (rc != 0 || users.others || users.n_domains < s->o->least)
        return rc;
    struct infrastructure i = { .trigger = get_be16(target) == TYPE_NS ? TRIGGER_NAMESERVER : TRIGGER_ADDRESS,
                                .text = text_of(target, len, text), .domains = users.n_domains, .hosts = users.hosts };
    return i.text != NULL ? sink(ctx, &i, s->why) : E_OK;
}

static int judge_all(struct search *s, infrastructure_sink sink, void *ctx)
{
    int rc = E_OK;
    for (size_t at = 0; rc == 0 && at < s->targets.len;) {
        size_t len = get_le16(s->targets.ptr + at);
        rc = judge(s, s->targets.ptr + at + 2, len, sink, ctx);
        rc = rc ? rc : is_stopped(s);
        at += 2 + len;
    }
    return rc;
}

/* Of what is known first: a limit must not take it out. */
static int find_all(struct search *s, infrastructure_sink sink, void *ctx)
{
    const struct infrastructure_search *o = s->o;
    int rc = publication_infrastructure(o->k, take_known, s, s->why);
    if (rc != 0 || (o->known && s->seen.count == 0))
        return rc;
    rc = publication_each(o->k, 1u << STAGE_PUBLISHED, take_published, s, s->why);
    if (rc == 0)
        rc = decision_each(o->k, DECISION_ALLOW, o->now, take_allowed, s, s->why);
    if (rc == 0 && !o->known)
        rc = look_at_all(s);
    return rc ? rc : judge_all(s, sink, ctx);
}

int infrastructure_find(const struct infrastructure_search *search, infrastructure_sink sink, void *ctx, uint64_t *ret_skipped,
                        struct fault *why)
{
    struct search s = { .o = search, .why = why };
    int64_t since = search->until - INFRASTRUCTURE_DAYS * INT64_C(86400);
    s.since = since > 0 ? (uint64_t)since : 0;
    buffer_init(&s.names, PUBLISHED_BYTES);
    buffer_init(&s.targets, TARGETS_BYTES);
    int rc = find_all(&s, sink, ctx);
    *ret_skipped = s.skipped;
    buffer_release(&s.names);
    buffer_release(&s.targets);
    hashset_release(&s.words);
    hashset_release(&s.seen);
    return rc;
}
