/* beat: do clients ask at near-constant intervals?
 *
 * Ask times become events (asks close together are one: retries, A beside AAAA), events become gaps. What lies behind the
 * 32 ask times that an hour keeps, and hours with a full sample, was not seen: gaps across it are dropped. Each gap is judged
 * by two densities:
 *
 *     people   log-normal about the client's own mean, of deviation 1 or its own if more (its peak is that of a Poisson process' gaps);
 *              or the same of what is above the answer's TTL, where a cache decides when one may ask again (TTL not known: of a common one,
 *              that fits best)
 *     beat     near k T for k - 1 missed beats, uniform to +-J/sqrt(k); a share is anything (restarts, other uses)
 *
 * and log-likelihood ratios add up: over gaps (at most two an hour and client count: they are not independent), over clients of
 * one T, of which each may not take part, less what was tried (Bonferroni). note.md of the rhythm detector has formula, reasons and figures.
 *
 * Which of a client's gaps are longer than a burst is tried in two ways, so `seen` and `gaps` are those of the better one.
 * Pure; any thread; no allocation; some 150 KiB of stack. Time: of gaps, at most BEAT_TOTAL; note.md has figures.
 */
#ifndef DNSMON_DETECT_BEAT_H
#define DNSMON_DETECT_BEAT_H

#include "detect/subject.h"

enum {
    BEAT_CLIENTS = 16, /* looked at: those with the most ask times */
    BEAT_GAPS = 192,   /* of each, the latest */
    BEAT_TOTAL = 512,  /* of all */
    BEAT_MIN_S = 80,        /* caches of browsers keep names for a minute, whatever the TTL */
    BEAT_MAX_S = 18 * 3600, /* what people do, they do every day */
    BEAT_MISSED = 8,        /* largest k */
};

struct beat {
    double nats;      /* for a beat; 0 or below: none. No gaps or none near one another: 0 */
    bool sustained;   /* long enough, and most of the time, to be told (see beat.c) */
    double period_s;
    double jitter;    /* J of the model that fits best */
    unsigned clients; /* that take part */
    unsigned looked;  /* clients with a gap */
    unsigned seen;    /* gaps of all these */
    double spread;    /* deviation of the logs of these, about each client's mean */
    unsigned gaps;    /* of those that take part */
    unsigned on_beat; /* of them */
    unsigned missed;  /* of on_beat, those over two periods or more */
    double span_s;    /* the longest of a client */
    double coverage;  /* share of the time that is on the beat */
};

/* `ttl_s`: subject_ttl(). */
struct beat beat_find(const struct subject *s, uint32_t ttl_s);

/* The same with subject_ttl(), found once for a view (memo.h). */
struct beat beat_of(const struct subject *s);

/* The longest TTL of answers in the view; 0 = not known. */
uint32_t subject_ttl(const struct subject *s);

#endif
