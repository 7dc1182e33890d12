/* service: classes of services that are asked as malware would ask, and harm nobody. By the shipped list for domains of known owners,
 * by behaviour for all others (note.md). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/list.h"
#include "detect/parts.h"

enum {
    HOSTS_MIN = 4,
    REPUTATION_HOSTS = 20,
    REPUTATION_CLIENTS = 4, /* in an hour */
    SEARCHED_MIN = 4,
};

/* Shares of hosts are in tenths. */
enum { MOST = 7, NEARLY_ALL = 8 };

struct class {
    const char *name;
    double nats;
    const char *says;
};

enum { BLOCKLIST, BLOCKLIST_YOUNG, REPUTATION, DISCOVERY, SEARCH_LIST };

static const struct class by_list[] = {
    { "blocklist", -5, "a block list that mail servers ask" },
    { "reputation", -4, "look-ups of an anti-virus maker" },
    { "time", -5, "a time service" },
    { "connectivity", -5, "a check whether one is online" },
    { "update", -3, "updates of software" },
    { "telemetry", -3, "telemetry of many applications" },
    { "delivery", -3, "a delivery network's own names" },
    { "reverse", -8, "the reverse tree" },
    { "private", -6, "a suffix that is not delegated: a network's own names" },
};

static const struct class by_behaviour[] = {
    [BLOCKLIST] = { "blocklist", -4, "hosts are reversed addresses, and answers lie in 127.0.0.0/8: a block list" },
    [BLOCKLIST_YOUNG] = { "blocklist", -2, "hosts are reversed addresses, and answers lie in 127.0.0.0/8: a block list, though a young one" },
    [REPUTATION] = { "reputation", -3, "old, and all its many hosts are answered from 127.0.0.0/8: look-ups of a reputation" },
    [DISCOVERY] = { "discovery", -3, "hosts are service labels (_tcp, _udp) without addresses: discovery of services" },
    [SEARCH_LIST] = { "search-list", -3, "hosts are other domains' names, and none is answered: a search list appends it" },
};

struct look { /* at the hosts and answers of a subject */
    unsigned hosts, reversed, services, foreign, answered, foreign_answered;
    unsigned addresses, loopback;
    unsigned service_addresses;
};

/* ---- by the list ---- */

static const struct class *listed(const struct subject *s)
{
    const char *class = list_find(&list_services, s->name, strlen(s->name));
    const char *tld = strrchr(s->name, '.');
    if (class == NULL && tld != NULL)
        class = list_find(&list_services, tld + 1, strlen(tld + 1));
    for (size_t i = 0; class != NULL && i < sizeof by_list / sizeof by_list[0]; i++)
        if (strcmp(by_list[i].name, class) == 0)
            return &by_list[i];
    return NULL;
}

/* ---- by behaviour ---- */

/* Four decimal numbers, or thirty-two hexadecimal digits, as labels at the beginning (RFC 5782). */
static bool is_reversed(const char *sub)
{
    unsigned octets = 0, nibbles = 0;
    for (const char *at = sub; *at;) {
        size_t n = strcspn(at, ".");
        char *end;
        bool number = n >= 1 && n <= 3 && isdigit((unsigned char)at[0]) && strtoul(at, &end, 10) <= 255 && end == at + n;
        bool nibble = n == 1 && isxdigit((unsigned char)at[0]);
        if (!number && !nibble)
            break;
        octets += number;
        nibbles += nibble;
        at += n + (at[n] == '.');
    }
    return octets == 4 || nibbles == 32;
}

static bool is_service(const char *sub)
{
    return strstr(sub, "_tcp") != NULL || strstr(sub, "_udp") != NULL || strstr(sub, "_dns-sd") != NULL;
}

/* Ends like the name of another domain: www.example.com in front of this one. */
static bool is_foreign(const char *sub)
{
    static const char *const ends[] = { "com", "net", "org", "arpa", "edu", "gov", "info" };
    const char *last = strrchr(sub, '.');
    for (size_t i = 0; last != NULL && i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(last + 1, ends[i]) == 0)
            return true;
    return false;
}

static bool was_answered(const struct subject_host *h)
{
    for (uint32_t i = 0; i < h->n_hours; i++)
        if (h->hours[i].noerror)
            return true;
    return false;
}

