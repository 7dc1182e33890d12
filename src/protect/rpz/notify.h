/* notify: tells secondaries of new versions (RFC 1996), until they answer. Knows no sockets.
 *
 *     told of nothing --zone has a version--> waiting --answer--> answered
 *                                               ^  `-- again after 1, 2, 4 ... 60 s
 *                                               `------ a newer version -------'
 *
 * What answers is known by its address and the id, drawn at random; an answer's signature is not checked: forged, it delays a
 * version to the secondary's next refresh. Value type; one thread. Times in ms of a clock that does not jump.
 */
#ifndef DNSMON_PROTECT_RPZ_NOTIFY_H
#define DNSMON_PROTECT_RPZ_NOTIFY_H

#include "protect/rpz/peer.h"
#include "protect/rpz/delivery.h"
#include "protect/rpz/reply.h"

enum { NOTIFY_TARGETS_MAX = 256, NOTIFY_WAIT_MAX_S = 60 };

struct notify_target {
    struct zone *zone;
    const struct tsig_key *key; /* NULL: unsigned */
    struct sockaddr_storage peer;
    bool told, answered;        /* of `serial` */
    uint32_t serial;
    uint16_t id;
    unsigned wait_s;            /* until the next try */
    int64_t first_ms, due_ms;
};

struct notify {
    struct notify_target targets[NOTIFY_TARGETS_MAX];
    unsigned n;
};

int notify_add(struct notify *n, struct zone *zone, const struct sockaddr_storage *peer, const struct tsig_key *key,
               struct fault *why) MUST_CHECK;

/* How long until somebody is due; -1: nobody is. Sees new versions. */
int64_t notify_wait_ms(struct notify *n, int64_t now_ms);

/* The next message that is due, of *ret_len bytes; NULL when there is none. Its target is due again later. */
const struct notify_target *notify_next(struct notify *n, int64_t now_ms, int64_t wall_s, uint8_t message[REPLY_LEAST], size_t *ret_len);

/* An answer. True when somebody waited for it; then *ret is filled but for the secondary. */
bool notify_answer(struct notify *n, const struct sockaddr_storage *peer, const struct request *answer, int64_t now_ms,
                   struct delivery *ret);

#endif
