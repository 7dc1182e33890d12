/* A message is built front to back; names are compressed against the names already in it (RFC 1035, 4.1.4). What is
 * answered is a function of the zone, the host and the time alone: nothing is stored. */
#include "simulate/world.h"

#include "base/bytes.h"
#include "dns/decode.h"

#include <stdio.h>

enum { NAMES_KEPT = 12, NEGATIVE_TTL_S = 900, DIGITS = 32, FLUX_TURN_S = 180, CDN_TURN_S = 60 };

struct message {
    uint8_t *to;
    size_t len;
    struct kept {
        uint8_t wire[NAME_WIRE_MAX];
        uint8_t len;
        uint16_t at;
    } names[NAMES_KEPT];
    unsigned n_names;
    uint32_t age_s;
    uint32_t ttl_s;    /* smallest */
    uint16_t counts[3];
};

/* ---- names ---- */

static size_t put_text(uint8_t *wire, const char *text)
{
    size_t n = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, ".");
        wire[n++] = (uint8_t)len;
        memcpy(wire + n, text, len);
        n += len;
        text += len + (text[len] == '.');
    }
    return n;
}

static size_t put_hex(uint8_t *wire, uint64_t seed, unsigned digits)
{
    wire[0] = (uint8_t)digits;
    for (unsigned i = 0; i < digits; i++) {
        if (i % 16 == 0)
            seed = hash_mix(seed + i + 1);
        wire[1 + i] = (uint8_t)"0123456789abcdef"[seed >> i % 16 * 4 & 15];
    }
    return digits + 1;
}

static size_t put_data(uint8_t *wire, struct rng *r, unsigned len)
{
    wire[0] = (uint8_t)len;
    for (unsigned i = 0; i < len; i++)
        wire[1 + i] = (uint8_t)"abcdefghijklmnopqrstuvwxyz234567"[rng_below(r, 32)];
    return len + 1;
}

static size_t put_labels(const struct world *w, const struct target *t, uint8_t *wire)
{
    uint32_t low = (uint32_t)t->label, high = (uint32_t)(t->label >> 32);
    struct rng r = { t->label };
    char text[160], label[NAMING_LABEL_MAX + 1];
    size_t n;
    switch (t->style) {
    case LABEL_TEXT:
        return put_text(wire, w->texts[low]);
    case LABEL_NUMBERED:
        snprintf(text, sizeof text, "%s%u", w->texts[low], high);
        return put_text(wire, text);
    case LABEL_HEX:
        n = put_hex(wire, t->label, DIGITS);
        return n + put_hex(wire + n, t->label >> 8, 4);
    case LABEL_LETTERS:
        n = rng_range(&r, 7, 15);
        naming_random(&r, (char *)wire + 1, n, false);
        wire[0] = (uint8_t)n;
        return n + 1;
    case LABEL_WORDS:
        naming_label(&r, NAMING_ANY, text);
        return put_text(wire, text);
    case LABEL_ADDRESS:
        snprintf(text, sizeof text, "%u.%u.%u.%u", low & 255, low >> 8 & 255, low >> 16 & 255, low >> 24);
        return put_text(wire, text);
    case LABEL_REVERSE:
        snprintf(text, sizeof text, "%u.%u.%u", low & 255, low >> 8 & 255, low >> 16 & 255);
        return put_text(wire, text);
    case LABEL_DATA:
        n = put_data(wire, &r, 60);
        n += put_data(wire + n, &r, 60);
        return n + put_data(wire + n, &r, rng_range(&r, 20, 50));
    case LABEL_SHORT_DATA:
        return put_data(wire, &r, rng_range(&r, 20, 28));
    case LABEL_CUSTOMER:
        zones_label(&w->zones, high, label);
        snprintf(text, sizeof text, "%s%s", label, w->texts[low]);
        return put_text(wire, text);
    case LABEL_OTHER:
        n = high ? put_text(wire, w->texts[high - 1]) : 0;
        const struct zone *other = world_zone(w, low);
        const uint8_t *from = zones_wire(&w->zones, other);
        size_t last = 0;
        for (size_t at = 0; from[at] != 0; at += from[at] + 1u)
            last = at;
        memcpy(wire + n, from, last);
        return n + last;
    default:
        return 0;
    }
}

