/* The top list is a sorted array of hashes of its names and of all domains above them: what is at or above a name of the list is in it. With
 * 64 bits and a million names, one other name in 10^13 is taken for one of these, and then waits for a person. */
#include "protect/guard.h"

#include "base/hash.h"
#include "protect/rpz/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Zones without which little is resolved: of the root's and the large registries' servers, and those for special use (RFC 6761, RFC 9462). */
static const char *const needed_by_dns[] = {
    "arpa", "root-servers.net", "root-servers.org", "gtld-servers.net", "gtld-servers.com", "nstld.com", "iana-servers.net",
    "iana-servers.com", "iana-servers.org", "afilias-nst.info", "afilias-nst.org", "afilias-nst.net", "afilias-nst.com", "ultradns.net",
    "nic.uk", "denic.de", "denic.net", "nic.fr", "cctld.com", "dns.br", "registro.br", "dns.jp", "cira.ca", "dns.nl", "sidnlabs.nl", "nic.it",
    "cnnic.cn", "cnnic.net.cn", "ripn.net", "nask.pl", "dns.pl", "nic.ch", "nic.at", "iis.se", "ripe.net", "apnic.net", "arin.net", "lacnic.net",
    "afrinic.net", "localhost", "local", "use-application-dns.net",
};

struct guard {
    const struct suffix_list *suffixes;
    char **needed; /* names, and addresses as they are stored */
    unsigned n_needed;
    uint64_t *top; /* sorted */
    size_t n_top, room;
};

static bool covers(enum trigger trigger, const char *name, const char *other)
{
    return trigger == TRIGGER_HOST ? strcmp(name, other) == 0 : knowledge_is_within(other, name);
}

/* ---- the top list ---- */

static bool add_hash(struct guard *g, uint64_t hash)
{
    if (g->n_top == g->room) {
        size_t room = g->room ? 2 * g->room : 4096;
        uint64_t *more = reallocarray(g->top, room, sizeof *more);
        if (more == NULL)
            return false;
        g->top = more;
        g->room = room;
    }
    g->top[g->n_top++] = hash;
    return true;
}

