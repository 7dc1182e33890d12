/* enforce: what an operator's word does at once, without waiting for the next analysis.
 *
 * Allow: verdicts and indicators of the name, and of what lies below it, are taken back. Block: the name is malicious by the
 * operator, and an indicator. Block revoked: both end. Feedback: what is enforced without an operator's block is suspicious,
 * and its indicators are held. What another word did stays, once that is revoked, until the next hour is analysed. Analysis keeps to
 * the word from then on. Within the caller's transaction.
 */
#ifndef DNSMON_CMD_ENFORCE_H
#define DNSMON_CMD_ENFORCE_H

#include "knowledge/decision.h"

/* `revoked`: the word was taken back. */
int enforce_word(struct knowledge *k, const struct decision *d, bool revoked, struct fault *why) MUST_CHECK;

#endif
