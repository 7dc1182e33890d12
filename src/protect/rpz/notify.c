#include "protect/rpz/notify.h"

#include <sodium.h>

int notify_add(struct notify *n, struct zone *zone, const struct sockaddr_storage *peer, const struct tsig_key *key, struct fault *why)
{
    if (n->n == NOTIFY_TARGETS_MAX)
        return fault_set(why, E_LIMIT, "more than %d secondaries to notify", NOTIFY_TARGETS_MAX);
    n->targets[n->n++] = (struct notify_target){ .zone = zone, .key = key, .peer = *peer };
    return 0;
}

/* A version that it was not told of makes it due at once. */
static void see_version(struct notify_target *t, int64_t now_ms)
{
    if (zone_is_empty(t->zone) || (t->told && t->serial == zone_serial(t->zone)))
        return;
    t->told = true;
    t->answered = false;
    t->serial = zone_serial(t->zone);
    t->id = (uint16_t)randombytes_random();
    t->wait_s = 1;
    t->first_ms = t->due_ms = now_ms;
}

int64_t notify_wait_ms(struct notify *n, int64_t now_ms)
{
    int64_t least = -1;
    for (unsigned i = 0; i < n->n; i++) {
        struct notify_target *t = &n->targets[i];
        see_version(t, now_ms);
        if (!t->told || t->answered)
            continue;
        int64_t wait = t->due_ms > now_ms ? t->due_ms - now_ms : 0;
        least = least < 0 || wait < least ? wait : least;
    }
    return least;
}

/* The zone's SOA as question, and as answer, so that who has it already need not ask (RFC 1996, 3.7). */
static size_t make_message(const struct notify_target *t, int64_t wall_s, uint8_t message[REPLY_LEAST])
{
    struct reply_head head = { .id = t->id, .flags = OPCODE_NOTIFY << 11 | DNS_AA };
    struct slice origin = zone_origin(t->zone);
    struct reply reply;
    uint8_t rest[ZONE_RECORD_MAX];
    struct zone_record soa = { .rest.ptr = rest };
    memcpy(head.question, origin.ptr, origin.len);
    put_be16(head.question + origin.len, TYPE_SOA);
    put_be16(head.question + origin.len + 2, CLASS_IN);
    head.question_len = origin.len + 4;
    if (t->key != NULL) {
        tsig_begin(&head.tsig, t->key, t->id);
        head.is_signed = true;
    }
    reply_begin(&reply, &head, message, REPLY_LEAST);
    zone_soa(t->zone, rest, &soa.rest.len);
    (void)reply_put(&reply, SECTION_ANSWER, &soa);
    return reply_end(&reply, wall_s);
}

const struct notify_target *notify_next(struct notify *n, int64_t now_ms, int64_t wall_s, uint8_t message[REPLY_LEAST], size_t *ret_len)
{
    for (unsigned i = 0; i < n->n; i++) {
        struct notify_target *t = &n->targets[i];
        if (!t->told || t->answered || t->due_ms > now_ms)
            continue;
        t->due_ms = now_ms + (int64_t)t->wait_s * 1000;
        t->wait_s = t->wait_s * 2 < NOTIFY_WAIT_MAX_S ? t->wait_s * 2 : NOTIFY_WAIT_MAX_S;
        *ret_len = make_message(t, wall_s, message);
        if (*ret_len)
            return t;
    }
    return NULL;
}

bool notify_answer(struct notify *n, const struct sockaddr_storage *peer, const struct request *answer, int64_t now_ms,
                   struct delivery *ret)
{
    for (unsigned i = 0; i < n->n; i++) {
        struct notify_target *t = &n->targets[i];
        if (!t->told || t->answered || t->id != answer->id || !peer_is_same(&t->peer, peer))
            continue;
        t->answered = true;
        *ret = (struct delivery){ .kind = DELIVERY_NOTIFY, .outcome = answer->rcode ? OUTCOME_UNWANTED : OUTCOME_DONE, .zone = t->zone,
                                 .serial = t->serial, .ms = now_ms - t->first_ms };
        return true;
    }
    return false;
}