static bool add_top(struct guard *g, const char *name)
{
    bool good = true;
    for (; good && name != NULL; name = knowledge_parent(name))
        good = add_hash(g, hash_stable(name, strlen(name)));
    return good;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort_top(struct guard *g)
{
    size_t kept = 0;
    if (g->n_top)
        qsort(g->top, g->n_top, sizeof *g->top, compare_hashes);
    for (size_t i = 0; i < g->n_top; i++)
        if (kept == 0 || g->top[kept - 1] != g->top[i])
            g->top[kept++] = g->top[i];
    g->n_top = kept;
}

static bool is_on_top(const struct guard *g, const char *name)
{
    uint64_t hash = hash_stable(name, strlen(name));
    return g->n_top != 0 && bsearch(&hash, g->top, g->n_top, sizeof hash, compare_hashes) != NULL;
}

/* Of "rank,name", "name" and what else stands behind another comma. */
static char *name_of_line(char *line)
{
    char *rest = line, *first = strsep(&rest, ",\r\n");
    bool ranked = first[0] != '\0' && first[strspn(first, "0123456789")] == '\0' && rest != NULL;
    return ranked ? strsep(&rest, ",\r\n") : first;
}

static int read_lines(struct guard *g, FILE *file, const struct protection_top_list *list, struct fault *why)
{
    char *line = NULL, name[NAME_TEXT_MAX];
    size_t room = 0;
    uint64_t n = 0;
    int rc = E_OK;
    while (rc == 0 && (list->first == 0 || n < list->first) && getline(&line, &room, file) > 0) {
        if (line[0] == '#' || knowledge_name_from_text(name_of_line(line), name) == 0)
            continue;
        n++;
        if (!add_top(g, name))
            rc = fault_set(why, E_NOMEM, "no memory for the top list");
    }
    free(line);
    if (rc == 0 && ferror(file))
        rc = fault_errno(why, errno, "%s", list->file);
    return rc || n > 0 ? rc : fault_set(why, E_MALFORMED, "%s: no line of it is a domain name", list->file);
}

static int read_top(struct guard *g, const struct protection_top_list *list, struct fault *why)
{
    FILE *file = fopen(list->file, "re");
    if (file == NULL)
        return fault_errno(why, errno, "%s", list->file);
    int rc = read_lines(g, file, list, why);
    fclose(file);
    sort_top(g);
    return rc;
}

/* ---- what is needed ---- */

int guard_add_needed(struct guard *g, const char *name, struct fault *why)
{
    char **more = reallocarray(g->needed, g->n_needed + 1, sizeof *more);
    char *copy = strdup(name);
    if (more != NULL)
        g->needed = more;
    if (more == NULL || copy == NULL) {
        free(copy);
        return fault_set(why, E_NOMEM, "out of memory");
    }
    g->needed[g->n_needed++] = copy;
    return E_OK;
}

static int add_address(struct guard *g, const char *any, struct fault *why)
{
    char text[NAME_TEXT_MAX];
    return trigger_address(any, text) ? guard_add_needed(g, text, why) : E_OK;
}

static int add_addresses(struct guard *g, const char *list, struct fault *why)
{
    char one[PEER_TEXT_MAX];
    int rc = E_OK;
    for (size_t len; rc == 0 && *(list += strspn(list, " ")) != '\0'; list += len) {
        len = strcspn(list, " ");
        snprintf(one, sizeof one, "%.*s", (int)len, list);
        rc = add_address(g, one, why);
    }
    return rc;
}

/* A name, or addresses. */
static int add_garden(struct guard *g, const char *action, struct fault *why)
{
    static const char garden[] = "garden ";
    char name[NAME_TEXT_MAX];
    uint8_t digits = 0;
    if (action == NULL || strncmp(action, garden, sizeof garden - 1) != 0)
        return E_OK;
    int rc = add_addresses(g, action + sizeof garden - 1, why);
    if (rc != 0 || knowledge_name_from_text(action + sizeof garden - 1, name) == 0)
        return rc;
    for (const char *c = name; *c != '\0'; c++)
        digits |= (*c < '0' || *c > '9') && *c != '.';
    return digits ? guard_add_needed(g, name, why) : E_OK;
}

/* "ADDRESS[:PORT]"; what is none was refused with the configuration. */
static int add_peer(struct guard *g, const char *place, struct fault *why)
{
    struct sockaddr_storage peer;
    struct fault unused = { 0 };
    char text[PEER_TEXT_MAX];
    return peer_parse(place, 1, &peer, &unused) == 0 ? add_address(g, peer_text(&peer, text), why) : E_OK;
}

static int add_server(struct guard *g, const struct protection_server *s, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < s->listen.n; i++)
        rc = add_peer(g, s->listen.text[i], why);
    for (unsigned i = 0; rc == 0 && i < s->n_secondaries; i++)
        rc = add_peer(g, s->secondaries[i].address, why);
    return rc;
}

static int add_views(struct guard *g, const struct protection *p, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < p->n_views; i++) {
        const struct protection_view *v = &p->views[i];
        rc = guard_add_needed(g, v->zone, why);
        if (rc == 0)
            rc = add_garden(g, v->action, why);
        for (unsigned a = 0; rc == 0 && a < v->n_actions; a++)
            rc = add_garden(g, v->actions[a].action, why);
    }
    return rc;
}

static int fill(struct guard *g, const struct protection *p, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < sizeof needed_by_dns / sizeof needed_by_dns[0]; i++)
        rc = guard_add_needed(g, needed_by_dns[i], why);
    if (rc == 0)
        rc = add_views(g, p, why);
    if (rc == 0)
        rc = add_server(g, &p->server, why);
    return rc || p->top_list.file == NULL ? rc : read_top(g, &p->top_list, why);
}

