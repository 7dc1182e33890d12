/* http: folders of feeds, served by HTTP (RFC 9110) to whoever asks for them again and again.
 *
 * GET and HEAD of /PATH/FILE for the files that feed.h writes and of /PATH/misp/ for those of a MISP feed, by name: no other file has an
 * address, whatever lies in the folder. Each answer has a strong entity tag, which is the digest of the content, and the time of
 * change; If-None-Match, or without it If-Modified-Since, answers 304. Caches may keep them but ask each time (no-cache): a withdrawal
 * must not wait. What is being sent stays whole while a new version takes its name.
 *
 * Two steps, for the port may need root: feed_http_open binds, privileges go, feed_http_start begins. From then on a thread of
 * libmicrohttpd's waits and sends: a feed of half a gigabyte to a slow client, or the reading of one whose digest is not beside it, must not hold up
 * the loop in which the caller answers for zones. It shares nothing with the caller but the counters.
 *
 * Bounds: FEED_HTTP_CONNECTIONS in all and FEED_HTTP_PER_CLIENT of an address, 16 KiB each; one that is idle for FEED_HTTP_IDLE_S ends. No
 * TLS and no passwords: it listens on the loopback unless told otherwise, and a proxy may stand before it. Handle type.
 */
#ifndef DNSMON_PROTECT_FEED_HTTP_H
#define DNSMON_PROTECT_FEED_HTTP_H

#include "base/fault.h"
#include "protect/feed/feed.h"

enum { FEED_HTTP_CONNECTIONS = 64, FEED_HTTP_PER_CLIENT = 16, FEED_HTTP_IDLE_S = 30, FEED_HTTP_MOUNTS = 16 };

/* A folder and where it is seen: "" = at the root, "high" = below /high/. Copied. */
struct feed_mount {
    const char *path;
    const char *folder;
    const struct feed_format *const *formats; /* more than those of feed.h, NULL at the end; or NULL */
};

struct feed_http;

/* `address` is "192.0.2.1" or "2001:db8::1", NULL = 127.0.0.1; port 0 = any that is free. E_LIMIT: more than FEED_HTTP_MOUNTS. */
int feed_http_open(struct feed_http **ret, const char *address, uint16_t port, const struct feed_mount *mounts, size_t count,
                   struct fault *why) MUST_CHECK;
uint16_t feed_http_port(const struct feed_http *http);

int feed_http_start(struct feed_http *http, struct fault *why) MUST_CHECK;
void feed_http_close(struct feed_http **http); /* ends what is being sent */

/* Any thread, at any time. */
struct feed_http_counts {
    uint64_t sent, unchanged, absent, refused; /* 200, 304, 404, and 405 or 500 */
    uint64_t bytes;                            /* of content, of answers that have begun */
};
struct feed_http_counts feed_http_counts(const struct feed_http *http);

#endif
