#include "observe/sight.h"

#include "base/hash.h"
#include "observe/observation.h"
#include "record/rr.h"

enum { CHAIN_MAX = 16 };

/* The names a response is about: qname and what its aliases lead to. */
struct chain {
    struct slice names[CHAIN_MAX];
    uint8_t targets[CHAIN_MAX][NAME_KEY_MAX];
    unsigned n;
};

/* Prefixes of owner keys (without the final 00) below which all is inside. */
struct bailiwick {
    bool zones_alone; /* else the names of the chain are inside too */
    struct slice zones[CHAIN_MAX];
    unsigned n_zones;
};

struct sight {
    struct dns_decoder *d;
    const struct message *message;
    struct buffer *shards;
    struct chain chain;
    struct bailiwick bailiwick;
    bool upstream;
    bool mdns;
    uint8_t flags; /* of every observation */
    uint32_t ts_s;
    /* the owner last written, so that its neighbours leave it out */
    const uint8_t *last_owner;
    unsigned last_shard;
    uint64_t last_hash;
};

unsigned sight_shard(const uint8_t *key, size_t len)
{
    size_t n = name_key_prefix(key, len, 2);
    return (unsigned)(hash_stable(key, n) >> (64 - SHARD_BITS));
}

bool sight_is_upstream(const struct message *message, uint16_t dns_flags)
{
    switch (message->vantage) {
    case VANTAGE_CLIENT:
        return false;
    case VANTAGE_UPSTREAM:
    case VANTAGE_AUTHORITATIVE:
        return true;
    default:
        return message->known & KNOWN_HEADER && !(dns_flags & DNS_RD);
    }
}

/* Is `name` at or below `zone` (a key without its final 00)? */
static bool is_within(struct slice name, struct slice zone)
{
    return name.len > zone.len && short_equal(name.ptr, zone.ptr, zone.len);
}

static bool is_at_or_above(const struct dns_rr *rr, struct slice name)
{
    return is_within(name, (struct slice){ rr->owner, rr->owner_len - 1u });
}

static bool in_chain(const struct chain *chain, const uint8_t *owner, size_t len)
{
    for (unsigned i = 0; i < chain->n; i++) {
        struct slice name = chain->names[i];
        if (name.ptr == owner || (name.len == len && short_equal(name.ptr, owner, len)))
            return true;
    }
    return false;
}

/* qname, then each alias whose owner is already in the chain. Answers come in order from any
 * server that means well (RFC 1034, 4.3.2); others lose the tail of their chain. */
static void follow_chain(struct sight *s)
{
    struct chain *chain = &s->chain;
    const struct dns_decoder *d = s->d;
    chain->n = 1;
    chain->names[0] = (struct slice){ d->qname, d->qname_len };
    for (unsigned i = 0; i < d->n_rrs && d->rrs[i].section == SECTION_ANSWER; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        if (rr->type != TYPE_CNAME || chain->n == CHAIN_MAX || !in_chain(chain, rr->owner, rr->owner_len))
            continue;
        struct slice rdata = dns_rr_rdata(d, rr);
        uint8_t *key = chain->targets[chain->n];
        size_t len = name_owner_key(rdata.ptr, rdata.len, key);
        if (len && !in_chain(chain, key, len))
            chain->names[chain->n++] = (struct slice){ key, len };
    }
}

static struct slice parent_zone(struct slice zone)
{
    unsigned labels = name_key_labels(zone.ptr, zone.len);
    return (struct slice){ zone.ptr, labels > 1 ? name_key_prefix(zone.ptr, zone.len, labels - 1) : 0 };
}

static struct slice zone_of_server(const struct sight *s, const struct suffix_list *suffixes)
{
    const struct dns_decoder *d = s->d;
    struct slice qname = s->chain.names[0];
    for (unsigned i = 0; i < d->n_rrs; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        if (rr->section != SECTION_AUTHORITY || (rr->type != TYPE_SOA && rr->type != TYPE_NS) || !is_at_or_above(rr, qname))
            continue;
        struct slice zone = { rr->owner, rr->owner_len - 1u };
        bool referral = rr->type == TYPE_NS && !(d->flags & DNS_AA);
        return referral ? parent_zone(zone) : zone;
    }
    struct suffix_match match = suffix_find(suffixes, qname.ptr, qname.len);
    return (struct slice){ qname.ptr, match.registered ? match.registered : match.suffix };
}

