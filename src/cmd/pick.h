/* pick: the first `room` records of a stream in some order, in memory for that many.
 *
 * A heap with the worst kept record on top: a record that is no better is dropped, a
 * better one takes the top's place. Ties break by key, so that the same database gives the
 * same answer. `bytes_limit` bounds memory where room is large: beyond it E_LIMIT.
 * Value type; one thread. Cost: O(log room) for a record that is kept.
 */
#ifndef DNSMON_CMD_PICK_H
#define DNSMON_CMD_PICK_H

#include "record/rr.h"

enum pick_order { PICK_KEY_ORDER /* no picking: as they come */, PICK_FIRST, PICK_LAST, PICK_COUNT, PICK_NAME };

struct picked;

struct pick {
    enum pick_order order;
    bool reverse; /* largest first */
    size_t room;
    size_t bytes_limit;
    size_t bytes;
    struct picked **heap;
    size_t n, capacity;
};

void pick_init(struct pick *p, enum pick_order order, bool reverse, size_t room, size_t bytes_limit);
void pick_release(struct pick *p);

int pick_offer(struct pick *p, const struct rr_key *key, const struct rr_value *value) MUST_CHECK;

/* Sorts what is kept; then `pick_get` gives the i-th of p->n. No more offers. */
void pick_sort(struct pick *p);
void pick_get(const struct pick *p, size_t i, struct rr_key *ret_key, struct rr_value *ret_value);

#endif
