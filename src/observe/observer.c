#include "observe/observer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/pages.h"
#include "observe/observation.h"
#include "record/activity.h"

enum {
    COPY_SLOTS = 1 << 13,
    OBSERVATIONS_LIMIT = 256 << 20,
    STATE_LIMIT = 64 << 20,
};
#define NO_SLOT INT64_MIN

/* Copies of one packet: the last seen hash and time by hash. */
struct copy {
    uint64_t hash;
    int64_t ts_ns;
};

struct CACHE_ALIGNED partition {
    struct dns_decoder decoder;
    struct pair pair;
    struct copy *copies;
    const struct observer_options *options;
    struct round *round; /* the one that is decoded; of it, what is this partition's: */
    struct buffer *observations;
    struct observer_counts *counts;
};

struct CACHE_ALIGNED shard {
    struct fold *current, *next;
    struct distinct distinct;
};

/* Working memory of encoding. There are as many as there are shards, but so many threads as encode at once use some. */
struct CACHE_ALIGNED desk {
    atomic_flag taken;
    struct fold_encoder *encoder;
};

struct observer {
    struct observer_options options;
    struct desk desks[SHARDS];
    struct partition partitions[PARTITIONS];
    struct shard shards[SHARDS];
    int64_t slot; /* the oldest open one; admission's view, ahead of folding */
    int64_t newest_ns;
    bool over_memory;
    bool sealing_early; /* a cut for memory is on its way through the stages */
};

static void tell_unanswered(void *ctx, const struct pair_asked *asked);

static int create_parts(struct observer *o)
{
    for (int i = 0; i < PARTITIONS; i++) {
        struct partition *p = &o->partitions[i];
        p->options = &o->options;
        dns_decoder_init(&p->decoder);
        p->copies = calloc(COPY_SLOTS, sizeof *p->copies);
        if (p->copies == NULL || pair_init(&p->pair, o->options.pair_timeout_ns, tell_unanswered, p) != E_OK)
            return E_NOMEM;
    }
    for (int i = 0; i < SHARDS; i++) {
        struct shard *s = &o->shards[i];
        if (!distinct_init(&s->distinct) || fold_create(&s->current, o->options.suffixes, &s->distinct) ||
            fold_create(&s->next, o->options.suffixes, &s->distinct) || fold_encoder_create(&o->desks[i].encoder))
            return E_NOMEM;
    }
    return E_OK;
}

int observer_create(struct observer **ret, const struct observer_options *options)
{
    struct observer *o = lines_alloc_zeroed(sizeof *o);
    if (o == NULL)
        return E_NOMEM;
    o->options = *options;
    o->slot = NO_SLOT;
    o->newest_ns = INT64_MIN;
    if (create_parts(o) != E_OK) {
        observer_destroy(&o);
        return E_NOMEM;
    }
    *ret = o;
    return E_OK;
}

void observer_destroy(struct observer **pointer)
{
    struct observer *o = *pointer;
    if (o == NULL)
        return;
    for (int i = 0; i < PARTITIONS; i++) {
        dns_decoder_release(&o->partitions[i].decoder);
        pair_release(&o->partitions[i].pair);
        free(o->partitions[i].copies);
    }
    for (int i = 0; i < SHARDS; i++) {
        fold_destroy(&o->shards[i].current);
        fold_destroy(&o->shards[i].next);
        fold_encoder_destroy(&o->desks[i].encoder);
        distinct_release(&o->shards[i].distinct);
    }
    free(o);
    *pointer = NULL;
}

void observer_set_policy(struct observer *o, const struct policy *policy)
{
    o->options.policy = policy;
}

int round_init(struct round *round)
{
    memset(round, 0, sizeof *round);
    for (int p = 0; p < PARTITIONS; p++) {
        buffer_init(&round->pair_state[p], STATE_LIMIT);
        for (int s = 0; s < SHARDS; s++)
            buffer_init(&round->observations[p][s], OBSERVATIONS_LIMIT);
    }
    return message_batch_init(&round->batch, ROUND_MESSAGES);
}

void round_release(struct round *round)
{
    message_batch_release(&round->batch);
    for (int p = 0; p < PARTITIONS; p++) {
        buffer_release(&round->pair_state[p]);
        for (int s = 0; s < SHARDS; s++)
            buffer_release(&round->observations[p][s]);
    }
    free(round->order);
    round->order = NULL;
}

