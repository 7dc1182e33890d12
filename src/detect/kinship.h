/* kinship: which names share rare things far above chance. What comparing detectors have in common.
 *
 * A name is a set of tokens: clients that ask for it, hours in which its demand changed. Two names are kin when their sets are
 * equal but for some misses. Two hypotheses for a pair A, B, seen from A's tokens:
 *
 *     one program   a token of A is B's, too, with probability `q`
 *     chance        with p = max(breadth(B) * degree(token) / sum of breadths, breadth(B) / number of tokens, P_MIN): the expected
 *                   number of edges between them when edges are dealt at random to names and tokens of these degrees (Chung and Lu
 *                   2002); but not less than the share of all tokens that B has: what everybody asks for is no kinship. P_MIN, a
 *                   hundredth, is kinship of interests: so no token alone is worth more than log(q / P_MIN), 4.4 nats
 *
 *     LLR(A -> B) = sum over shared tokens with p < q of log(q / p)  +  number of tokens not shared * log(1 - q)
 *
 * (1 - p is taken for 1 in the last term, which errs against kinship). The score of a pair is the smaller of both directions less the
 * logarithm of the number of names, for any of them might have been the other. Where a set is a sample of those of smallest
 * number (`limit`), both are looked at up to the smaller limit only: samples of equal order are samples of one another (Broder 1997).
 *
 * Candidates have common keys: hashes of `together` tokens out of the 5 rarest of a set, and out of its 5 first in a fixed random
 * order (prefix filtering, Chaudhuri et al. 2006, and MinHash). In a bucket a name meets its WINDOW next ones only. So cost is
 * linear in names: at most 20 keys and MEETINGS pairs each. What was left out is counted. Kin share many keys, so they meet early.
 *
 * How large scores get without a cause is not known from theory: clients have tastes, hours have rhythms. It is measured on decoys: sets
 * in which the tokens were shuffled, handed in by the detector. How many names of the panel have a partner as close says how
 * common such kinship is here, whatever its cause; that is told, but does not lower a strength: a program is one, however many there are.
 *
 * Values; memory is freed by kinship_result_release. Deterministic: depends on the sets alone, in their order. Any thread.
 * Memory: 84 bytes a name with keys for candidates, as much again while they are sorted, 68 for partners.
 */
#ifndef DNSMON_DETECT_KINSHIP_H
#define DNSMON_DETECT_KINSHIP_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "base/bytes.h"
#include "base/fault.h"

enum {
    KINSHIP_PARTNERS = 8,
    KINSHIP_WINDOW = 8,
    KINSHIP_MEETINGS = 40,
    KINSHIP_PREFIX = 5,
    KINSHIP_KEYS = 20, /* twice as many as there are pairs, or triples, of KINSHIP_PREFIX */
    KINSHIP_SETS_MAX = 1 << 24,
    KINSHIP_WHOLE = INT32_MAX, /* as limit */
};

struct kinship_sets {
    size_t n;               /* at most KINSHIP_SETS_MAX */
    const uint32_t *begin;  /* n + 1: where the tokens of a set begin */
    const uint32_t *tokens; /* rising in a set, below n_tokens */
    uint32_t n_tokens;
    const float *breadth;   /* how many tokens the whole set has; at least 1 */
    const uint32_t *limit;  /* largest token that the set knows of, or KINSHIP_WHOLE */
};

struct kinship_rule {
    unsigned together;   /* 2 or 3: tokens that make a key; with fewer in common no pair has a score */
    double q;
    uint64_t seed;       /* of the random order */
    /* What a pair with `shared` tokens in common scores after all; 0: does not count. Asked of pairs whose score is above -`more`, which is
     * the most that this may add. */
    double (*weigh)(void *context, size_t a, size_t b, unsigned shared, double score);
    double more;
    void *context;
};

struct kinship_partner {
    uint32_t other;
    float score;      /* nats, above zero */
};

struct kinship_count {
    uint64_t keys;        /* names under keys that others have, too */
    uint64_t pairs;       /* scored */
    uint64_t left_out;    /* names that a bucket held beyond the window of another */
    uint64_t wide_buckets; /* with more than KINSHIP_WINDOW + 1 names */
    uint64_t cut_short;   /* names that would have met more than KINSHIP_MEETINGS others behind them */
};

struct kinship_result {
    size_t n;
    struct kinship_partner (*partners)[KINSHIP_PARTNERS]; /* of each set, best first; score 0 ends */
    struct kinship_count count;
};

int kinship_find(const struct kinship_sets *sets, const struct kinship_rule *rule, struct kinship_result *ret) MUST_CHECK;
void kinship_result_release(struct kinship_result *r);

/* In how many sets each token is; n_tokens of them, to be freed. NULL: no memory. */
uint32_t *kinship_degrees(const struct kinship_sets *sets);

/* All of it. */
struct kinship_ground {
    double edges;  /* between names and tokens: the sum of breadths */
    double tokens; /* different ones: counted, or the breadth of the broadest name where samples show fewer */
};
struct kinship_ground kinship_ground(const struct kinship_sets *sets, const uint32_t *degree);

/* One pair, for facts. */
struct kinship_pair {
    unsigned shared, only_a, only_b; /* up to the common limit */
    double expected;                 /* shared by chance */
    double score;                    /* before the logarithm of the number of names is taken off */
};
struct kinship_pair kinship_pair(const struct kinship_sets *sets, const uint32_t *degree, const struct kinship_ground *ground, double q,
                                 size_t a, size_t b);

/* What one token can say at most, nats. */
double kinship_token_most(double q);

/* What scores are worth. */
struct kinship_scale {
    size_t decoys;       /* sets in the decoy result */
    double tail_from;    /* the score that `tail_share` of the decoys reach; above it their maxima fall off exponentially */
    double tail_share;
    double tail_mean;    /* mean excess over it, at least 1: likelihood ratios have P(LLR >= x) <= exp(-x) under chance */
    float *decoy;        /* maxima, falling */
    size_t names;        /* sets in the real one */
    float *name;         /* maxima, falling */
};

int kinship_scale_make(const struct kinship_result *real, const struct kinship_result *decoy, struct kinship_scale *ret) MUST_CHECK;
void kinship_scale_release(struct kinship_scale *s);

/* P of a decoy with a best score as large, and the share of the panel's names with one. */
double kinship_decoy_share(const struct kinship_scale *s, double score);
double kinship_panel_share(const struct kinship_scale *s, double score);

/* Nats: the smaller of the score itself and the most that a decoy share p can say for the alternative as a p-value,
 * -log(-e p log p) for p < 1/e, else 0 (Sellke, Bayarri and Berger 2001). */
double kinship_strength(const struct kinship_scale *s, double score);

/* The partners of set i that are worth FINDING_MIN, best first, as peers of its finding: `owners` are of the sets. */
struct portrait;
unsigned kinship_peers(const struct kinship_result *r, const struct kinship_scale *s, size_t i, const struct portrait *const *owners,
                       struct slice peers[KINSHIP_PARTNERS]);

/* Members of the facts that both detectors have: what the score was held against, and what was compared and left out. */
struct facts;
void kinship_facts(const struct kinship_result *r, const struct kinship_scale *s, double score, struct facts *to);

/* Entries with a 32-bit key above a 32-bit item, stably by key; `spare` has room for n. Shared with those who make tokens. */
void kinship_sort(uint64_t *entries, uint64_t *spare, size_t n);

#endif