/* A record's owner below the subject is a service label? Looked at in the key, where labels are ended by 00. */
static bool owner_is_service(struct slice owner)
{
    return memmem(owner.ptr, owner.len, "\0_tcp", 6) != NULL || memmem(owner.ptr, owner.len, "\0_udp", 6) != NULL ||
           memmem(owner.ptr, owner.len, "\0_dns-sd", 9) != NULL;
}

/* The domain itself and its everyday hosts (www, mail, ns1) stand at addresses like anybody's. */
static bool is_office(const struct subject *s, struct slice owner)
{
    if (owner.len <= s->owner.len)
        return true;
    const char *label = (const char *)owner.ptr + s->owner.len - 1;
    size_t len = strlen(label); /* ended by its 00 */
    bool deeper = label + len + 2 < (const char *)owner.ptr + owner.len;
    while (len && isdigit((unsigned char)label[len - 1]))
        len--;
    return !deeper && list_find(&list_common_labels, label, len) != NULL;
}

static struct look look_at(const struct subject *s)
{
    struct look l = { 0 };
    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct subject_host *h = &s->hosts[i];
        if (h->sub[0] == '\0')
            continue;
        bool foreign = is_foreign(h->sub), answered = was_answered(h);
        l.hosts++;
        l.reversed += is_reversed(h->sub);
        l.services += is_service(h->sub);
        l.foreign += foreign;
        l.answered += answered;
        l.foreign_answered += foreign && answered;
    }
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        if (r->type != TYPE_A && r->type != TYPE_AAAA)
            continue;
        bool office = is_office(s, r->owner);
        l.service_addresses += owner_is_service(r->owner);
        l.addresses += !office;
        l.loopback += !office && r->rdata.len == 4 && r->rdata.ptr[0] == 127;
    }
    return l;
}

static bool mostly(unsigned part, unsigned of, unsigned tenths)
{
    return 10 * part >= tenths * of;
}

static unsigned peak_clients(const struct subject *s)
{
    unsigned peak = 0;
    for (size_t i = 0; i < s->n_hours; i++)
        peak = s->hours[i].clients > peak ? s->hours[i].clients : peak;
    return peak;
}

static const struct class *behaves(const struct subject *s, const struct scene *scene, const struct look *l)
{
    bool old = kin_old(scene, s->first_s);
    if (l->hosts < HOSTS_MIN)
        return NULL;
    if (mostly(l->reversed, l->hosts, MOST) && l->loopback > 0 && l->loopback == l->addresses)
        return &by_behaviour[old ? BLOCKLIST : BLOCKLIST_YOUNG];
    if (old && l->hosts >= REPUTATION_HOSTS && l->addresses > 0 && l->loopback == l->addresses && peak_clients(s) >= REPUTATION_CLIENTS)
        return &by_behaviour[REPUTATION];
    if (mostly(l->services, l->hosts, NEARLY_ALL) && l->service_addresses == 0 &&
        subject_sum(s, ACTIVITY_TXT, s->window_from, s->step) * 2 <= subject_sum(s, ACTIVITY_QUERIES, s->window_from, s->step))
        return &by_behaviour[DISCOVERY];
    if (l->foreign >= SEARCHED_MIN && mostly(l->foreign, l->hosts, MOST) && l->foreign_answered == 0)
        return &by_behaviour[SEARCH_LIST];
    return NULL;
}

static void tell(const struct subject *s, const struct class *c, bool by_name, const struct look *l, struct findings *to)
{
    struct facts f;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "%s", c->says);
    facts_begin(&f);
    facts_text(&f, "class", c->name, strlen(c->name));
    facts_flag(&f, "listed", by_name);
    facts_count(&f, "hosts", l->hosts);
    facts_count(&f, "reversed", l->reversed);
    facts_count(&f, "services", l->services);
    facts_count(&f, "foreign", l->foreign);
    facts_count(&f, "answered", l->answered);
    facts_count(&f, "addresses", l->addresses);
    facts_count(&f, "loopback", l->loopback);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = c->nats, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    const struct class *by_name = listed(s);
    struct look l = { 0 };
    if (by_name == NULL)
        l = look_at(s);
    const struct class *c = by_name != NULL ? by_name : behaves(s, scene, &l);
    if (c != NULL)
        tell(s, c, by_name != NULL, &l, to);
    return E_OK;
}

const struct detector detector_service = {
    .name = "service",
    .group = GROUP_SERVICE,
    .about = "block lists, reputation, time, connectivity, discovery, search lists: asked as malware asks, harmless",
    .examine = examine,
};