void round_clear(struct round *round)
{
    message_batch_clear(&round->batch);
    for (int p = 0; p < PARTITIONS; p++) {
        buffer_clear(&round->pair_state[p]);
        for (int s = 0; s < SHARDS; s++)
            buffer_clear(&round->observations[p][s]);
    }
    memset(round->counts, 0, sizeof round->counts);
    memset(round->fold_counts, 0, sizeof round->fold_counts);
    memset(round->decode_errors, 0, sizeof round->decode_errors);
    memset(round->fold_errors, 0, sizeof round->fold_errors);
    memset(&round->tally, 0, sizeof round->tally);
    memset(round->starts, 0, sizeof round->starts);
    round->cut = round->ends_slot = round->ends_next = false;
}

/* --- reading: dealing and slots ---------------------------------------------------- */

static uint64_t endpoint_hash(const struct endpoint *e)
{
    uint64_t high = get_le64(e->address), low = get_le64(e->address + 8);
    return hash_mix(low ^ high * UINT64_C(0x9e3779b97f4a7c15) ^ e->port);
}

/* The same for both directions of one question. */
static unsigned partition_of(const struct message *m)
{
    uint64_t id = m->wire_len >= 2 ? get_be16(m->wire) : 0;
    return (unsigned)((endpoint_hash(&m->from) + endpoint_hash(&m->to) + id * UINT64_C(0x9e3779b97f4a7c15)) >> 61);
}
_Static_assert(PARTITIONS == 8, "partition_of takes three bits");

