/* formats: those of this folder; each file says what its consumer wants, and cannot. */
#ifndef DNSMON_PROTECT_FEED_FORMATS_H
#define DNSMON_PROTECT_FEED_FORMATS_H

#include "protect/feed/feed.h"

extern const struct feed_format feed_rpz, feed_hosts, feed_adblock, feed_dnsmasq, feed_unbound, feed_cdb, feed_suricata, feed_zeek,
    feed_stix, feed_misp, feed_policy;

#endif
