/* knowledge: what is known beyond traffic: evidence, verdicts, campaigns, indicators, the operator's word.
 *
 * One SQLite file, knowledge.db in the database folder (docs/format/knowledge.md). This header opens it and bounds
 * transactions; evidence.h, verdict.h, campaign.h, indicator.h, decision.h, funnel.h and analysis.h say what is in it.
 *
 * All functions return 0 or a negative code with a fault that names the file. Times are given by the caller: nothing here reads
 * a clock. The file is outside bytes: it is opened defensively, its schema must be ours, and a damaged file
 * is reported, never made anew. Handle; one thread. Any number of handles, in any processes: readers go on while one
 * writes, a second writer waits KNOWLEDGE_BUSY_MS, then E_LOCKED.
 */
#ifndef DNSMON_KNOWLEDGE_KNOWLEDGE_H
#define DNSMON_KNOWLEDGE_KNOWLEDGE_H

#include "base/fault.h"
#include "dns/name.h"

#include <stdbool.h>
#include <stdint.h>

struct knowledge;

#define KNOWLEDGE_FILE "knowledge.db"

enum { KNOWLEDGE_BUSY_MS = 10000, KNOWLEDGE_HOUR_S = 3600 };
enum { KNOWLEDGE_TEXT_MAX = 4 << 20 /* bytes of the texts of one row; more is E_LIMIT */ };

enum knowledge_mode {
    KNOWLEDGE_READ,  /* E_ABSENT when there is none; E_VERSION when it is of an older version */
    KNOWLEDGE_WRITE, /* creates it when absent, brings an older version forward */
};

int knowledge_open(struct knowledge **ret, const char *dir, enum knowledge_mode mode, struct fault *why) MUST_CHECK;
void knowledge_close(struct knowledge **k); /* an open transaction is rolled back */

/* A transaction: of a writer, alone and all or nothing; of a reader, one view of the file. They do not nest. Writing functions
 * called outside of one make their own. After a write failed within one, commit rolls back and tells that failure. */
int knowledge_begin(struct knowledge *k, struct fault *why) MUST_CHECK;
int knowledge_commit(struct knowledge *k, struct fault *why) MUST_CHECK;
void knowledge_rollback(struct knowledge *k); /* harmless without a transaction */

/* Another number than before when somebody else has committed something since. A few microseconds: for whoever waits for changes. */
int knowledge_stamp(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;

/* Callbacks get one row, whose texts are valid until they return. They return 0 to go on; anything else ends the walk and
 * is returned. They may call any function here; what they write may or may not be met by the walk. */

enum { KNOWLEDGE_NOW = 0 }; /* "as of" no step in particular: what holds now */

/* What is said of a name and all below it, or of the name alone. */
enum scope { SCOPE_DOMAIN, SCOPE_HOST };
const char *scope_text(enum scope scope);
bool scope_parse(const char *text, enum scope *ret);

/* Names as they are stored: lower-case presentation form without the final dot. Each returns the length, 0 when it is no name
 * or the root. Every function takes names in this form and answers E_USAGE to others. */
size_t knowledge_name(const uint8_t *owner_key, size_t len, char text[NAME_TEXT_MAX]);
size_t knowledge_name_from_text(const char *any, char text[NAME_TEXT_MAX]);
size_t knowledge_key(const char *text, uint8_t key[NAME_KEY_MAX]);
/* The domain above a stored name, within it; NULL above the last label. Whether a name is a domain, or lies below it. */
const char *knowledge_parent(const char *name);
bool knowledge_is_within(const char *name, const char *domain);

/* For dnsmon fsck: a line for each damage of the file in `dir`; without a file there is none. SQLite's own check, and
 * what docs/format/knowledge.md promises. A fault is what kept it from looking. */
int knowledge_check(const char *dir, void (*report)(void *ctx, const char *line), void *ctx, uint64_t *ret_damages,
                    struct fault *why) MUST_CHECK;

#endif