static int deal(struct round *round)
{
    uint32_t n = round->batch.count;
    if (n > round->order_capacity) {
        uint32_t *order = realloc(round->order, 2 * n * sizeof *order);
        if (order == NULL)
            return E_NOMEM;
        round->order = order;
        round->order_capacity = 2 * n;
    }
    uint8_t *of = malloc(n + 1);
    if (of == NULL)
        return E_NOMEM;
    uint32_t fill[PARTITIONS] = { 0 };
    for (uint32_t i = 0; i < n; i++)
        fill[of[i] = (uint8_t)partition_of(&round->batch.messages[i])]++;
    round->starts[0] = 0;
    for (int p = 0; p < PARTITIONS; p++)
        round->starts[p + 1] = round->starts[p] + fill[p];
    memcpy(fill, round->starts, sizeof fill);
    for (uint32_t i = 0; i < n; i++)
        round->order[fill[of[i]]++] = i;
    free(of);
    return E_OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t slot_of(const struct observer *o, int64_t ts_ns)
{
    return floor_div(ts_ns, o->options.slot_s * INT64_C(1000000000));
}

/* The slot that holds the smallest time begins before it. */
static int64_t slot_begins_ns(const struct observer *o, int64_t slot)
{
    int64_t ns;
    if (slot == NO_SLOT || __builtin_mul_overflow(slot, o->options.slot_s * INT64_C(1000000000), &ns))
        return INT64_MIN;
    return ns;
}

static void decide_slots(struct observer *o, struct round *round)
{
    if (o->newest_ns == INT64_MIN)
        return;
    int64_t watermark_slot = slot_of(o, time_since(o->newest_ns, o->options.lateness_ns));
    if (watermark_slot > o->slot) {
        round->cut = round->ends_slot = true;
        o->slot = watermark_slot;
    } else if (o->over_memory) {
        round->cut = round->ends_slot = true;
        round->fold_counts[0].early_seals++;
        o->over_memory = false;
        o->sealing_early = true;
    }
}

int observer_admit(struct observer *o, struct round *round)
{
    const struct message_batch *b = &round->batch;
    if (b->newest_ns > o->newest_ns)
        o->newest_ns = b->newest_ns;
    if (o->slot == NO_SLOT && b->count > 0)
        o->slot = slot_of(o, b->messages[0].ts_ns);
    if (!round->ends_slot) {
        round->slot = o->slot;
        decide_slots(o, round);
    }
    round->newest_ns = o->newest_ns;
    round->slot_begins_ns = slot_begins_ns(o, round->slot);
    return deal(round);
}

void observer_end_slots(struct observer *o, struct round *round)
{
    round->cut = round->ends_slot = round->ends_next = true;
    round->slot = o->slot;
    o->slot = NO_SLOT;
    o->newest_ns = INT64_MIN;
}

/* --- decoding ---------------------------------------------------------------------- */

static bool may_have_copies(const struct message *m)
{
    return m->transport == TRANSPORT_UDP && m->known == KNOWN_ALL;
}

static uint64_t copy_hash(const struct message *m)
{
    uint64_t seed = endpoint_hash(&m->from) * 3 + endpoint_hash(&m->to) + m->ip_id;
    return XXH3_64bits_withSeed(m->wire, m->wire_len, seed);
}

static bool is_copy(struct partition *p, uint64_t hash, int64_t ts_ns, int64_t window_ns)
{
    struct copy *c = &p->copies[hash % COPY_SLOTS];
    int64_t apart = time_since(ts_ns, c->ts_ns);
    bool copy = c->hash == hash && apart <= window_ns && apart >= -window_ns;
    *c = (struct copy){ hash, ts_ns };
    return copy;
}

static struct pair_key pair_key_of(const struct dns_decoder *d, const struct message *m, bool response)
{
    const struct endpoint *client = response ? &m->to : &m->from, *server = response ? &m->from : &m->to;
    uint8_t bytes[44];
    memcpy(bytes, client->address, 16);
    memcpy(bytes + 16, server->address, 16);
    put_be16(bytes + 32, client->port);
    put_be16(bytes + 34, server->port);
    put_be16(bytes + 36, d->id);
    put_be16(bytes + 38, d->qtype);
    put_be16(bytes + 40, d->qclass);
    put_be16(bytes + 42, m->transport);
    return (struct pair_key){ hash_stable(bytes, sizeof bytes), hash_stable(d->question->wire, d->question->wire_len) };
}

static bool is_excluded_zone(const struct observer_exclusion *x, const struct dns_decoder *d)
{
    for (unsigned i = 0; i < x->n_zones; i++)
        if (d->qname_len > x->zone_lens[i] && memcmp(d->qname, x->zones[i], x->zone_lens[i]) == 0)
            return true;
    return false;
}

static bool is_excluded_client(const struct observer_exclusion *x, const struct message *m, bool response)
{
    const uint8_t *client = response ? m->to.address : m->from.address;
    for (unsigned i = 0; i < x->n_clients; i++)
        if (memcmp(client, x->clients[i].low, 16) >= 0 && memcmp(client, x->clients[i].high, 16) <= 0)
            return true;
    return false;
}

/* The lists of the message's source, then those for all. */
static enum tally_cause exclude(const struct observer_exclusion *x, struct dns_decoder *d, const struct message *m)
{
    for (; x != NULL; x = x->also) {
        if (x->n_clients && m->known & KNOWN_ADDRESSES && is_excluded_client(x, m, d->flags & DNS_QR))
            return TALLY_EXCLUDED_CLIENT;
        if (x->n_zones && dns_qname(d) && is_excluded_zone(x, d))
            return TALLY_EXCLUDED_ZONE;
    }
    return TALLY_CAUSES;
}

/* Why a well-formed message is not used, or TALLY_CAUSES. */
static enum tally_cause set_aside(const struct observer_options *options, struct dns_decoder *d, const struct message *m)
{
    const struct observer_exclusion *all = options->exclusions;
    if (d->flags & DNS_OPCODE)
        return TALLY_NOT_QUERY_OPCODE;
    if (d->question != NULL && message_class(m, d->qclass) != CLASS_IN)
        return TALLY_OTHER_CLASS;
    return exclude(all ? &all[m->exclusion] : NULL, d, m);
}

/* Some logs (EVE version 1) have an event an answer and no question: what the answer is about
 * was asked, for which type is not known. In a packet an absent question stays absent. */
static bool take_owner_for_question(struct dns_decoder *d, const struct message *m)
{
    if (m->known & KNOWN_SIZE || d->n_rrs == 0)
        return false;
    d->qname = d->rrs[0].owner;
    d->qname_len = d->rrs[0].owner_len;
    d->qtype = 0;
    return true;
}

/* Of a whole message whose size is known; else 0. No message is longer than its length field in TCP says. */
static uint16_t size_of(const struct message *m)
{
    if (!(m->known & KNOWN_SIZE) || m->truncated)
        return 0;
    return m->wire_len < UINT16_MAX ? (uint16_t)m->wire_len : UINT16_MAX;
}

static uint8_t type_counter(uint16_t qtype)
{
    switch (qtype) {
    case TYPE_A:
        return ACTIVITY_A;
    case TYPE_AAAA:
        return ACTIVITY_AAAA;
    case TYPE_HTTPS:
        return ACTIVITY_HTTPS;
    case TYPE_TXT:
        return ACTIVITY_TXT;
    case TYPE_MX:
        return ACTIVITY_MX;
    case TYPE_NS:
        return ACTIVITY_NS;
    case TYPE_PTR:
        return ACTIVITY_PTR;
    case TYPE_SRV:
        return ACTIVITY_SRV;
    case TYPE_NULL:
        return ACTIVITY_NULL;
    default:
        return ACTIVITY_OTHER_TYPE;
    }
}

/* Every transaction comes here once: `q` what was asked, `owner` its key where that is made already. Those of
 * clients are activity, when it is known what they asked. What the source did not say is not known here either:
 * never zero of something, or another class. */
static void tell_transaction(struct partition *p, const struct pair_asked *q, struct slice owner, uint16_t response_bytes,
                             const struct sight_answer *answer, unsigned flags)
{
    uint8_t key[NAME_KEY_MAX];
    p->counts->told++;
    if (!p->options->activity || q->flags & (PAIR_UPSTREAM | PAIR_MULTICAST) || (owner.len == 0 && q->qname_len == 0))
        return;
    if (owner.len == 0)
        owner = (struct slice){ key, name_owner_key(q->qname, q->qname_len, key) };
    if (q->flags & PAIR_CLIENT_KNOWN)
        flags |= ASKED_CLIENT_KNOWN;
    struct asked *asked = sight_asked(owner, (uint32_t)(q->ts_ns / 1000000000), p->observations);
    if (asked == NULL)
        return;
    asked->client = q->client;
    asked->ttl = answer->ttl;
    asked->query_bytes = q->bytes;
    asked->response_bytes = response_bytes;
    asked->outcome = (uint8_t)answer->outcome;
    asked->type = type_counter(q->qtype);
    asked->flags = (uint8_t)flags;
}

static const struct sight_answer no_answer = { .outcome = ACTIVITY_COUNTERS };

static void tell_unanswered(void *ctx, const struct pair_asked *asked)
{
    tell_transaction(ctx, asked, (struct slice){ 0 }, 0, &no_answer, ASKED_QUERY);
}

/* What the decoded message says of its question, whichever of the two it is. */
static struct pair_asked asked_by(const struct partition *p, const struct message *m)
{
    const struct dns_decoder *d = &p->decoder;
    struct pair_asked asked = { .ts_ns = m->ts_ns, .qtype = d->question ? d->qtype : 0 };
    if (!p->options->activity)
        return asked;
    if (d->question != NULL) {
        asked.qname = d->question->wire;
        asked.qname_len = d->question->wire_len;
    }
    if (message_is_mdns(m))
        asked.flags |= PAIR_MULTICAST;
    if (sight_is_upstream(m, d->flags)) {
        asked.flags |= PAIR_UPSTREAM;
    } else if (m->known & KNOWN_ADDRESSES) {
        asked.flags |= PAIR_CLIENT_KNOWN;
        asked.client = client_id(&p->options->client_key, d->flags & DNS_QR ? m->to.address : m->from.address);
    }
    return asked;
}

static void tell_response(struct partition *p, const struct message *m, const struct pair_asked *asked,
                          const struct sight_answer *answer)
{
    struct pair_asked stray;
    if (asked == NULL)
        stray = asked_by(p, m);
    struct slice owner = { p->decoder.qname, p->decoder.qname_len };
    uint16_t bytes = answer->outcome == ACTIVITY_POLICY ? 0 : size_of(m); /* not the name's own */
    tell_transaction(p, asked ? asked : &stray, owner, bytes, answer, asked ? ASKED_QUERY | ASKED_ANSWERED : 0);
}

static int use_response(struct partition *p, const struct message *m)
{
    struct dns_decoder *d = &p->decoder;
    struct observer_counts *counts = p->counts;
    struct pair_asked asked;
    struct sight_answer answer = no_answer;
    bool paired = d->question != NULL && pair_response(&p->pair, pair_key_of(d, m, true), m->ts_ns, &asked);
    counts->responses++;
    counts->transactions += paired;
    counts->unmatched_responses += !paired;
    /* A log's line about one record of a response is no response: its owner may be an alias' target. */
    bool one_record = !dns_qname(d) && !message_is_mdns(m) && take_owner_for_question(d, m);
    if (d->qname != NULL || message_is_mdns(m)) {
        struct sight_rules rules = { p->options->suffixes, p->options->policy };
        int err = sight_response(d, m, paired, &rules, p->observations, &counts->rr_observed, &answer);
        if (err)
            return err;
    }
    counts->tally.n[TALLY_POLICY_ANSWER] += answer.outcome == ACTIVITY_POLICY;
    if (!one_record)
        tell_response(p, m, paired ? &asked : NULL, &answer);
    return E_OK;
}

static int use_query(struct partition *p, const struct message *m)
{
    struct dns_decoder *d = &p->decoder;
    p->counts->queries++;
    if (d->question == NULL)
        return E_OK;
    struct pair_asked asked = asked_by(p, m);
    asked.bytes = size_of(m);
    return pair_query(&p->pair, pair_key_of(d, m, false), &asked);
}

static int decode_message(struct partition *p, const struct message *m)
{
    struct dns_decoder *d = &p->decoder;
    struct observer_counts *counts = p->counts;
    enum tally_cause cause = dns_decode(d, m->wire, m->wire_len, m->truncated);
    if (cause == TALLY_CAUSES)
        cause = set_aside(p->options, d, m);
    if (cause != TALLY_CAUSES) {
        counts->tally.n[cause]++;
        return E_OK;
    }
    counts->tally.n[TALLY_DNS_TRAILING] += d->trailing;
    counts->late += m->ts_ns < p->round->slot_begins_ns;
    if (counts->first_ns == 0 || m->ts_ns < counts->first_ns)
        counts->first_ns = m->ts_ns;
    if (m->ts_ns > counts->last_ns)
        counts->last_ns = m->ts_ns;
    return d->flags & DNS_QR ? use_response(p, m) : use_query(p, m);
}

static void save_copies(const struct partition *p, int64_t newest_ns, int64_t window_ns, struct buffer *to)
{
    size_t at = to->len;
    uint32_t n = 0;
    buffer_le32(to, 0);
    for (uint32_t i = 0; i < COPY_SLOTS; i++) {
        if (p->copies[i].hash == 0 || time_since(newest_ns, p->copies[i].ts_ns) > 2 * window_ns + INT64_C(1000000000))
            continue;
        buffer_le64(to, p->copies[i].hash);
        buffer_le64(to, (uint64_t)p->copies[i].ts_ns);
        n++;
    }
    if (!to->failed)
        put_le32(to->ptr + at, n);
}

/* Up to DECODE_BLOCK messages: first the hash of each, which brings its bytes into the cache and
 * asks for its place among the copies, then the work. A partition's messages are strewn over the
 * batch; one at a time, half of decoding was waiting for memory. */
enum { DECODE_BLOCK = 16 };

static int decode_block(struct partition *p, const uint32_t *order, uint32_t n)
{
    const struct message *messages = p->round->batch.messages;
    int64_t window_ns = p->options->copy_window_ns;
    uint64_t hashes[DECODE_BLOCK];
    int err = E_OK;
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(messages[order[i]].wire);
    for (uint32_t i = 0; i < n; i++) {
        hashes[i] = copy_hash(&messages[order[i]]);
        __builtin_prefetch(&p->copies[hashes[i] % COPY_SLOTS]);
    }
    for (uint32_t i = 0; i < n && err == E_OK; i++) {
        const struct message *m = &messages[order[i]];
        p->counts->messages++;
        if (window_ns > 0 && may_have_copies(m) && is_copy(p, hashes[i], m->ts_ns, window_ns))
            p->counts->tally.n[TALLY_DUPLICATE]++;
        else
            err = decode_message(p, m);
    }
    return err;
}

void observer_decode(struct observer *o, struct round *round, unsigned index)
{
    struct partition *p = &o->partitions[index];
    struct observer_counts *counts = &round->counts[index];
    uint64_t unanswered = p->pair.unanswered, evicted = p->pair.evicted;
    p->round = round;
    p->observations = round->observations[index];
    p->counts = counts;
    int err = E_OK;
    for (uint32_t i = round->starts[index], end = round->starts[index + 1]; i < end && err == E_OK; i += DECODE_BLOCK) {
        uint32_t n = end - i < DECODE_BLOCK ? end - i : DECODE_BLOCK;
        err = decode_block(p, round->order + i, n);
    }
    pair_expire(&p->pair, round->newest_ns);
    counts->unanswered = p->pair.unanswered - unanswered;
    counts->pair_evicted = p->pair.evicted - evicted;
    if (round->cut) {
        pair_save(&p->pair, &round->pair_state[index]);
        save_copies(p, round->newest_ns, o->options.copy_window_ns, &round->pair_state[index]);
        if (round->pair_state[index].failed)
            err = E_NOMEM;
    }
    round->decode_errors[index] = err;
}

/* --- folding ----------------------------------------------------------------------- */

void observer_fold(struct observer *o, struct round *round, unsigned index)
{
    struct shard *shard = &o->shards[index];
    int err = E_OK;
    for (int p = 0; p < PARTITIONS && err == E_OK; p++) {
        const struct buffer *b = &round->observations[p][index];
        if (b->len == 0 && !b->failed) /* nor is there memory to point to */
            continue;
        err = b->failed ? E_NOMEM
                        : fold_observations(shard->current, shard->next, round->slot, o->options.slot_s, b->ptr,
                                            b->ptr + b->len, &round->fold_counts[index].folded);
    }
    round->fold_errors[index] = err;
}

void observer_counts_add(struct observer_counts *to, const struct observer_counts *from)
{
    to->messages += from->messages;
    to->queries += from->queries;
    to->responses += from->responses;
    to->transactions += from->transactions;
    to->unanswered += from->unanswered;
    to->unmatched_responses += from->unmatched_responses;
    to->pair_evicted += from->pair_evicted;
    to->told += from->told;
    to->late += from->late;
    to->rr_observed += from->rr_observed;
    to->early_seals += from->early_seals;
    to->folded.rdata_cut += from->folded.rdata_cut;
    to->folded.collapsed_names += from->folded.collapsed_names;
    to->folded.collapsed_rdata += from->folded.collapsed_rdata;
    tally_add(&to->tally, &from->tally);
    if (from->first_ns != 0 && (to->first_ns == 0 || from->first_ns < to->first_ns))
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns)
        to->last_ns = from->last_ns;
}

