#include "protect/rpz/responder.h"

#include "protect/rpz/tail.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { UDP_ROOM_MAX = 1232, WHY_TEXT_MAX = 1536 };

struct access {
    struct network network;
    const struct tsig_key *key;
};

struct view {
    struct zone *zone;
    struct access access[RESPONDER_ACCESS_MAX];
    unsigned n_access;
};

struct responder {
    struct responder_options options;
    struct tsig_key keys[RESPONDER_KEYS_MAX];
    unsigned n_keys;
    struct view *views[RESPONDER_VIEWS_MAX];
    unsigned n_views;
    struct refusals refusals;
    uint64_t requests;
};

/* Set up */

int responder_create(struct responder **ret, const struct responder_options *options, struct fault *why)
{
    struct responder *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault_set(why, E_NOMEM, "responder: out of memory");
    r->options = *options;
    *ret = r;
    return 0;
}

void responder_destroy(struct responder **responder)
{
    struct responder *r = *responder;
    if (r == NULL)
        return;
    for (unsigned i = 0; i < r->n_views; i++)
        free(r->views[i]);
    sodium_memzero(r->keys, sizeof r->keys);
    free(r);
    *responder = NULL;
}

static const struct tsig_key *key_of(const struct responder *r, const uint8_t *name, size_t len)
{
    for (unsigned i = 0; i < r->n_keys; i++)
        if (r->keys[i].name_len == len && memcmp(r->keys[i].name, name, len) == 0)
            return &r->keys[i];
    return NULL;
}

const struct tsig_key *responder_key(const struct responder *r, const char *name)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(name, strlen(name), wire);
    name_lower_copy(wire, wire, len);
    return len ? key_of(r, wire, len) : NULL;
}

int responder_add_key(struct responder *r, const char *name, const char *algorithm, const char *secret, struct fault *why)
{
    if (r->n_keys == RESPONDER_KEYS_MAX)
        return fault_set(why, E_LIMIT, "key %.256s: more than %d keys", name, RESPONDER_KEYS_MAX);
    if (responder_key(r, name) != NULL)
        return fault_set(why, E_USAGE, "key %.256s: there is one of that name", name);
    int e = tsig_key_make(&r->keys[r->n_keys], name, algorithm, secret, why);
    if (e == 0)
        r->n_keys++;
    return e;
}

int responder_add_zone(struct responder *r, struct zone *zone, struct fault *why)
{
    if (r->n_views == RESPONDER_VIEWS_MAX)
        return fault_set(why, E_LIMIT, "more than %d zones", RESPONDER_VIEWS_MAX);
    struct view *v = calloc(1, sizeof *v);
    if (v == NULL)
        return fault_set(why, E_NOMEM, "responder: out of memory");
    v->zone = zone;
    r->views[r->n_views++] = v;
    return 0;
}

int responder_allow(struct responder *r, const struct zone *zone, const char *network, const char *key, struct fault *why)
{
    struct view *v = NULL;
    struct access a = { .key = key ? responder_key(r, key) : NULL };
    int e = network_parse(network, &a.network, why);
    if (e != 0)
        return e;
    for (unsigned i = 0; i < r->n_views; i++)
        if (r->views[i]->zone == zone)
            v = r->views[i];
    if (v == NULL || (key != NULL && a.key == NULL))
        return fault_set(why, E_USAGE, "%.256s: there is no such %s", network, v == NULL ? "zone" : "key");
    if (v->n_access == RESPONDER_ACCESS_MAX)
        return fault_set(why, E_LIMIT, "%.256s: more than %d addresses", network, RESPONDER_ACCESS_MAX);
    v->access[v->n_access++] = a;
    return 0;
}

/* Who may */

bool responder_lists(const struct responder *r, const struct sockaddr_storage *peer)
{
    for (unsigned i = 0; i < r->n_views; i++)
        for (unsigned k = 0; k < r->views[i]->n_access; k++)
            if (network_has(&r->views[i]->access[k].network, peer))
                return true;
    return false;
}

/* Listed, and signed with what its entry says. *ret_refusal is why not. */
static bool may_have(const struct view *v, const struct sockaddr_storage *peer, const struct tsig_key *key, enum refusal *ret_refusal)
{
    *ret_refusal = REFUSAL_ADDRESS;
    for (unsigned i = 0; i < v->n_access; i++) {
        if (!network_has(&v->access[i].network, peer))
            continue;
        if (v->access[i].key == NULL || v->access[i].key == key)
            return true;
        *ret_refusal = REFUSAL_KEY;
    }
    return false;
}

