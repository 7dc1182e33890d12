/* scenario: the YAML file of `dnsmon simulate` (docs/scenarios.md) into a struct scenario. */
#ifndef DNSMON_CMD_SCENARIO_H
#define DNSMON_CMD_SCENARIO_H

#include "simulate/simulate.h"

/* Defaults, and the file over them. E_MALFORMED with "file:line: what" when it is not a scenario; whether its numbers
 * can be simulated is for scenario_check to say. */
int scenario_load(struct scenario *s, const char *path, struct fault *why) MUST_CHECK;

#endif