int observer_finish(const struct round *round, struct observer_counts *total)
{
    tally_add(&total->tally, &round->tally);
    for (int i = 0; i < PARTITIONS; i++)
        observer_counts_add(total, &round->counts[i]);
    for (int i = 0; i < SHARDS; i++)
        observer_counts_add(total, &round->fold_counts[i]);
    int err = E_OK;
    for (int i = 0; i < PARTITIONS && err == E_OK; i++)
        err = round->decode_errors[i];
    for (int i = 0; i < SHARDS && err == E_OK; i++)
        err = round->fold_errors[i];
    return err;
}

static int encode_fold(struct fold *fold, struct fold_encoder *encoder, struct buffer runs[KINDS])
{
    return fold_is_empty(fold) ? E_OK : fold_encode(fold, encoder, runs);
}

/* A free one: no more shards are encoded at once than there are. Acquired, as what the last user wrote is used again. */
static struct desk *take_desk(struct observer *o)
{
    struct desk *desk = o->desks;
    while (atomic_flag_test_and_set_explicit(&desk->taken, memory_order_acquire))
        if (++desk == o->desks + SHARDS)
            desk = o->desks;
    return desk;
}

int observer_encode(struct observer *o, const struct round *round, unsigned index, struct observer_part parts[PARTS])
{
    (void)round;
    struct shard *s = &o->shards[index];
    struct desk *desk = take_desk(o);
    int err = encode_fold(s->current, desk->encoder, parts[0].runs[index]);
    if (err == E_OK)
        err = encode_fold(s->next, desk->encoder, parts[1].runs[index]);
    atomic_flag_clear_explicit(&desk->taken, memory_order_release);
    return err;
}