void responder_refuse(struct responder *r, const struct sockaddr_storage *peer, enum refusal why, const char *what)
{
    char line[NAME_TEXT_MAX + 256], address[PEER_TEXT_MAX];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!refusals_note(&r->refusals, peer, why, now.tv_sec) || r->options.say == NULL)
        return;
    snprintf(line, sizeof line, "%s: %s%s%s", peer_text(peer, address), refusal_text(why), *what ? ": " : "", what);
    r->options.say(r->options.ctx, line);
}

/* An exchange under way. */
struct answering {
    struct responder *r;
    const struct asked *asked;
    struct request request;
    struct reply_head head;
    struct reply reply;
    uint8_t *answer;
    const struct view *view;
    size_t labels_len; /* of the question's name, in front of the zone's */
    struct transfer *transfer;
    struct exchange *ret;
};

static void begin(struct answering *a)
{
    size_t room = RESPONDER_ANSWER_MAX;
    if (!a->asked->over_tcp)
        room = a->request.udp_room < UDP_ROOM_MAX ? a->request.udp_room : UDP_ROOM_MAX;
    reply_begin(&a->reply, &a->head, a->answer, room);
}

static void end(struct answering *a, uint16_t rcode)
{
    a->head.rcode = rcode;
    a->ret->len = reply_end(&a->reply, a->asked->now_s);
}

/* Says what was asked for, where that could be read. Returns false, so that a check can end with it. */
static bool refuse(struct answering *a, uint16_t rcode, enum refusal why)
{
    char name[NAME_TEXT_MAX] = "";
    if (a->request.name_len)
        (void)name_to_text(a->request.name, a->request.name_len, name);
    responder_refuse(a->r, a->asked->peer, why, name);
    begin(a);
    end(a, rcode);
    return false;
}

/* The answer has no place in UDP: it is asked for again over TCP. */
static void end_truncated(struct answering *a)
{
    a->head.flags |= DNS_TC;
    begin(a);
    end(a, RCODE_NOERROR);
}

static void tell_delivery(struct answering *a, enum delivery_kind kind, enum delivery_outcome outcome)
{
    a->ret->has_delivery = true;
    a->ret->delivery = (struct delivery){ .kind = kind, .outcome = outcome, .zone = a->view->zone, .serial = zone_serial(a->view->zone),
                                        .had_one = a->request.has & REQUEST_HAS_SERIAL, .had = a->request.serial,
                                        .records = 1, .bytes = a->ret->len };
}

/* Signatures (RFC 8945, 5.2). False: it is answered. */
static bool check_signature(struct answering *a)
{
    const struct tsig_record *t = &a->request.tsig;
    enum tsig_error error;
    if (!(a->request.has & REQUEST_SIGNED))
        return true;
    int e = tsig_check(t, key_of(a->r, t->name, t->name_len), a->asked->bytes, a->asked->now_s, &a->head.tsig, &error);
    if (e != 0)
        return refuse(a, e == E_MALFORMED ? RCODE_FORMERR : RCODE_SERVFAIL, REFUSAL_MALFORMED);
    a->head.is_signed = true;
    if (error == TSIG_GOOD)
        return true;
    return refuse(a, RCODE_NOTAUTH, error == TSIG_BADKEY ? REFUSAL_BADKEY : error == TSIG_BADTIME ? REFUSAL_BADTIME : REFUSAL_BADSIG);
}

/* The view whose zone the name is in, the longest; *ret_labels is what stands in front of it. */
static const struct view *find_view(const struct responder *r, const uint8_t *name, size_t len, size_t *ret_labels)
{
    for (size_t at = 0;; at += name[at] + 1u) {
        for (unsigned i = 0; i < r->n_views; i++) {
            struct slice origin = zone_origin(r->views[i]->zone);
            if (origin.len == len - at && memcmp(origin.ptr, name + at, origin.len) == 0) {
                *ret_labels = at;
                return r->views[i];
            }
        }
        if (name[at] == 0)
            return NULL;
    }
}

static bool is_transfer(const struct request *q)
{
    return q->type == TYPE_AXFR || q->type == TYPE_IXFR;
}

/* What may be asked here, by this one, of this zone. False: it is answered. */
static bool check_question(struct answering *a)
{
    const struct request *q = &a->request;
    enum refusal refusal;
    if (q->edns_version != 0)
        return refuse(a, RCODE_BADVERS, REFUSAL_EDNS);
    if (q->opcode != OPCODE_QUERY)
        return refuse(a, RCODE_NOTIMP, REFUSAL_OPCODE);
    a->view = q->class == CLASS_IN ? find_view(a->r, q->name, q->name_len, &a->labels_len) : NULL;
    if (a->view == NULL || (is_transfer(q) && a->labels_len))
        return refuse(a, is_transfer(q) ? RCODE_NOTAUTH : RCODE_REFUSED, REFUSAL_ZONE);
    if (!may_have(a->view, a->asked->peer, a->head.is_signed ? a->head.tsig.key : NULL, &refusal))
        return refuse(a, RCODE_REFUSED, refusal);
    if (zone_is_empty(a->view->zone))
        return refuse(a, RCODE_SERVFAIL, REFUSAL_NO_VERSION);
    a->head.flags |= DNS_AA;
    a->head.origin_at = a->labels_len;
    return true;
}

