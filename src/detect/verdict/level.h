/* level: how bad a name is held to be, and how much of it (docs/design/verdict.md): the ledger's words. */
#ifndef DNSMON_DETECT_VERDICT_LEVEL_H
#define DNSMON_DETECT_VERDICT_LEVEL_H

#include "knowledge/verdict.h"

#endif