size_t target_wire(const struct world *w, const struct target *t, uint8_t wire[NAME_WIRE_MAX])
{
    const struct zone *zone = world_zone(w, t->zone);
    size_t n = put_labels(w, t, wire);
    memcpy(wire + n, zones_wire(&w->zones, zone), zone->wire_len);
    return n + zone->wire_len;
}

/* ---- writing ---- */

static void put16(struct message *m, uint16_t v)
{
    put_be16(m->to + m->len, v);
    m->len += 2;
}

static void put32(struct message *m, uint32_t v)
{
    put_be32(m->to + m->len, v);
    m->len += 4;
}

static void put_bytes(struct message *m, const void *bytes, size_t len)
{
    memcpy(m->to + m->len, bytes, len);
    m->len += len;
}

/* Where a name that ends like wire[at..len] already stands, or 0. */
static uint16_t known_tail(const struct message *m, const uint8_t *wire, size_t at, size_t len)
{
    for (unsigned i = 0; i < m->n_names; i++) {
        const struct kept *k = &m->names[i];
        size_t skip = k->len - (len - at);
        if (len - at > k->len || memcmp(k->wire + skip, wire + at, len - at) != 0)
            continue;
        size_t label = 0;
        while (label < skip)
            label += k->wire[label] + 1u;
        /* Beyond the part written out, a kept name is a pointer: its tail belongs to an earlier one. */
        if (label == skip)
            return (uint16_t)(k->at + skip);
    }
    return 0;
}

static void put_name(struct message *m, const uint8_t *wire, size_t len)
{
    size_t at = 0, start = m->len;
    uint16_t known = 0;
    for (; wire[at] != 0 && (known = known_tail(m, wire, at, len)) == 0; at += wire[at] + 1u)
        put_bytes(m, wire + at, wire[at] + 1u);
    if (known != 0)
        put16(m, 0xc000 | known);
    else
        put_bytes(m, "", 1);
    /* Only a name without a pointer serves for its tails; others would lead beyond what was written. */
    if (known == 0 && len > 1 && m->n_names < NAMES_KEPT) {
        struct kept *k = &m->names[m->n_names++];
        memcpy(k->wire, wire, len);
        k->len = (uint8_t)len;
        k->at = (uint16_t)start;
    }
}

/* Owner, type and TTL; returns where the rdata's length goes. */
static size_t begin_rr(struct message *m, enum dns_section section, const uint8_t *owner, size_t len, uint16_t type,
                       uint32_t ttl_s)
{
    uint32_t left = ttl_s > m->age_s ? ttl_s - m->age_s : 1;
    m->ttl_s = left < m->ttl_s ? left : m->ttl_s;
    m->counts[section]++;
    put_name(m, owner, len);
    put16(m, type);
    put16(m, CLASS_IN);
    put32(m, left);
    put16(m, 0);
    return m->len;
}

static void end_rr(struct message *m, size_t from)
{
    put_be16(m->to + from - 2, (uint16_t)(m->len - from));
}

static void begin(struct message *m, const struct world *w, const struct target *t, uint16_t qtype, uint16_t id, uint8_t *to)
{
    uint8_t wire[NAME_WIRE_MAX];
    m->to = to;
    m->len = m->n_names = 0;
    m->ttl_s = UINT32_MAX;
    memset(m->counts, 0, sizeof m->counts);
    put16(m, id);
    put16(m, DNS_RD);
    put16(m, 1);
    put16(m, 0);
    put32(m, 0);
    put_name(m, wire, target_wire(w, t, wire));
    put16(m, qtype);
    put16(m, CLASS_IN);
}

size_t question_write(const struct world *w, const struct target *t, uint16_t qtype, uint16_t id, uint8_t *to)
{
    struct message m;
    begin(&m, w, t, qtype, id, to);
    return m.len;
}

/* ---- addresses ---- */

enum { HOSTING_END = 56, CDN_END = 64 }; /* networks below: of hosting, then of CDNs, then of lines */

static void put_v4(struct message *m, const struct world *w, unsigned network, uint32_t host)
{
    const uint8_t *net = w->networks[network % NETWORKS];
    uint8_t a[4] = { net[0], net[1], (uint8_t)(host >> 8), (uint8_t)(host % 253 + 1) };
    put_bytes(m, a, 4);
}

