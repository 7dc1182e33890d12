/* profiles: the profiles of all registered domains at the start of a period, as one sorted file (docs/format/analysis.md).
 *
 * A table as the store writes them: a profile a registered domain, by owner key, then the network's hours. Read and written from front
 * to back, beside the activity of the hours between. Handles; one thread each.
 */
#ifndef DNSMON_DETECT_PROFILES_H
#define DNSMON_DETECT_PROFILES_H

#include "detect/profile.h"
#include "detect/scene.h"

enum {
    PROFILES_HOURS = 2 * WINDOW_STEPS, /* of the network that are kept */
    PROFILES_FORGET = 400 * DAY_STEPS, /* silent for so long: no profile any more. The name table goes on knowing */
};

/* ---- reading ---- */

struct profiles_reader;

/* E_ABSENT when there is no such file; E_CORRUPT when it is not what the digest says. */
int profiles_open(struct profiles_reader **ret, const char *path, uint64_t digest, struct fault *why) MUST_CHECK;
void profiles_close(struct profiles_reader **r);

/* The period that begins; the database's first hour; the network's hours before, rising: borrowed. */
uint32_t profiles_period(const struct profiles_reader *r);
uint32_t profiles_first(const struct profiles_reader *r);
size_t profiles_hours(const struct profiles_reader *r, const struct network_hour **ret);

/* From the first. ret_owner->ptr NULL at the end; views are valid until the next call. */
int profiles_next(struct profiles_reader *r, struct slice *ret_owner, struct profile *ret, struct fault *why) MUST_CHECK;

/* ---- writing ---- */

struct profiles_writer;

int profiles_create(struct profiles_writer **ret, const char *path, uint32_t period, uint32_t first,
                    struct fault *why) MUST_CHECK;
/* By rising owner. */
int profiles_add(struct profiles_writer *w, struct slice owner, const struct profile *p, struct fault *why) MUST_CHECK;
/* Adds the last PROFILES_HOURS of the network's hours. Durable, but for the folder. The writer is spent either way. */
int profiles_finish(struct profiles_writer **w, const struct network_hour *hours, size_t n_hours, uint64_t *ret_digest,
                    struct fault *why) MUST_CHECK;
void profiles_abandon(struct profiles_writer **w);

#endif