/* local. and the reverse names of 169.254.0.0/16 and fe80::/10 (RFC 6762, sections 3 and 4). */
static void find_link_local(struct bailiwick *b)
{
#define ZONE(key) { (const uint8_t *)(key), sizeof(key) - 1 }
    static const struct slice zones[] = {
        ZONE("local\0"), ZONE("arpa\0in-addr\0" "169\0" "254\0"),
        ZONE("arpa\0ip6\0f\0e\0" "8\0"), ZONE("arpa\0ip6\0f\0e\0" "9\0"),
        ZONE("arpa\0ip6\0f\0e\0" "a\0"), ZONE("arpa\0ip6\0f\0e\0" "b\0"),
    };
#undef ZONE
    b->zones_alone = true;
    b->n_zones = sizeof zones / sizeof zones[0];
    memcpy(b->zones, zones, sizeof zones);
}

static void find_bailiwick(struct sight *s, const struct suffix_list *suffixes)
{
    struct bailiwick *b = &s->bailiwick;
    const struct dns_decoder *d = s->d;
    b->zones_alone = s->upstream;
    b->n_zones = 0;
    if (s->upstream) {
        b->zones[b->n_zones++] = zone_of_server(s, suffixes);
        return;
    }
    for (unsigned i = 0; i < d->n_rrs && b->n_zones < CHAIN_MAX; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        if (rr->section != SECTION_AUTHORITY || (rr->type != TYPE_SOA && rr->type != TYPE_NS))
            continue;
        for (unsigned k = 0; k < s->chain.n; k++) {
            if (is_at_or_above(rr, s->chain.names[k])) {
                b->zones[b->n_zones++] = (struct slice){ rr->owner, rr->owner_len - 1u };
                break;
            }
        }
    }
}

static bool is_inside(const struct sight *s, const struct dns_rr *rr)
{
    const struct bailiwick *b = &s->bailiwick;
    if (!b->zones_alone && rr->section == SECTION_ANSWER) {
        if (in_chain(&s->chain, rr->owner, rr->owner_len))
            return true;
        for (unsigned k = 0; rr->type == TYPE_DNAME && k < s->chain.n; k++)
            if (is_at_or_above(rr, s->chain.names[k]))
                return true;
        return false;
    }
    for (unsigned i = 0; i < b->n_zones; i++)
        if (is_within((struct slice){ rr->owner, rr->owner_len }, b->zones[i]))
            return true;
    return false;
}

/* What is said about an owner, but for what all observations of a message share. */
struct saying {
    struct slice rdata;
    uint32_t ttl;
    uint16_t type;
    uint8_t about;
    uint8_t flags;
};

static void look_at_owner(struct sight *s, const uint8_t *owner, size_t owner_len)
{
    s->last_shard = sight_shard(owner, owner_len);
    s->last_hash = hash_memory(owner, owner_len, hash_secret());
    s->last_owner = owner;
}

/* Written field by field where it stays: copying it from elsewhere would wait for the stores. */
static inline int put(struct sight *s, const uint8_t *owner, size_t owner_len, struct saying what)
{
    bool same = owner == s->last_owner;
    if (!same)
        look_at_owner(s, owner, owner_len);
    size_t told = same ? 0 : owner_len, size = observation_bytes(told, what.rdata.len);
    struct buffer *b = &s->shards[s->last_shard];
    struct observation *o = (void *)buffer_reserve(b, size);
    if (o == NULL)
        return E_NOMEM;
    o->owner_hash = s->last_hash;
    o->ts_s = s->ts_s;
    o->ttl = what.ttl;
    o->type = what.type;
    o->owner_len = (uint16_t)told;
    o->rdata_len = (uint16_t)what.rdata.len;
    o->about = what.about;
    o->flags = what.flags | s->flags;
    o->upstream = s->upstream;
    o->sensor = s->message->sensor;
    uint8_t *to = (uint8_t *)(o + 1);
    short_copy(to, owner, told);
    short_copy(to + told, what.rdata.ptr, what.rdata.len);
    b->len += size;
    return E_OK;
}

/* RFC 2181, 8: the top bit set means 0. */
static uint32_t ttl_of(const struct sight *s, const struct dns_rr *rr)
{
    return s->message->known & KNOWN_TTL && !(rr->ttl >> 31) ? rr->ttl : 0;
}

static int put_record(struct sight *s, const struct dns_rr *rr)
{
    struct saying what = {
        .rdata = dns_rr_rdata(s->d, rr),
        .ttl = ttl_of(s, rr),
        .type = rr->type,
        .about = is_inside(s, rr) ? 0 : RR_OUT_OF_BAILIWICK,
        .flags = (uint8_t)(RR_ANSWER << rr->section),
    };
    return put(s, rr->owner, rr->owner_len, what);
}

