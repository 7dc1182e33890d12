/* channel: what a domain's sub-names carried in one hour of activity, if somebody spoke through them.
 *
 *     carried = different sub-names * length * entropy a character / 8      bytes
 *
 * The mean of length * entropy is over the hour's sample of sub-names, whose hashes decide who is in it. A name asked for again
 * carries nothing new, so names count and questions do not. 0 when the hour cannot be a channel: few names, reversed addresses
 * (PTR), or mostly denials, which is typing, probing, or an attack on the name's servers. Pure; any thread. */
#ifndef DNSMON_DETECT_CHANNEL_H
#define DNSMON_DETECT_CHANNEL_H

#include "record/activity.h"

enum {
    CHANNEL_NAMES = 30,   /* an hour has at least */
    CHANNEL_BYTES = 1024, /* above this a name is worth a look, however young or old */
};

uint32_t channel_carried(const struct activity *a);

#endif