static void span_part(struct observer *o, struct observer_part *part, bool next)
{
    part->used = false;
    part->from = INT64_MAX;
    part->to = INT64_MIN;
    for (int i = 0; i < SHARDS; i++) {
        struct fold *fold = next ? o->shards[i].next : o->shards[i].current;
        if (fold_is_empty(fold))
            continue;
        int64_t from, to;
        fold_span(fold, &from, &to);
        part->used = true;
        part->from = from < part->from ? from : part->from;
        part->to = to > part->to ? to : part->to;
    }
}

void observer_cut(struct observer *o, const struct round *round, struct observer_part parts[PARTS])
{
    int64_t slot_s = o->options.slot_s;
    for (int i = 0; i < PARTS; i++)
        span_part(o, &parts[i], i == 1);
    parts[0].slot_start = round->slot == NO_SLOT ? 0 : round->slot * slot_s;
    parts[1].slot_start = parts[1].used ? floor_div(parts[1].from, slot_s) * slot_s : 0;
    parts[0].open = !round->ends_slot;
    parts[1].open = !round->ends_next;
    o->sealing_early = o->sealing_early && !round->ends_slot;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *s = &o->shards[i];
        if (!round->ends_slot)
            continue;
        fold_reset(s->current);
        if (round->ends_next)
            fold_reset(s->next);
        fold_bequeath(s->current, s->next);
        struct fold *swap = s->current;
        s->current = s->next;
        s->next = swap;
    }
}