static bool is_data(const struct sight *s, const struct dns_rr *rr)
{
    if (s->mdns && rr->type == TYPE_NSEC)
        return false;
    return message_class(s->message, rr->class) == CLASS_IN && rr->type != TYPE_OPT && rr->type != TYPE_TSIG &&
           rr->type != 0;
}

/* The rcode with its upper bits, which are in OPT (RFC 6891, 6.1.3), or RCODE_UNKNOWN. */
enum { RCODE_UNKNOWN = -1 };

static int rcode_of(const struct sight *s)
{
    const struct dns_decoder *d = s->d;
    if (!(s->message->known & KNOWN_RCODE))
        return RCODE_UNKNOWN;
    int rcode = d->flags & DNS_RCODE;
    for (unsigned i = d->n_rrs; i-- > 0 && d->rrs[i].section == SECTION_ADDITIONAL;)
        if (d->rrs[i].type == TYPE_OPT)
            return rcode | (int)(d->rrs[i].ttl >> 24) << 4;
    return rcode;
}

/* When the type asked for is not known, any data that is no alias. */
static bool has_final_answer(const struct sight *s)
{
    const struct dns_decoder *d = s->d;
    for (unsigned i = 0; i < d->n_rrs && d->rrs[i].section == SECTION_ANSWER; i++) {
        uint16_t type = d->rrs[i].type;
        if (type == d->qtype || d->qtype == TYPE_ANY || (d->qtype == 0 && type != TYPE_CNAME && type != TYPE_DNAME))
            return true;
    }
    return false;
}

static bool is_referral(const struct dns_decoder *d)
{
    bool ns = false;
    for (unsigned i = 0; i < d->n_rrs; i++) {
        if (d->rrs[i].section != SECTION_AUTHORITY)
            continue;
        if (d->rrs[i].type == TYPE_SOA)
            return false;
        ns |= d->rrs[i].type == TYPE_NS;
    }
    return ns && !(d->flags & DNS_AA);
}

static bool is_cut(const struct sight *s)
{
    return s->d->flags & DNS_TC || s->message->truncated;
}

/* Of NOERROR. */
static bool is_nodata(const struct sight *s)
{
    return !is_cut(s) && s->d->qtype != 0 && !has_final_answer(s) && !is_referral(s->d);
}

/* What a log says of the authority section is not all of it: a record it cannot write is left out. */
static bool has_whole_authority(const struct sight *s)
{
    enum { WHOLE = KNOWN_SECTIONS | KNOWN_SIZE };
    return (s->message->known & WHOLE) == WHOLE && !is_cut(s);
}

/* Of NXDOMAIN. */
static enum activity_counter missing_what(const struct sight *s, const struct suffix_list *suffixes)
{
    const struct dns_decoder *d = s->d;
    struct slice qname = s->chain.names[0];
    if (s->chain.n > 1)
        return ACTIVITY_NX_HOST;
    for (unsigned i = 0; i < d->n_rrs; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        if (rr->section == SECTION_AUTHORITY && rr->type == TYPE_SOA && is_at_or_above(rr, qname))
            return suffix_find(suffixes, rr->owner, rr->owner_len).registered ? ACTIVITY_NX_HOST : ACTIVITY_NX_DOMAIN;
    }
    size_t registered = suffix_find(suffixes, qname.ptr, qname.len).registered;
    if (registered == 0 || registered + 1 == qname.len)
        return ACTIVITY_NX_DOMAIN;
    return has_whole_authority(s) ? ACTIVITY_NX_HOST : ACTIVITY_COUNTERS;
}

static enum activity_counter outcome_of(const struct sight *s, int rcode, const struct suffix_list *suffixes)
{
    switch (rcode) {
    case RCODE_UNKNOWN:
        return ACTIVITY_COUNTERS;
    case RCODE_NOERROR:
        return has_final_answer(s) ? ACTIVITY_NOERROR : is_nodata(s) ? ACTIVITY_NODATA : ACTIVITY_COUNTERS;
    case RCODE_NXDOMAIN:
        return missing_what(s, suffixes);
    case RCODE_SERVFAIL:
        return ACTIVITY_SERVFAIL;
    case RCODE_REFUSED:
        return ACTIVITY_REFUSED;
    default:
        return ACTIVITY_OTHER_RCODE;
    }
}