static void put_v6(struct message *m, const struct world *w, unsigned network, uint64_t host)
{
    const uint8_t *net = w->networks[network % NETWORKS];
    uint8_t a[16] = { 0x2a, (uint8_t)(network % 16), net[0], net[1] };
    put_be64(a + 8, host & UINT64_C(0xffffffffffff));
    put_bytes(m, a, 16);
}

static void put_address(struct message *m, const struct world *w, const uint8_t *owner, size_t len, uint16_t type,
                        uint32_t ttl_s, unsigned network, uint64_t host)
{
    size_t from = begin_rr(m, SECTION_ANSWER, owner, len, type, ttl_s);
    if (type == TYPE_A)
        put_v4(m, w, network, (uint32_t)host);
    else
        put_v6(m, w, network, host);
    end_rr(m, from);
}

static unsigned zone_network(const struct zone *z, int64_t now_s)
{
    return now_s >= z->moved_s ? z->hosting_later : z->hosting;
}

/* Where a host of a zone stands. Small sites share their machines with others. */
static uint64_t host_number(const struct zone *z, uint32_t zone, const struct target *t)
{
    if (z->flags & ZONE_SHARED_HOST)
        return hash_mix(zone % 61 + z->hosting * 64u);
    bool one_machine = t->style == LABEL_NONE || z->kind == ZONE_CAMPAIGN;
    return hash_mix(zone * UINT64_C(2654435761) + (one_machine ? 0 : t->label % 4));
}

/* ---- answers by plan ---- */

static void put_soa(struct message *m, const uint8_t *owner, size_t len, const uint8_t *primary, size_t primary_len)
{
    static const uint8_t mail[] = "\12hostmaster";
    uint8_t name[NAME_WIRE_MAX + 16];
    size_t from = begin_rr(m, SECTION_AUTHORITY, owner, len, TYPE_SOA, NEGATIVE_TTL_S);
    put_name(m, primary, primary_len);
    memcpy(name, mail, 11);
    memcpy(name + 11, owner, len);
    put_name(m, name, len + 11);
    put32(m, 2024010100u + (uint32_t)(hash_stable(owner, len) % 9000));
    put32(m, 7200);
    put32(m, 900);
    put32(m, 1209600);
    put32(m, NEGATIVE_TTL_S);
    end_rr(m, from);
}

/* Name server i of a zone. */
static size_t name_server(const struct world *w, const struct zone *z, unsigned i, uint8_t *wire)
{
    const uint32_t at = z->anchor ? z->anchor : z->flags & ZONE_OWN_NS ? (uint32_t)(z - w->zones.all) : w->dns[z->dns % DNS_COMPANIES];
    const struct zone *home = world_zone(w, at);
    wire[0] = 3;
    wire[1] = 'n';
    wire[2] = 's';
    wire[3] = (uint8_t)('1' + i);
    memcpy(wire + 4, zones_wire(&w->zones, home), home->wire_len);
    return home->wire_len + 4u;
}

static void zone_soa(struct message *m, const struct world *w, const struct zone *z)
{
    uint8_t primary[NAME_WIRE_MAX + 4];
    size_t len = name_server(w, z, 0, primary);
    put_soa(m, zones_wire(&w->zones, z), z->wire_len, primary, len);
}

/* The registry says that there is no such domain. */
static void suffix_soa(struct message *m, const struct world *w, const struct zone *z)
{
    static const uint8_t root_server[] = "\1a\14root-servers\3net";
    uint8_t primary[NAME_WIRE_MAX + 8];
    const uint8_t *suffix = zones_wire(&w->zones, z) + z->wire_len - z->suffix_len;
    if (z->suffix_len <= 1) {
        put_soa(m, (const uint8_t *)"", 1, root_server, sizeof root_server);
        return;
    }
    memcpy(primary, "\1a\3nic", 6);
    memcpy(primary + 6, suffix, z->suffix_len);
    put_soa(m, suffix, z->suffix_len, primary, z->suffix_len + 6u);
}

static void put_ns(struct message *m, const struct world *w, const struct zone *z, enum dns_section section)
{
    uint8_t server[NAME_WIRE_MAX + 4];
    for (unsigned i = 0; i < 2; i++) {
        size_t from = begin_rr(m, section, zones_wire(&w->zones, z), z->wire_len, TYPE_NS, 86400);
        size_t len = name_server(w, z, i, server);
        put_name(m, server, len);
        end_rr(m, from);
    }
}

