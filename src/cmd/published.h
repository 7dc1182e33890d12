/* published: what is to be blocked as items of feeds, with what the knowledge says of it; and two formats that tell all of it, jsonl and
 * csv, in the words of cmd/finding.h.
 */
#ifndef DNSMON_CMD_PUBLISHED_H
#define DNSMON_CMD_PUBLISHED_H

#include "cmd/finding.h"
#include "protect/feed/feed.h"

/* Their ctx is a struct finding_from. Both, NULL at the end, as struct feed_mount wants them. */
extern const struct feed_format published_jsonl, published_csv;
extern const struct feed_format *const published_formats[];

/* Of these two and those of feed.h; NULL: there is none. */
const struct feed_format *published_format(const char *name);

/* One item for feed_item; texts that it borrows are valid until the next one of the same struct published. Value type. */
struct published {
    struct finding_from from;
    struct buffer campaign, evidence;
};

void published_init(struct published *p, const struct finding_from *from);
void published_release(struct published *p);

/* Of a publication, without action and garden, which are of its view: NXDOMAIN. A format that tells looks up the rest itself: to name it
 * saves the work; NULL is for several. */
int published_item(struct published *p, const struct publication *publication, const struct feed_format *format, struct feed_item *ret,
                   struct fault *why) MUST_CHECK;

/* An indicator as the publication that it would be. */
int published_indicator(const struct finding_from *from, const struct indicator *i, struct publication *ret, struct fault *why) MUST_CHECK;

#endif
