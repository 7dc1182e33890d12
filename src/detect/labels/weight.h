/* weight: how little a host label says of itself, before anybody is counted (labels/note.md). Pure; any thread. */
#ifndef DNSMON_DETECT_LABELS_WEIGHT_H
#define DNSMON_DETECT_LABELS_WEIGHT_H

#include <stddef.h>

/* 0: everybody's or without meaning of its own (www2, em4821, 10-0-0-1); 1: nobody chooses it by chance. */
double label_weight(const char *label, size_t len);

/* The part in front of the first separator or of the digits at the end, when that is worth comparing; else 0. */
size_t label_stem(const char *label, size_t len);

#endif
