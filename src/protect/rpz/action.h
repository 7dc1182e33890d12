/* action: what a policy zone does with a trigger, as text and as records (draft-vixie-dnsop-dns-rpz-00, 3).
 *
 *     nxdomain                CNAME .
 *     nodata                  CNAME *.
 *     passthru                CNAME rpz-passthru.
 *     drop                    CNAME rpz-drop.
 *     garden NAME             CNAME NAME
 *     garden ADDRESS...       A and AAAA, up to ACTION_GARDEN_MAX
 *
 * Records are kept as they go into messages, but for the owner (protect/tail.h). Value type. One thread.
 */
#ifndef DNSMON_PROTECT_RPZ_ACTION_H
#define DNSMON_PROTECT_RPZ_ACTION_H

#include "base/fault.h"
#include "dns/name.h"

enum { ACTION_GARDEN_MAX = 16 };

struct action {
    char *text;
    uint8_t *tails; /* each behind its length, 16 bits */
    size_t len;
};

/* E_MALFORMED with a reason, E_NOMEM. */
int action_make(struct action *ret, const char *text, uint32_t ttl_s, struct fault *why) MUST_CHECK;
void action_release(struct action *action);

/* The n-th record, from 0; its pointer is NULL when there are fewer. */
struct slice action_tail(const struct action *action, unsigned n);

#endif