size_t observer_check_memory(struct observer *o)
{
    size_t bytes = 0;
    for (int i = 0; i < SHARDS; i++)
        bytes += fold_bytes(o->shards[i].current) + fold_bytes(o->shards[i].next);
    o->over_memory = bytes > o->options.memory && !o->sealing_early;
    return bytes;
}

uint64_t observer_distinct(struct observer *o, bool *ret_exact)
{
    uint64_t n = 0;
    *ret_exact = true;
    for (int i = 0; i < SHARDS; i++) {
        n += distinct_count(&o->shards[i].distinct);
        *ret_exact = *ret_exact && distinct_is_exact(&o->shards[i].distinct);
    }
    return n;
}

uint64_t observer_waiting(const struct observer *o)
{
    uint64_t n = 0;
    for (int i = 0; i < PARTITIONS; i++)
        n += pair_count_waiting(&o->partitions[i].pair);
    return n;
}

bool observer_is_behind(const struct observer *o, int64_t newest_ns)
{
    return o->slot != NO_SLOT && slot_of(o, newest_ns) < o->slot;
}

void observer_advance(struct observer *o, int64_t now_ns)
{
    if (o->newest_ns != INT64_MIN && now_ns > o->newest_ns)
        o->newest_ns = now_ns;
}

/* --- open state -------------------------------------------------------------------- */

