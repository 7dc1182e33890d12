/* standing: all that stands about one registered domain at a step, as far as judging needs it.
 *
 * The driver fills it from the findings that stand, activity of the last days (STANDING_DAYS), the pointers of the scene and the
 * operator's decisions. Owners are owner keys with their final 00. Everything is borrowed.
 */
#ifndef DNSMON_DETECT_VERDICT_STANDING_H
#define DNSMON_DETECT_VERDICT_STANDING_H

#include "base/bytes.h"
#include "detect/group.h"
#include "detect/verdict/level.h"

enum { STANDING_DAYS = 3 };

struct standing_row {
    const char *detector;
    enum group group;
    double strength;     /* nats, as the finding's */
    uint32_t since;      /* step */
    struct slice owner;  /* the domain, or a host below it */
    const struct slice *peers;
    unsigned n_peers;
    bool hosts_alone;    /* struct detector */
};

struct standing_host { /* below the domain; the domain's own name is one, too */
    struct slice owner;
    uint32_t first;   /* hour it was first seen */
    uint32_t clients; /* of the last days */
    uint64_t queries;
    bool allowed;     /* by the operator: its evidence does not count, and it is established */
};

enum word {
    WORD_NONE,
    WORD_ALLOW,
    WORD_BLOCK,
    WORD_OBJECTION, /* feedback: somebody says that it is harmless; the operator has not decided */
};

/* What judging remembers of a domain from one time to the next; all 0 = never judged. */
struct verdict_memory {
    enum verdict_level level;
    uint32_t since;       /* step of this level */
    uint32_t below_since; /* step since which it would have been lower; 0 = it would not */
    enum scope scope;     /* that it was said of */
};

/* Its tie to a campaign (detect/campaign/campaign.h); strength 0 = none. */
struct standing_campaign {
    double strength;
    bool harm; /* labels or infrastructure are in the tie */
};

struct standing {
    struct slice domain;
    uint32_t step;
    const struct standing_row *rows;
    size_t n_rows;
    struct standing_campaign campaign;
    struct verdict_memory before;

    uint32_t first;       /* hour it was first seen; 0 = not known */
    uint32_t last_asked;  /* hour */
    uint32_t registered;  /* hour in which it was found registered after it had not been; 0 = never so */
    enum word word;       /* the operator's, about the domain */

    uint32_t popular_rank; /* 1 = the most used of the network; 0 = not among scene_popular */
    uint32_t broad_days;   /* struct profile */
    uint32_t dependents;   /* other registered domains whose name servers, mail or aliases lie in it */
    bool public_suffix;
    bool shared_parent;    /* others' names below it are theirs: dynamic DNS, hosting */

    uint32_t network_clients; /* of the last days, all names */
    uint32_t clients;         /* of the domain and all below it */
    uint64_t queries;
    const struct standing_host *hosts;
    size_t n_hosts;
};

#endif
