/* detector: what looks at names and says what it finds.
 *
 * A detector is a folder: `src/detect/NAME/detector.c` defines `const struct detector detector_NAME` ('-' in names is '_' there),
 * `note.md` tells idea, formula, sources and what fools it; meson finds the folder, nothing else names it. Further .c files
 * of the folder are compiled with it. A detector has no state of its own between calls and reads no clock:
 * what it says of a step depends on what it is handed. Threads: `examine` runs in several at once.
 *
 * It says things by findings_add. A finding holds from its step on, until the detector examines or compares the same name again and does
 * not repeat it. Strengths are in nats, how much likelier harm (or one program, for the family of automation) makes what is seen than its
 * absence; at least FINDING_MIN in size, else it is not kept. Give honest raw values, capped at FINDING_MAX: calibration comes later.
 */
#ifndef DNSMON_DETECT_DETECTOR_H
#define DNSMON_DETECT_DETECTOR_H

#include "detect/group.h"
#include "detect/portrait.h"
#include "detect/scene.h"
#include "detect/subject.h"

#define FINDING_MIN 1.0
#define FINDING_MAX 12.0

enum { FINDING_PEERS = 16, FINDING_SUMMARY = 320, FINDING_FACTS = 4096 };

struct finding {
    struct slice owner;   /* key of the name it is about: the registered domain, or a host below it */
    double strength;      /* nats; below zero speaks against harm */
    const char *summary;  /* one sentence for an analyst, with figures; begins in lower case, no final dot */
    const char *facts;    /* a JSON object: counts, curves, what was compared with what */
    const struct slice *peers; /* registered domains (keys) that it connects the name with, strongest first */
    unsigned n_peers;
};

struct findings;
/* Copies it. `fact` texts that do not fit, or strengths that are no numbers, are our bug: asserted. */
void findings_add(struct findings *to, const struct finding *f);

struct panel {
    const struct portrait *const *portraits; /* by owner key */
    size_t n;
    uint32_t step; /* ends a period */
};

struct detector {
    const char *name;   /* as the folder */
    enum group group;
    const char *about;  /* one line for people */
    bool hosts_alone;   /* what it says of a host says that its domain is somebody else's, which is never blocked whole for that */
    /* Either or both. Errors are the store's (E_CORRUPT, E_NOMEM, ...). */
    int (*examine)(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why);
    int (*compare)(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why);
};

/* All of them, by name. */
size_t detectors(const struct detector *const **ret);

#endif
