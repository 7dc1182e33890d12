/* scene: what detectors may know beside the subject: the network as a whole, as of a step.
 *
 * Handle; look-ups go to the store and are cached, within a budget, so one scene a thread. Nothing here knows what was seen after the
 * step. */
#ifndef DNSMON_DETECT_SCENE_H
#define DNSMON_DETECT_SCENE_H

#include "detect/profile.h"
#include "detect/step.h"
#include "dns/suffix.h"
#include "store/store.h"

enum {
    SCENE_POPULAR = 1000,
    MAPPED_MAX = 768 << 20,  /* bytes of the store's files in memory, about which analysis gives them back */
};
struct scene_popular {
    struct slice owner; /* key of a registered domain */
    const char *name;
    uint32_t clients;    /* the most in an hour */
    uint32_t broad_days; /* profile.h */
    uint32_t days;       /* in which it was asked for */
};

/* Of all names together, by hour: the network's own rhythm. */
struct network_hour {
    uint32_t hour;
    uint32_t domains; /* different registered domains asked for */
    uint32_t clients; /* the most different ones that one domain had */
    uint64_t queries;
};

struct network {
    uint32_t first;   /* the hour in which the database begins */
    const struct network_hour *hours; /* rising, up to the step and WINDOW_STEPS or more back */
    size_t n_hours;
    uint32_t clients; /* at least so many different ones asked: the most that one name had in an hour of the last day */
    const struct scene_popular *popular; /* the registered domains most used here, broadest first */
    size_t n_popular;                    /* at most SCENE_POPULAR */
};

struct scene;

/* Without a store (NULL, for tests) nothing is known of labels and pointers. */
int scene_create(struct scene **ret, struct store *store, const struct suffix_list *suffixes, struct fault *why) MUST_CHECK;
void scene_destroy(struct scene **s);

/* The step that is judged. `network` is borrowed until the next call. */
void scene_at(struct scene *s, uint32_t step, const struct network *network);
uint32_t scene_step(const struct scene *s);
const struct network *scene_network(const struct scene *s);
const struct suffix_list *scene_suffixes(const struct scene *s);

/* Registered domains by first seen, as of the step: at most SCENE_OWNERS of them, and how many there are, counted up to
 * SCENE_COUNTED (of what is scanned; a scan stops there). */
enum { SCENE_OWNERS = 32, SCENE_COUNTED = 256 };
struct scene_owner {
    struct slice owner; /* key; borrowed for the life of the scene */
    uint32_t first_s;   /* of the label or the pointer, there */
    uint32_t site_s;    /* of a pointer from the domain's own name or its www; 0 = these do not point there */
};
struct scene_owners {
    struct scene_owner owners[SCENE_OWNERS];
    unsigned n;
    unsigned count;
};

/* Who has a host of this label (`label.domain`, one level below a registered domain) in the name table: names that were answered
 * and names that were denied. */
int scene_label(struct scene *s, const char *label, struct scene_owners *ret, struct fault *why) MUST_CHECK;

/* Whose hosts point at this: type and rdata as in rr records (A, AAAA, CNAME, NS, ...). */
int scene_pointers(struct scene *s, uint16_t type, struct slice rdata, struct scene_owners *ret, struct fault *why) MUST_CHECK;

/* The same for whoever asks whether they are few: looks no further once there are more than `most`, and then says `most` + 1 and no more
 * of them than that. */
int scene_pointers_up_to(struct scene *s, uint16_t type, struct slice rdata, unsigned most, struct scene_owners *ret,
                         struct fault *why) MUST_CHECK;

/* Whose hosts point at names at or below a domain (its owner key); of types whose searchable form begins with a name (CNAME, NS, MX, SRV, ...). */
int scene_pointers_below(struct scene *s, uint16_t type, struct slice domain, struct scene_owners *ret, struct fault *why) MUST_CHECK;
int scene_pointers_below_up_to(struct scene *s, uint16_t type, struct slice domain, unsigned most, struct scene_owners *ret,
                               struct fault *why) MUST_CHECK;

/* First seen of a name, or of a registered domain at or below it, in the name table: seconds; 0 = not before the step's end. */
int scene_first(struct scene *s, struct slice owner, bool domain, uint32_t *ret_s, struct fault *why) MUST_CHECK;

#endif
