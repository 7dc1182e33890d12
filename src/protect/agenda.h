/* agenda: the triggers that a run must look at, each once, in the order in which they were first told of.
 *
 * Cost: 32 bytes and the name each, and a sort when it is closed. Value type: agenda_init .. agenda_release; one thread.
 */
#ifndef DNSMON_PROTECT_AGENDA_H
#define DNSMON_PROTECT_AGENDA_H

#include "base/arena.h"
#include "knowledge/publication.h"

struct agenda_item {
    const char *name;
    const char *author;   /* of the last change that told of it; "" = none did */
    enum trigger trigger;
    uint32_t order;
    bool waits;           /* the caller's: it is not done yet */
    bool approved;        /* the caller's: policy approved it, which counts once */
};

struct agenda {
    struct arena texts;
    struct agenda_item *items;
    size_t n, room;
};

void agenda_init(struct agenda *a);
void agenda_release(struct agenda *a);

/* Texts are copied. */
int agenda_add(struct agenda *a, const char *name, enum trigger trigger, const char *author, struct fault *why) MUST_CHECK;

/* Leaves of each trigger one item: the first place, and the author of the first that has one. */
void agenda_close(struct agenda *a);

#endif