/* Which key the ids in the state were made with: the id of an address that is nobody's. */
static uint64_t key_check(const struct observer *o)
{
    static const uint8_t nobody[16]; /* :: (RFC 4291, 2.5.2) */
    return client_id(&o->options.client_key, nobody);
}

void observer_save(const struct observer *o, const struct round *round, struct buffer *to)
{
    buffer_le64(to, (uint64_t)(round->ends_next ? NO_SLOT : round->newest_ns));
    buffer_le64(to, key_check(o));
    for (int i = 0; i < PARTITIONS; i++)
        buffer_append(to, round->pair_state[i].ptr, round->pair_state[i].len);
}

static int load_copies(struct partition *p, struct cursor *from)
{
    uint32_t n = cursor_le32(from);
    for (uint32_t i = 0; i < n && !from->failed; i++) {
        uint64_t hash = cursor_le64(from);
        p->copies[hash % COPY_SLOTS] = (struct copy){ hash, (int64_t)cursor_le64(from) };
    }
    return from->failed ? E_CORRUPT : E_OK;
}

int observer_load(struct observer *o, struct cursor *from, struct fault *why)
{
    o->newest_ns = (int64_t)cursor_le64(from);
    if (o->newest_ns != INT64_MIN)
        o->slot = slot_of(o, time_since(o->newest_ns, o->options.lateness_ns));
    if (cursor_le64(from) != key_check(o) && !from->failed)
        return fault_set(why, E_CORRUPT, "open state: its client ids were made with another key: client.key is "
                         "not this database's");
    for (int i = 0; i < PARTITIONS; i++) {
        int err = pair_load(&o->partitions[i].pair, from);
        if (err == E_OK)
            err = load_copies(&o->partitions[i], from);
        if (err)
            return fault_set(why, err, "open state: partition %d: %s", i, fault_text(err));
    }
    return E_OK;
}

int observer_restore(struct observer *o, enum record_kind_id kind, struct slice key, struct slice value)
{
    size_t owner = name_key_length(key.ptr, key.len);
    if (owner == 0)
        return E_CORRUPT;
    struct shard *s = &o->shards[sight_shard(key.ptr, owner)];
    return fold_restore(s->current, kind, key, value);
}
