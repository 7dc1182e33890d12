/* enforce: what an operator's word does at once, without waiting for the next analysis.
 *
 * Allow: verdicts and indicators of the name, and of what lies below it, are taken back. Block: the name is malicious by the
 * operator, and an indicator. Feedback: what is enforced without an operator's block is suspicious, and its indicators are held.
 * Analysis keeps to the word from then on.
 *
 * A word that is taken back, or has come to its end, gives back what was decided before it. When analysis has already judged by it that
 * is not known any more: a block ends, what was allowed or objected to stays so, and the next hour that is analysed judges all of
 * it anew. Within the caller's transaction.
 */
#ifndef DNSMON_CMD_ENFORCE_H
#define DNSMON_CMD_ENFORCE_H

#include "knowledge/decision.h"

/* `revoked`: the word was taken back. */
int enforce_word(struct knowledge *k, const struct decision *d, bool revoked, struct fault *why) MUST_CHECK;

/* Whether an indicator is there by a block alone of which the end has come; `now` is the wall clock's. */
struct indicator;
bool enforce_has_ended(const struct indicator *i, int64_t now);

/* Takes such back: names that nobody asks for are judged by no analysis. */
int enforce_ended(struct knowledge *k, int64_t now, struct fault *why) MUST_CHECK;

#endif
