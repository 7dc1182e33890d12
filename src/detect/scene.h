/* scene: what detectors may know beside the subject: the network as a whole, as of a step.
 *
 * Handle; look-ups go to the store and are cached, so one scene a thread. Nothing here knows what was seen after the
 * step. */
#ifndef DNSMON_DETECT_SCENE_H
#define DNSMON_DETECT_SCENE_H

#include "detect/step.h"
#include "dns/suffix.h"
#include "store/store.h"

/* Of all names together, by hour: the network's own rhythm. */
struct network_hour {
    uint32_t hour;
    uint32_t domains; /* different registered domains asked for */
    uint64_t queries;
};

struct network {
    uint32_t first;   /* the hour in which the database begins */
    const struct network_hour *hours; /* rising, up to the step and WINDOW_STEPS or more back */
    size_t n_hours;
    uint32_t clients; /* about how many different ones asked in the last 24 hours: the most that one name had, or more */
};

struct scene;

int scene_create(struct scene **ret, struct store *store, const struct suffix_list *suffixes, struct fault *why) MUST_CHECK;
void scene_destroy(struct scene **s);

/* The step that is judged. `network` is borrowed until the next call. */
void scene_at(struct scene *s, uint32_t step, const struct network *network);
uint32_t scene_step(const struct scene *s);
const struct network *scene_network(const struct scene *s);
const struct suffix_list *scene_suffixes(const struct scene *s);

/* Who has hosts of this label (`label.domain`, one level below a registered domain), as of the step: at most
 * SCENE_LABEL_DOMAINS of the registered domains (owner keys with final 00, by first seen, valid until the next call), and how many there are, counted up to
 * SCENE_LABEL_COUNTED. */
enum { SCENE_LABEL_DOMAINS = 32, SCENE_LABEL_COUNTED = 256 };
struct scene_label {
    struct {
        struct slice owner;
        uint32_t first_s;
    } domains[SCENE_LABEL_DOMAINS];
    unsigned n;
    unsigned count;
};
int scene_label(struct scene *s, const char *label, const struct scene_label **ret, struct fault *why) MUST_CHECK;

/* Who points at this address or registered domain: the registered domains whose hosts do (A, AAAA, CNAME, NS), as of the step. */
struct scene_pointers {
    struct slice owners[SCENE_LABEL_DOMAINS]; /* registered domains, keys; by first seen */
    uint32_t first_s[SCENE_LABEL_DOMAINS];
    unsigned n;
    unsigned count; /* up to SCENE_LABEL_COUNTED */
};
int scene_pointers(struct scene *s, uint16_t type, struct slice rdata, const struct scene_pointers **ret, struct fault *why) MUST_CHECK;

/* First seen of a name or of a registered domain in the name table, seconds; 0 = not before the step's end. */
int scene_first(struct scene *s, struct slice owner, bool domain, uint32_t *ret_s, struct fault *why) MUST_CHECK;

/* The registered domains most used here, as of the step: at most `SCENE_POPULAR`, most broad first. */
enum { SCENE_POPULAR = 1000 };
struct scene_popular {
    struct slice owner;
    const char *name;
    uint32_t clients; /* the most in an hour */
    uint32_t days;
};
size_t scene_popular(const struct scene *s, const struct scene_popular **ret);

#endif
