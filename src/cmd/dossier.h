/* dossier: all that the ledger says about a registered domain, as one JSON document, which is what `dnsmon explain` tells.
 *
 *     name, as_of, analysed_until
 *     verdicts   what holds: of the domain, then of its hosts
 *                name, scope, level, score, decided_at, since, reason
 *     evidence   what stands, of the domain and its hosts, the strongest first
 *                name, scope, detector, group, weight, since, said_at, summary, facts
 *     campaign   identity, title, born, members: [{name, joined, why, level, score}], or null
 *     words      of operators: at, author, action, name, scope, reason, until, revoked
 *     history    what was said and decided, in order of time; of one hour what was said comes first
 *                at, and of a verdict level, score, decided; of evidence name, detector, group, weight, summary
 *
 * Times are seconds since 1970; those of verdicts, evidence and campaigns are of data, the end of the hour that is spoken of; those of
 * words are of the wall clock. Texts come from a file: they are UTF-8, but may hold anything.
 */
#ifndef DNSMON_CMD_DOSSIER_H
#define DNSMON_CMD_DOSSIER_H

#include "knowledge/knowledge.h"

#include <jansson.h>

enum {
    DOSSIER_ROWS = 4096,   /* rows of a list; further ones are counted in `NAME_left_out` */
    DOSSIER_MEMBERS = 1024,
};

/* `domain` as knowledge writes names; `as_of` a step or KNOWLEDGE_NOW. The caller frees it. */
int dossier_make(json_t **ret, struct knowledge *k, const char *domain, int64_t as_of, struct fault *why) MUST_CHECK;

#endif
