/* outlook: what would change a verdict, worked out from its reason (judgement_put) and the weights it was judged by. */
#ifndef DNSMON_CMD_OUTLOOK_H
#define DNSMON_CMD_OUTLOOK_H

#include "knowledge/verdict.h"

#include <jansson.h>

/* Sentences, an array of strings; the caller frees it. NULL when there is no memory. `reason`, and `level`, as text, of a dossier's verdict. */
json_t *outlook_make(const json_t *reason, const char *level);

#endif