static size_t put_cname(struct message *m, const uint8_t *owner, size_t owner_len, const struct world *w, struct target to,
                        uint32_t ttl_s, uint8_t *wire)
{
    uint8_t target[NAME_WIRE_MAX];
    size_t len = target_wire(w, &to, target);
    size_t from = begin_rr(m, SECTION_ANSWER, owner, owner_len, TYPE_CNAME, ttl_s);
    put_name(m, target, len);
    end_rr(m, from);
    memcpy(wire, target, len);
    return len;
}

static bool is_address(uint16_t qtype)
{
    return qtype == TYPE_A || qtype == TYPE_AAAA;
}

/* Several addresses that change every `turn_s`. */
static void put_changing(struct message *m, const struct world *w, const uint8_t *owner, size_t len, uint16_t type,
                         uint32_t ttl_s, unsigned n, uint64_t seed, int64_t turn, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t h = hash_mix(seed * 31 + (uint64_t)turn * 7 + i);
        put_address(m, w, owner, len, type, ttl_s, first + (unsigned)(h >> 32) % count, h);
    }
}

/* The addresses of a CDN's edge: its own network, a few of some hundred machines, by turns. */
static void put_edge(struct message *m, const struct world *w, const uint8_t *owner, size_t len, uint16_t type, unsigned cdn,
                     uint64_t host, int64_t now_s)
{
    for (unsigned i = 0; i < 2; i++)
        put_address(m, w, owner, len, type, 60, HOSTING_END + cdn % (CDN_END - HOSTING_END),
                    hash_mix(hash_mix(host % 97) + (uint64_t)(now_s / (CDN_TURN_S * 60)) % 4) + i);
}

/* Data that is not of a host: mail servers, policies, name servers. False: there is none. */
static bool put_other_data(struct message *m, const struct world *w, const struct zone *z, const struct target *t,
                           const uint8_t *owner, size_t len, uint16_t qtype)
{
    uint8_t name[NAME_WIRE_MAX + 8];
    char text[160];
    if (qtype == TYPE_TXT && t->style != LABEL_NONE) {
        size_t from = begin_rr(m, SECTION_ANSWER, owner, len, TYPE_TXT, z->ttl_s);
        struct rng r = { t->label + t->zone };
        uint8_t data[200];
        put_data(data, &r, 180);
        put_bytes(m, data, 181);
        end_rr(m, from);
        return true;
    }
    if (t->style != LABEL_NONE)
        return false;
    if (qtype == TYPE_MX || qtype == TYPE_TXT) {
        const struct provider *mail = &w->providers[z->dns % 3];
        size_t from = begin_rr(m, SECTION_ANSWER, owner, len, qtype, z->ttl_s);
        const struct zone *at = world_zone(w, z->flags & ZONE_SHARED_HOST ? mail->zone : t->zone);
        if (qtype == TYPE_MX) {
            memcpy(name, "\3mx1", 4);
            memcpy(name + 4, zones_wire(&w->zones, at), at->wire_len);
            put16(m, 10);
            put_name(m, name, at->wire_len + 4u);
        } else {
            char spf[NAME_TEXT_MAX];
            name_to_text(zones_wire(&w->zones, world_zone(w, mail->zone)), world_zone(w, mail->zone)->wire_len, spf);
            int n = snprintf(text, sizeof text, "v=spf1 include:_spf.%.*s ~all", (int)strlen(spf) - 1, spf);
            uint8_t size = (uint8_t)n;
            put_bytes(m, &size, 1);
            put_bytes(m, text, size);
        }
        end_rr(m, from);
        return true;
    }
    if (qtype == TYPE_NS) {
        put_ns(m, w, z, SECTION_ANSWER);
        return true;
    }
    return false;
}

/* A customer's host at a software service: by CNAME, the same label for all its customers. */
static const struct provider *provider_of(const struct world *w, const struct target *t)
{
    if (t->style != LABEL_TEXT && t->style != LABEL_NUMBERED)
        return NULL;
    for (unsigned i = 0; i < PROVIDERS; i++)
        if (w->providers[i].text != 0 && w->providers[i].text == (uint32_t)t->label)
            return &w->providers[i];
    return NULL;
}