/* The zone's own records */

static bool put_soa(struct answering *a, enum dns_section section)
{
    uint8_t rest[ZONE_RECORD_MAX];
    struct zone_record soa = { .rest.ptr = rest };
    zone_soa(a->view->zone, rest, &soa.rest.len);
    return reply_put(&a->reply, section, &soa);
}

static void answer_apex(struct answering *a)
{
    uint16_t type = a->request.type;
    struct zone_record ns = { .rest = zone_ns(a->view->zone) };
    bool fits = true;
    if (type == TYPE_SOA || type == TYPE_ANY)
        fits = put_soa(a, SECTION_ANSWER);
    if (type == TYPE_NS || type == TYPE_ANY)
        fits = fits && reply_put(&a->reply, SECTION_ANSWER, &ns);
    if (a->reply.n[SECTION_ANSWER] == 0)
        fits = fits && put_soa(a, SECTION_AUTHORITY);
    if (!fits)
        return end_truncated(a);
    end(a, RCODE_NOERROR);
    if (type == TYPE_SOA)
        tell_delivery(a, DELIVERY_SOA, OUTCOME_DONE);
}

/* Names below it */

/* That there is nothing, as the zone's SOA says (RFC 2308, 2). */
static void answer_nothing(struct answering *a, uint16_t rcode)
{
    if (put_soa(a, SECTION_AUTHORITY))
        end(a, rcode);
    else
        end_truncated(a);
}

static void answer_rule(struct answering *a, unsigned action)
{
    struct zone_record record;
    for (unsigned n = 0; zone_action_record(a->view->zone, action, n, &record); n++) {
        uint16_t type = get_be16(record.rest.ptr);
        if (type != TYPE_CNAME && a->request.type != type && a->request.type != TYPE_ANY)
            continue;
        if (!reply_put_at_question(&a->reply, SECTION_ANSWER, record.rest))
            return end_truncated(a);
    }
    if (a->reply.n[SECTION_ANSWER])
        end(a, RCODE_NOERROR);
    else
        answer_nothing(a, RCODE_NOERROR);
}

/* Where the label "_why" begins, if it is the last in front of the zone. */
static bool is_why(const struct answering *a, size_t *ret_at)
{
    const uint8_t *name = a->request.name;
    size_t at = 0, last = 0;
    for (; at < a->labels_len; at += name[at] + 1u)
        last = at;
    *ret_at = last;
    return name[last] == sizeof OWNER_WHY - 1 && memcmp(name + last + 1, OWNER_WHY, sizeof OWNER_WHY - 1) == 0;
}

/* TYPE to RDATA of a TXT record: strings of up to 255 bytes. */
static size_t make_txt(uint8_t *to, const char *text)
{
    size_t left = strlen(text), len = TAIL_HEAD;
    if (left > WHY_TEXT_MAX)
        left = WHY_TEXT_MAX;
    do {
        size_t n = left < 255 ? left : 255;
        to[len] = (uint8_t)n;
        memcpy(to + len + 1, text, n);
        len += n + 1;
        text += n;
        left -= n;
    } while (left);
    (void)tail_begin(to, TYPE_TXT, 0, len - TAIL_HEAD); /* no TTL: it is true at this moment */
    return len;
}

static void answer_why(struct answering *a, size_t name_len)
{
    uint8_t txt[WHY_TEXT_MAX + 32];
    char name[NAME_TEXT_MAX];
    enum trigger trigger;
    const char *text = NULL;
    if (a->r->options.why != NULL && owner_text(a->request.name, name_len, &trigger, name))
        text = a->r->options.why(a->r->options.ctx, a->view->zone, trigger, name);
    if (text == NULL)
        return answer_nothing(a, name_len ? RCODE_NXDOMAIN : RCODE_NOERROR);
    if (a->request.type != TYPE_TXT && a->request.type != TYPE_ANY)
        return answer_nothing(a, RCODE_NOERROR);
    if (!reply_put_at_question(&a->reply, SECTION_ANSWER, (struct slice){ txt, make_txt(txt, text) }))
        return end_truncated(a);
    end(a, RCODE_NOERROR);
}

static void answer_name(struct answering *a)
{
    size_t why_at;
    if (is_why(a, &why_at))
        return answer_why(a, why_at);
    int action = zone_match(a->view->zone, a->request.name, a->labels_len);
    if (action >= 0)
        answer_rule(a, (unsigned)action);
    else
        answer_nothing(a, RCODE_NXDOMAIN);
}