int guard_create(struct guard **ret, const struct suffix_list *suffixes, const struct protection *policy, struct fault *why)
{
    struct guard *g = calloc(1, sizeof *g);
    if (g == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    g->suffixes = suffixes;
    int rc = fill(g, policy, why);
    if (rc != 0)
        guard_destroy(&g);
    else
        *ret = g;
    return rc;
}

void guard_destroy(struct guard **guard)
{
    struct guard *g = *guard;
    if (g == NULL)
        return;
    for (unsigned i = 0; i < g->n_needed; i++)
        free(g->needed[i]);
    free(g->needed);
    free(g->top);
    free(g);
    *guard = NULL;
}

/* ---- checking ---- */

/* Of a domain all below is hit; of a host only itself, which a person may want. */
static enum guard_answer check_suffix(const struct guard *g, enum trigger trigger, const char *name, char why[GUARD_REASON_MAX])
{
    uint8_t key[NAME_KEY_MAX];
    size_t len = knowledge_key(name, key);
    struct suffix_match match = suffix_find(g->suffixes, key, len);
    if (match.registered == 0) {
        snprintf(why, GUARD_REASON_MAX, "what lies below a public suffix has many owners");
        return trigger == TRIGGER_HOST ? GUARD_ASKS : GUARD_NEVER;
    }
    bool parent = trigger != TRIGGER_HOST && !match.whole;
    if (parent)
        snprintf(why, GUARD_REASON_MAX, "suffixes of shared hosting lie below it");
    return parent ? GUARD_NEVER : GUARD_FREE;
}

static enum guard_answer check_needed(const struct guard *g, enum trigger trigger, const char *name, char why[GUARD_REASON_MAX])
{
    for (unsigned i = 0; i < g->n_needed; i++)
        if (knowledge_is_within(name, g->needed[i]) || covers(trigger, name, g->needed[i])) {
            snprintf(why, GUARD_REASON_MAX, "infrastructure: %.255s", g->needed[i]);
            return GUARD_NEVER;
        }
    return GUARD_FREE;
}

static enum guard_answer check_top(const struct guard *g, const char *name, char why[GUARD_REASON_MAX])
{
    if (!is_on_top(g, name))
        return GUARD_FREE;
    snprintf(why, GUARD_REASON_MAX, "on the top list, or above a name of it");
    return GUARD_ASKS;
}

/* Whether others are at it, whoever proposes it has to know (infrastructure.h). */
static enum guard_answer check_address(const struct guard *g, const char *address, char why[GUARD_REASON_MAX])
{
    for (unsigned i = 0; i < g->n_needed; i++)
        if (strcmp(address, g->needed[i]) == 0) {
            snprintf(why, GUARD_REASON_MAX, "our own server, secondary or garden");
            return GUARD_NEVER;
        }
    bool network = strchr(address, '/') != NULL;
    if (network)
        snprintf(why, GUARD_REASON_MAX, "networks serve many names");
    return network ? GUARD_ASKS : GUARD_FREE;
}

enum guard_answer guard_check(const struct guard *g, enum trigger trigger, const char *name, char why[GUARD_REASON_MAX])
{
    if (trigger == TRIGGER_ADDRESS)
        return check_address(g, name, why);
    enum guard_answer suffix = check_suffix(g, trigger, name, why);
    if (suffix == GUARD_NEVER)
        return suffix;
    enum guard_answer answer = check_needed(g, trigger, name, why);
    if (answer == GUARD_FREE)
        answer = suffix != GUARD_FREE ? check_suffix(g, trigger, name, why) : check_top(g, name, why);
    return answer;
}

uint64_t guard_digest(const struct guard *g)
{
    uint64_t digest = suffix_digest(g->suffixes) ^ hash_mix(hash_stable(g->top, g->n_top * sizeof *g->top));
    for (unsigned i = 0; i < g->n_needed; i++)
        digest = hash_mix(digest ^ hash_stable(g->needed[i], strlen(g->needed[i])));
    return digest;
}