static void answer_site(struct message *m, const struct world *w, const struct target *t, uint16_t qtype, int64_t now_s)
{
    const struct zone *z = world_zone(w, t->zone);
    const struct provider *provider = provider_of(w, t);
    uint8_t owner[NAME_WIRE_MAX];
    size_t len = target_wire(w, t, owner);
    unsigned network = t->flags & TARGET_AWAY ? z->hosting_later : zone_network(z, now_s);
    uint64_t host = t->flags & TARGET_AWAY ? z->away : host_number(z, t->zone, t);
    if (provider != NULL && z->kind != ZONE_SAAS) {
        struct target to = target_of(provider->zone, LABEL_CUSTOMER, (uint64_t)t->zone << 32 | w->text_none);
        len = put_cname(m, owner, len, w, to, z->ttl_s, owner);
        network = world_zone(w, provider->zone)->hosting;
        host = hash_mix(provider->zone + t->zone % 7);
        if (qtype == TYPE_TXT)
            qtype = TYPE_A;
    } else if (z->cdn != 0 && t->style != LABEL_NONE && (is_address(qtype) || qtype == TYPE_HTTPS)) {
        unsigned cdn = z->cdn - 1u;
        struct target to = target_of(w->cdns[cdn], LABEL_NUMBERED, (uint64_t)(t->zone * 4 + t->label % 4) << 32 | w->text_edge);
        len = put_cname(m, owner, len, w, to, z->ttl_s, owner);
        if (cdn % 2 == 0) {
            to.label = (uint64_t)(t->zone % 97) << 32 | w->text_far_edge;
            len = put_cname(m, owner, len, w, to, 300, owner);
        }
        if (is_address(qtype))
            put_edge(m, w, owner, len, qtype, cdn, host, now_s);
        else
            zone_soa(m, w, world_zone(w, w->cdns[cdn]));
        return;
    }
    if (qtype == TYPE_A || (qtype == TYPE_AAAA && z->flags & ZONE_V6)) {
        put_address(m, w, owner, len, qtype, z->ttl_s, network, host);
        if (!(z->flags & ZONE_SHARED_HOST) && t->zone % 5 == 0)
            put_address(m, w, owner, len, qtype, z->ttl_s, network, host + 1);
        return;
    }
    if (qtype == TYPE_HTTPS && z->flags & ZONE_HTTPS) {
        static const uint8_t data[] = { 0, 1, 0, 0, 1, 0, 6, 2, 'h', '3', 2, 'h', '2' };
        size_t from = begin_rr(m, SECTION_ANSWER, owner, len, TYPE_HTTPS, z->ttl_s);
        put_bytes(m, data, sizeof data);
        end_rr(m, from);
        return;
    }
    if (!put_other_data(m, w, z, t, owner, len, qtype))
        zone_soa(m, w, z);
}

static void put_loopback(struct message *m, const uint8_t *owner, size_t len, uint32_t ttl_s, uint8_t last)
{
    uint8_t a[4] = { 127, 0, 0, last };
    size_t from = begin_rr(m, SECTION_ANSWER, owner, len, TYPE_A, ttl_s);
    put_bytes(m, a, 4);
    end_rr(m, from);
}

static void answer_tunnel(struct message *m, const uint8_t *owner, size_t len, uint16_t qtype, struct rng r)
{
    uint8_t data[256];
    size_t from = begin_rr(m, SECTION_ANSWER, owner, len, qtype, 0);
    unsigned n = rng_range(&r, 60, 200);
    put_data(data, &r, n);
    put_bytes(m, data, n + 1);
    end_rr(m, from);
}

static bool answer_reverse(struct message *m, const struct world *w, const struct target *t, const uint8_t *owner, size_t len)
{
    uint64_t h = hash_mix(t->label + t->zone);
    if (h % 100 < 45)
        return false;
    const struct zone *home = world_zone(w, w->dns[h % DNS_COMPANIES]);
    uint8_t name[NAME_WIRE_MAX], host[NAME_WIRE_MAX];
    size_t n = put_hex(host, h, 8);
    memcpy(name, host, n);
    memcpy(name + n, zones_wire(&w->zones, home), home->wire_len);
    size_t from = begin_rr(m, SECTION_ANSWER, owner, len, TYPE_PTR, 43200);
    put_name(m, name, n + home->wire_len);
    end_rr(m, from);
    return true;
}

