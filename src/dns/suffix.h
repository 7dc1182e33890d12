/* suffix: the registered domain of a name by the Public Suffix List.
 *
 * https://publicsuffix.org/list/ with its private section; rules, wildcards and
 * exceptions as its "Formal Algorithm" says. The list is loaded into one hash table of
 * owner-key prefixes: a look-up hashes the name label by label from the TLD and stops at
 * the first prefix that no rule starts with. libpsl took 0.7 us a name here; this is the
 * hot path. Immutable after loading: any number of threads.
 */
#ifndef DNSMON_DNS_SUFFIX_H
#define DNSMON_DNS_SUFFIX_H

#include "base/fault.h"
#include "dns/name.h"

struct suffix_list;

#define SUFFIX_DEFAULT_PATH "/usr/share/publicsuffix/public_suffix_list.dat"

int suffix_load(struct suffix_list **ret, const char *path, struct fault *why) MUST_CHECK;
/* For tests: the list as text. */
int suffix_parse(struct suffix_list **ret, const char *text, size_t len, struct fault *why) MUST_CHECK;
void suffix_destroy(struct suffix_list **list);

/* XXH3-64 of the list's bytes: kept with what was derived by it. */
uint64_t suffix_digest(const struct suffix_list *list);

struct suffix_match {
    size_t suffix;     /* length of the part of the key that is its public suffix */
    size_t registered; /* of that plus one label: the registered domain, without the final 00; 0 when
                        * the name is a public suffix itself, or the root */
    bool whole;        /* no longer suffix lies below: all names below have this registered domain */
};

struct suffix_match suffix_find(const struct suffix_list *list, const uint8_t *key, size_t len);

/* Whether some rule names the TLD of the key: all that are delegated have one; names of local networks mostly not. */
bool suffix_tld(const struct suffix_list *list, const uint8_t *key, size_t len);

#endif
