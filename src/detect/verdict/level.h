/* level: how bad a name is held to be, and how much of it (docs/design/verdict.md). */
#ifndef DNSMON_DETECT_VERDICT_LEVEL_H
#define DNSMON_DETECT_VERDICT_LEVEL_H

/* Rising. */
enum verdict_level { VERDICT_BENIGN, VERDICT_WATCH, VERDICT_SUSPICIOUS, VERDICT_HIGH_RISK, VERDICT_MALICIOUS, VERDICT_LEVELS };
const char *verdict_level_text(enum verdict_level level);

enum scope { SCOPE_DOMAIN, SCOPE_HOST };

#endif
