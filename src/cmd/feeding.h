/* feeding: the feeds of all views, written into folders: DIR/ZONE/FILE.
 *
 *     feeding_write      once, for whoever has no server running
 *     feeding_start      a thread of its own, which writes them again after each version; a handle and a transaction of its own, so
 *                        that a feed of millions holds up nobody
 *
 * Files appear whole or not at all, and change only when they say something else (protect/feed/feed.h). What is published is walked twice: first
 * for the domains that cover others and for the serial of each zone, then for the items. After them comes what operators allow below a domain
 * that is blocked, by a look-up for each name above it.
 */
#ifndef DNSMON_CMD_FEEDING_H
#define DNSMON_CMD_FEEDING_H

#include "cmd/config.h"
#include "cmd/published.h"
#include "protect/feed/http.h"

/* Feeds of what is published now. `store` may be NULL: then first_seen is what indicators say. */
int feeding_write(const struct protection *p, struct knowledge *k, struct store *store, struct fault *why) MUST_CHECK;

/* DIR/ZONE of a view; E_LIMIT when that is too long. */
enum { FEEDING_PATH_MAX = 1024 };
int feeding_folder(const struct protection *p, const struct protection_view *view, char path[FEEDING_PATH_MAX], struct fault *why) MUST_CHECK;

/* Where the feeds are seen by HTTP, at most FEED_HTTP_MOUNTS: /ZONE/FILE of each view. Opens, but does not start. */
int feeding_listen(struct feed_http **ret, const struct protection *p, struct fault *why) MUST_CHECK;

struct feeding;
/* The settings are borrowed. */
int feeding_start(struct feeding **ret, const struct settings *settings, struct fault *why) MUST_CHECK;
void feeding_stop(struct feeding **f);

#endif
