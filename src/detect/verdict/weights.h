/* weights: the numbers by which evidence is judged, read from one reviewed text (weights.tsv).
 *
 * docs/design/verdict.md has the format and what each number does. Value type without pointers; immutable after parsing, so any
 * thread may use it.
 */
#ifndef DNSMON_DETECT_VERDICT_WEIGHTS_H
#define DNSMON_DETECT_VERDICT_WEIGHTS_H

#include "base/bytes.h"
#include "base/fault.h"
#include "detect/group.h"
#include "detect/verdict/level.h"

/* The groups of detectors, and what membership of a blocked campaign says. */
enum { JUDGED_CAMPAIGN = GROUPS, JUDGED_GROUPS };
const char *judged_group_text(unsigned group);

/*  XX(identifier, smallest, largest) */
#define VERDICT_RULE_MAP(XX)         \
    XX(family_min, 1, 12)            \
    XX(external_min, 1, 12)          \
    XX(exonerate_anchor, 1, 12)      \
    XX(popular_days, 1, 365)         \
    XX(popular_share, 0, 1)          \
    XX(infrastructure_min, 1, 1e6)   \
    XX(established_days, 1, 365)     \
    XX(blast_clients, 1, 1e9)        \
    XX(blast_share, 0, 1)            \
    XX(fade_days, 0, 365)            \
    XX(fade_half_days, 1, 3650)      \
    XX(fall_hours, 1, 8760)

enum {
    WEIGHTS_BYTES_MAX = 65536,
    WEIGHTS_CONCLUSIVE = 16,
    WEIGHTS_NAME = 32,    /* bytes of a detector's name, with its NUL */
    WEIGHTS_DIGEST = 17,  /* hexadecimal, with its NUL */
};

struct verdict_weights {
    double intercept;
    double weight[JUDGED_GROUPS]; /* >= 0 */
    double cap[JUDGED_GROUPS];    /* nats */
    double level[VERDICT_LEVELS]; /* least score; of watch, suspicious and high_risk */
    struct {
#define XX(name, least, most) double name;
        VERDICT_RULE_MAP(XX)
#undef XX
    } rule;
    struct {
        char detector[WEIGHTS_NAME];
        double strength;
    } conclusive[WEIGHTS_CONCLUSIVE];
    unsigned n_conclusive;
    char digest[WEIGHTS_DIGEST];
};

/* Those that are compiled in. */
const char *weights_text(void);
void weights_default(struct verdict_weights *ret);

/* E_MALFORMED: a line that is none, a number out of its range, something twice or missing; `why` names the line. */
int weights_parse(const char *text, size_t len, struct verdict_weights *ret, struct fault *why) MUST_CHECK;

/* --weights FILE. */
int weights_read(const char *path, struct verdict_weights *ret, struct fault *why) MUST_CHECK;

#endif
