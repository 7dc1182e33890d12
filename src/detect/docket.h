/* docket: the names that something stands against, with what stands.
 *
 * A registered domain is on the docket while a finding stands that speaks for harm or for one program; what else is said of it (how new
 * it is, that people ask for it) is kept as long. A row's weight is the one of its last ledger row, so that a verdict follows from the
 * ledger. Kept from run to run as memos, as of the start of a period. Handle; one thread.
 */
#ifndef DNSMON_DETECT_DOCKET_H
#define DNSMON_DETECT_DOCKET_H

#include "detect/findings.h"
#include "detect/inspection.h"
#include "detect/verdict/judge.h"
#include "knowledge/knowledge.h"

struct docket_row {
    uint16_t detector;   /* index in detectors() */
    struct slice owner;  /* the domain or a host */
    double weight;
    uint32_t since;      /* step of its first ledger row */
    const struct slice *peers;
    unsigned n_peers;
};

/* What the ledger's current verdict says, so that a row is written when it changes. */
struct docket_verdict {
    struct slice owner;
    enum verdict_level level;
    int64_t campaign;
    uint32_t valid_until; /* hour, of the indicator; 0 = none */
};

struct docket_name {
    struct slice owner;
    const char *name;
    struct docket_row *rows;
    size_t n_rows, rows_room;
    struct figures figures;        /* of the last time it was looked at; hosts are the name's own */
    struct verdict_memory memory;
    struct docket_verdict *verdicts; /* of the domain first, then of hosts */
    size_t n_verdicts, verdicts_room;
    uint32_t watched_since; /* step in which it was entered */
    uint32_t idle_since;    /* step since which nothing stands and nothing is held against it; 0 = not so */
    int64_t campaign;
    bool passes_on; /* struct judgement */
    bool apart;    /* exonerated, infrastructure or allowed: no member of a campaign */
    bool changed;  /* rows, since it was judged */
    bool unsaved;
};

struct docket;

int docket_create(struct docket **ret, struct fault *why) MUST_CHECK;
void docket_destroy(struct docket **d);

/* NULL when it is not on it. Names stay where they are. */
struct docket_name *docket_find(const struct docket *d, struct slice owner);
struct docket_name *docket_enter(struct docket *d, struct slice owner, uint32_t step, struct fault *why) MUST_CHECK; /* NULL: no memory */

/* Copies them, in place of the former. */
int docket_figures_put(struct docket_name *n, const struct figures *f, struct fault *why) MUST_CHECK;

/* By owner; borrowed until the next entry or removal. */
size_t docket_names(struct docket *d, struct docket_name *const **ret);

/* Without rows, and its verdicts are benign or none. */
bool docket_is_idle(const struct docket_name *n);
/* Those idle since before the step. */
void docket_remove_idle(struct docket *d, uint32_t before);

/* Bytes that live as long as the docket; ptr NULL: no memory. */
struct slice docket_copy(struct docket *d, struct slice from);

/* A row is added or replaced (weight 0 removes it); copies what it gets. */
struct docket_row *docket_row_find(struct docket_name *n, uint16_t detector, struct slice owner);
int docket_row_put(struct docket *d, struct docket_name *n, const struct docket_row *row, struct fault *why) MUST_CHECK;

/* Comparing findings count when they are seen at two ends of periods in a row. Tells of each finding what counts of it (0 = seen for
 * the first time) and remembers it for the next time. Findings must come in one call a period. */
int docket_confirm(struct docket *d, const struct kept_finding *findings, size_t n, double *ret_strengths, struct fault *why) MUST_CHECK;

/* Memos. Save writes what is unsaved, removes what is gone. */
int docket_load(struct docket *d, struct knowledge *k, struct fault *why) MUST_CHECK;
int docket_save(struct docket *d, struct knowledge *k, struct fault *why) MUST_CHECK;

/* A name's memo as text, which the caller frees (NULL: no memory), and back: it enters the docket. E_CORRUPT: not such a text. */
char *docket_name_text(const struct docket_name *n);
int docket_name_load(struct docket *d, const char *name, const char *text, struct fault *why) MUST_CHECK;

#endif