/* The answer of an existing zone; the code. */
static uint8_t answer_by_plan(struct message *m, const struct world *w, const struct target *t, uint16_t qtype, int64_t now_s)
{
    const struct zone *z = world_zone(w, t->zone);
    uint8_t owner[NAME_WIRE_MAX];
    size_t len = target_wire(w, t, owner);
    uint64_t h = hash_mix(t->label + t->zone);
    bool v4 = qtype == TYPE_A, v6 = qtype == TYPE_AAAA && z->flags & ZONE_V6;
    switch (z->plan) {
    case PLAN_LAME:
        return RCODE_SERVFAIL;
    case PLAN_CDN:
        if (v4 || v6)
            put_changing(m, w, owner, len, qtype, z->ttl_s, 4, t->zone, now_s / FLUX_TURN_S, z->hosting, 3);
        break;
    case PLAN_FLUX:
        if (v4)
            put_changing(m, w, owner, len, qtype, z->ttl_s, 5, t->zone, now_s / FLUX_TURN_S, CDN_END, NETWORKS - CDN_END);
        break;
    case PLAN_POOL:
        if (v4 || v6)
            put_changing(m, w, owner, len, qtype, z->ttl_s, 4, t->zone, now_s / z->ttl_s, 0, NETWORKS);
        break;
    case PLAN_LISTING:
        if (h % 100 >= 15) {
            zone_soa(m, w, z);
            return RCODE_NXDOMAIN;
        }
        if (v4)
            put_loopback(m, owner, len, z->ttl_s, (uint8_t)(2 + h / 100 % 10));
        break;
    case PLAN_VERDICT:
        if (v4)
            put_loopback(m, owner, len, z->ttl_s, (uint8_t)(h % 100 < 97 ? 0 : 1));
        break;
    case PLAN_TUNNEL:
        if (qtype == TYPE_TXT || qtype == TYPE_NULL)
            answer_tunnel(m, owner, len, qtype, (struct rng){ h });
        else if (v4)
            put_address(m, w, owner, len, TYPE_A, z->ttl_s, z->hosting, h);
        break;
    case PLAN_REVERSE:
        if (!answer_reverse(m, w, t, owner, len)) {
            zone_soa(m, w, z);
            return RCODE_NXDOMAIN;
        }
        break;
    default:
        answer_site(m, w, t, qtype, now_s);
        return RCODE_NOERROR;
    }
    if (m->counts[SECTION_ANSWER] == 0)
        zone_soa(m, w, z);
    return RCODE_NOERROR;
}

void answer_write(struct world *w, const struct target *t, uint16_t qtype, uint16_t id, int64_t now_s, uint32_t age_s,
                  struct answer *ret, uint8_t *to)
{
    const struct zone *z = world_zone(w, t->zone);
    struct message m;
    begin(&m, w, t, qtype, id, to);
    m.age_s = age_s;
    uint8_t rcode;
    if (z->plan == PLAN_ROOT || now_s < z->registered_s || now_s >= z->expires_s) {
        suffix_soa(&m, w, z);
        rcode = RCODE_NXDOMAIN;
    } else if (hash_mix((uint64_t)now_s * 131071 + t->zone) % 300 == 0) {
        rcode = RCODE_SERVFAIL; /* now and then something fails */
    } else if (t->flags & TARGET_ABSENT) {
        zone_soa(&m, w, z);
        rcode = RCODE_NXDOMAIN;
    } else {
        rcode = answer_by_plan(&m, w, t, qtype, now_s);
        /* Some resolvers add who is responsible. */
        if (rcode == RCODE_NOERROR && m.counts[SECTION_ANSWER] != 0 && hash_mix(t->zone) % 6 == 0)
            put_ns(&m, w, z, SECTION_AUTHORITY);
    }
    put_be16(to + 2, DNS_QR | DNS_RD | DNS_RA | rcode);
    for (unsigned i = 0; i < 3; i++)
        put_be16(to + 6 + 2 * i, m.counts[i]);
    *ret = (struct answer){ .len = m.len, .rcode = rcode, .ttl_s = m.ttl_s == UINT32_MAX ? 0 : m.ttl_s };
}