/* Of an answer with data. */
static uint32_t answer_ttl(const struct sight *s)
{
    const struct dns_decoder *d = s->d;
    for (unsigned i = 0; i < d->n_rrs && d->rrs[i].section == SECTION_ANSWER; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        if (rr->owner == d->qname || (rr->owner_len == d->qname_len && short_equal(rr->owner, d->qname, d->qname_len)))
            return ttl_of(s, rr);
    }
    return 0;
}

static int put_negative(struct sight *s, int rcode, enum activity_counter outcome)
{
    struct slice last = s->chain.names[s->chain.n - 1];
    if (is_cut(s) || (s->upstream && !is_within(last, s->bailiwick.zones[0])))
        return E_OK;
    struct saying what = { .flags = RR_ANSWER };
    if (rcode == RCODE_NXDOMAIN) {
        what.about = RR_NXDOMAIN;
    } else if (outcome == ACTIVITY_NODATA) {
        what.about = RR_NODATA;
        what.type = s->d->qtype;
    } else {
        return E_OK;
    }
    return put(s, last.ptr, last.len, what);
}

static bool leads_to_garden(const struct sight *s, const struct policy *policy)
{
    const struct dns_decoder *d = s->d;
    for (unsigned i = 0; i < d->n_rrs && d->rrs[i].section == SECTION_ANSWER; i++) {
        bool address = d->rrs[i].type == TYPE_A || d->rrs[i].type == TYPE_AAAA;
        if (address && policy_has_address(policy, dns_rr_rdata(d, &d->rrs[i])))
            return true;
    }
    return false;
}

static bool is_enforced(const struct sight *s, const struct policy *policy, int rcode, enum activity_counter outcome)
{
    bool denies = rcode == RCODE_NXDOMAIN || outcome == ACTIVITY_NODATA;
    return !s->mdns && !s->upstream && (denies || leads_to_garden(s, policy)) && policy_has_name(policy, s->chain.names[0]);
}

int sight_response(struct dns_decoder *d, const struct message *message, bool paired,
                   const struct sight_rules *rules, struct buffer shards[SHARDS], uint64_t *ret_records,
                   struct sight_answer *ret_answer)
{
    struct sight s;
    s.d = d;
    s.message = message;
    s.shards = shards;
    s.upstream = sight_is_upstream(message, d->flags);
    s.flags = paired ? RR_PAIRED : RR_UNPAIRED;
    if (!(message->known & KNOWN_TYPES))
        s.flags |= RR_TYPE_INFERRED;
    s.ts_s = (uint32_t)(message->ts_ns / 1000000000);
    s.last_owner = NULL;
    s.mdns = message_is_mdns(message);
    if (s.mdns) {
        find_link_local(&s.bailiwick);
    } else {
        follow_chain(&s);
        find_bailiwick(&s, rules->suffixes);
    }
    int rcode = s.mdns ? RCODE_UNKNOWN : rcode_of(&s); /* in multicast it means nothing (RFC 6762, 18.11) */
    enum activity_counter outcome = outcome_of(&s, rcode, rules->suffixes);
    if (rules->policy != NULL && is_enforced(&s, rules->policy, rcode, outcome)) {
        *ret_answer = (struct sight_answer){ .outcome = ACTIVITY_POLICY };
        return E_OK;
    }
    for (unsigned i = 0; i < d->n_rrs; i++) {
        if (!is_data(&s, &d->rrs[i]))
            continue;
        int err = put_record(&s, &d->rrs[i]);
        if (err)
            return err;
        ++*ret_records;
    }
    int err = s.mdns ? E_OK : put_negative(&s, rcode, outcome);
    if (err == E_OK)
        *ret_answer = (struct sight_answer){ outcome, outcome == ACTIVITY_NOERROR ? answer_ttl(&s) : 0 };
    return err;
}

struct asked *sight_asked(struct slice owner, uint32_t ts_s, struct buffer shards[SHARDS])
{
    struct buffer *b = &shards[sight_shard(owner.ptr, owner.len)];
    size_t size = observation_bytes(owner.len, sizeof(struct asked));
    struct observation *o = (void *)buffer_reserve(b, size);
    if (o == NULL)
        return NULL;
    o->owner_hash = hash_memory(owner.ptr, owner.len, hash_secret());
    o->ts_s = ts_s;
    o->owner_len = (uint16_t)owner.len;
    o->rdata_len = sizeof(struct asked);
    o->about = OBSERVATION_ASKED;
    struct asked *asked = (void *)(o + 1);
    asked->second = (uint16_t)(ts_s % ACTIVITY_HOUR_S);
    short_copy((uint8_t *)(asked + 1), owner.ptr, owner.len);
    b->len += size;
    return asked;
}
