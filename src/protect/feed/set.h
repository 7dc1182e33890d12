/* set: a folder of feeds, written together from one walk over what is published.
 *
 *     feed_set_open -> feed_set_item ... -> feed_set_commit, or feed_set_abandon at any time
 *
 * The folder is made when it is not there, and locked meanwhile (.lock in it), so that two who write it wait for no half of each other:
 * the second is told E_LOCKED. The serial is found under that lock (feed/serial.h). Feeds that fail do not hold up the others: each that can be written is. Handle; one thread.
 */
#ifndef DNSMON_PROTECT_FEED_SET_H
#define DNSMON_PROTECT_FEED_SET_H

#include "protect/feed/feed.h"

enum { FEED_SET_MAX = 16 };

struct feed_set;

/* `formats` are FEED_SET_MAX at most, NULL at the end (feed_formats); `about` (copied, its texts and cover borrowed) and `ctx` are for each of
 * them. */
int feed_set_open(struct feed_set **ret, const char *folder, const struct feed_format *const *formats, const struct feed_about *about,
                  void *ctx, struct fault *why) MUST_CHECK;

/* Never fails: a feed that does is told of at the end. */
void feed_set_item(struct feed_set *set, const struct feed_item *item);

/* Ends and frees it. `results` (NULL allowed) has a place for each format; where a feed failed it is zeroed. The first failure is returned. */
int feed_set_commit(struct feed_set **set, struct feed_result *results, struct fault *why) MUST_CHECK;
void feed_set_abandon(struct feed_set **set);

#endif
