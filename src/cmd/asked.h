/* asked: the activity records of a name, hour by hour and, of times long ago, day by day, for the commands that read them.
 *
 * A name is taken once, then read as often as one likes. Value type, large (it holds a decoded day); one thread.
 */
#ifndef DNSMON_CMD_ASKED_H
#define DNSMON_CMD_ASKED_H

#include "dns/suffix.h"
#include "record/day.h"
#include "store/store.h"

enum asked_as {
    ASKED_BEST,   /* a registered domain as such, other names as hosts */
    ASKED_DOMAIN, /* the registered domain that the name is or belongs to */
    ASKED_HOST,
};

struct asked {
    uint8_t kind; /* KIND_HOST or KIND_DOMAIN */
    uint8_t key[NAME_KEY_MAX];
    struct slice owner;
    char name[NAME_TEXT_MAX]; /* with the final dot */
    size_t name_len;
    struct day now; /* what is being handed over; of an hour, `all` alone */
};

/* E_USAGE: it is no name; it is a public suffix where a registered domain is wanted. `list` may be NULL for ASKED_HOST. */
int asked_take(struct asked *ret, const char *text, enum asked_as as, const struct suffix_list *list,
               struct fault *why) MUST_CHECK;

/* The same name as the other kind; the owner has to be a registered domain. */
void asked_turn(struct asked *a);

/* Hours of a span of time: from the one that `from` lies in to the one before `to`, or that it lies in. Seconds; 0 and INT64_MAX = open. */
struct asked_span {
    uint64_t from, end; /* hours, `end` not included */
};
struct asked_span asked_span(int64_t from_s, int64_t to_s);

/* A query that was not seen has left its answer: both are counted. */
uint64_t asked_count(const struct activity *a);

/* The whole sample of clients, sub-names. */
bool asked_all_clients(const struct activity *a);
bool asked_all_names(const struct activity *a);

/* In rising order. The sink returns 0 to go on, ASKED_STOP to end well, or a fault. */
enum { ASKED_STOP = 1 };
typedef int (*asked_sink)(void *ctx, uint32_t hour, const struct activity *a, struct fault *why);
int asked_each(struct asked *a, struct store *store, struct asked_span span, asked_sink sink, void *ctx,
               struct fault *why) MUST_CHECK;

/* Days of which retention has left no hours, likewise: those that the span touches. Late data may give a day that has hours, too: neither
 * holds what the other has. */
typedef int (*asked_day_sink)(void *ctx, uint32_t day, const struct day *d, struct fault *why);
int asked_each_day(struct asked *a, struct store *store, struct asked_span span, asked_day_sink sink, void *ctx,
                   struct fault *why) MUST_CHECK;

/* Whether there is anything in any hour or day; false when it cannot be read. */
bool asked_ever(struct asked *a, struct store *store);

#endif