/* Transfers */

static void begin_transfer(struct answering *a, enum delivery_kind kind, enum delivery_outcome outcome)
{
    transfer_begin(a->transfer, &a->head);
    tell_delivery(a, kind, outcome);
    a->ret->is_transfer = true;
}

static void answer_axfr(struct answering *a)
{
    if (!a->asked->over_tcp) {
        refuse(a, RCODE_FORMERR, REFUSAL_UDP);
        return;
    }
    zone_walk_all(&a->transfer->walk, a->view->zone);
    begin_transfer(a, DELIVERY_AXFR, OUTCOME_DONE);
}

/* RFC 1995, 2: "the newest version is told by a single SOA". */
static void answer_soa_alone(struct answering *a, enum delivery_outcome outcome)
{
    begin(a);
    if (!put_soa(a, SECTION_ANSWER))
        return end_truncated(a);
    end(a, RCODE_NOERROR);
    tell_delivery(a, DELIVERY_IXFR, outcome);
}

/* The difference in one message, or the SOA alone, which says: over TCP. The transfer signs with a copy of the chain, so that the
 * SOA's signature is still the first. */
static void answer_ixfr_over_udp(struct answering *a)
{
    struct transfer *t = a->transfer;
    size_t room = a->request.udp_room < UDP_ROOM_MAX ? a->request.udp_room : UDP_ROOM_MAX;
    transfer_begin(t, &a->head);
    int len = transfer_message(t, a->answer, room, a->asked->now_s);
    bool whole = len > 0 && !t->more;
    transfer_end(t);
    if (!whole)
        return answer_soa_alone(a, OUTCOME_USE_TCP);
    a->ret->len = (size_t)len;
    tell_delivery(a, DELIVERY_IXFR, OUTCOME_DONE);
    a->ret->delivery.records = t->records;
}

static void answer_ixfr(struct answering *a)
{
    struct zone *zone = a->view->zone;
    struct zone_walk *walk = &a->transfer->walk;
    if (serial_compare(a->request.serial, zone_serial(zone)) >= 0)
        return answer_soa_alone(a, OUTCOME_CURRENT);
    bool known = zone_walk_since(walk, zone, a->request.serial);
    if (!a->asked->over_tcp)
        return known ? answer_ixfr_over_udp(a) : answer_soa_alone(a, OUTCOME_USE_TCP);
    if (!known)
        zone_walk_all(walk, zone);
    begin_transfer(a, DELIVERY_IXFR, known ? OUTCOME_DONE : OUTCOME_WHOLE);
}

static void answer_question(struct answering *a)
{
    begin(a);
    if (a->request.type == TYPE_AXFR)
        answer_axfr(a);
    else if (a->request.type == TYPE_IXFR)
        answer_ixfr(a);
    else if (a->labels_len == 0)
        answer_apex(a);
    else
        answer_name(a);
}

void responder_answer(struct responder *r, const struct asked *asked, uint8_t answer[RESPONDER_ANSWER_MAX], struct transfer *transfer,
                      struct exchange *ret)
{
    struct answering a = { .r = r, .asked = asked, .answer = answer, .transfer = transfer, .ret = ret };
    *ret = (struct exchange){ 0 };
    int e = request_parse(&a.request, asked->bytes, asked->len);
    if (e == E_TRUNCATED || a.request.has & REQUEST_IS_REPLY)
        return;
    r->requests++;
    a.head = reply_head(&a.request);
    if (!responder_lists(r, asked->peer))
        refuse(&a, RCODE_REFUSED, REFUSAL_ADDRESS);
    else if (e != 0)
        refuse(&a, RCODE_FORMERR, REFUSAL_MALFORMED);
    else if (check_signature(&a) && check_question(&a))
        answer_question(&a);
}

size_t responder_answer_too_long(struct responder *r, const struct asked *asked, uint8_t answer[RESPONDER_ANSWER_MAX])
{
    struct exchange exchange = { 0 };
    struct answering a = { .r = r, .asked = asked, .answer = answer, .ret = &exchange };
    /* Of a header alone no question can be read, so this fails, but for id and opcode. */
    if (asked->len < REQUEST_HEADER || request_parse(&a.request, asked->bytes, REQUEST_HEADER) == 0 ||
        a.request.has & REQUEST_IS_REPLY)
        return 0;
    r->requests++;
    a.head = reply_head(&a.request);
    bool listed = responder_lists(r, asked->peer);
    refuse(&a, listed ? RCODE_FORMERR : RCODE_REFUSED, listed ? REFUSAL_TOO_LONG : REFUSAL_ADDRESS);
    return exchange.len;
}

const struct refusals *responder_refusals(const struct responder *r)
{
    return &r->refusals;
}

uint64_t responder_requests(const struct responder *r)
{
    return r->requests;
}
