/* publication: what is published of the indicators, at which stage, and the history of that, which is the journal of zones and feeds
 * (docs/design/protection.md).
 *
 * A trigger is a kind and a text. Hosts, domains and name servers are names as in knowledge.h; an address is as inet_ntop
 * writes it, with "/length" when it is a network.
 *
 * A version is what was made public at once. What is in the journal after the last one is not public yet.
 */
#ifndef DNSMON_KNOWLEDGE_PUBLICATION_H
#define DNSMON_KNOWLEDGE_PUBLICATION_H

#include "knowledge/indicator.h"

enum trigger { TRIGGER_DOMAIN, TRIGGER_HOST, TRIGGER_ADDRESS, TRIGGER_NAMESERVER, TRIGGERS };
const char *trigger_text(enum trigger trigger);
bool trigger_parse(const char *text, enum trigger *ret);
/* An address, in any of its forms, as it is stored; false: it is none. */
bool trigger_address(const char *any, char text[NAME_TEXT_MAX]);
/* Domains and hosts are the scopes of indicators. */
bool trigger_has_scope(enum trigger trigger);
enum scope trigger_scope(enum trigger trigger);
enum trigger trigger_of_scope(enum scope scope);

enum stage { STAGE_REVIEW, STAGE_SHADOW, STAGE_PUBLISHED, STAGE_OUT, STAGES };
const char *stage_text(enum stage stage);
bool stage_parse(const char *text, enum stage *ret);

/* A jump of the whole set keeps a change from being made until an operator confirms it. */
enum held { HELD_NOT, HELD_IN /* it would be published */, HELD_OUT /* it would not be any more */, HELDS };
const char *held_text(enum held held);

struct publication {
    const char *name;
    enum trigger trigger;
    enum stage stage;
    int64_t since;           /* seconds, wall clock, as all times here: of this stage */
    int64_t due;             /* when the life cycle must look again, whatever happens; 0 = never */
    const char *approved_by; /* "" = by nobody; "dnsmon" = by policy */
    const char *reason;      /* of the stage, readable */
    /* of the indicator, as published */
    enum verdict_level level;
    double score;
    const char *categories;  /* JSON array of strings */
    const char *family;      /* "" = not known */
    int64_t campaign;        /* 0 = none */
    int64_t first_seen;
    int64_t valid_until;
    enum held held;
    int64_t changed;         /* given: when anything of it but `due` and `held` became another, the time of its last change */
};

/* A row of the journal: the publication as it is from then on. */
struct publication_change {
    int64_t serial;          /* given by the journal, rising */
    int64_t version;         /* given: of publication_seal, that it is part of; 0 = of none yet */
    int64_t at;
    int was;                 /* enum stage, or -1: it is new */
    const char *author;      /* "dnsmon", or the operator */
    struct publication now;
};

struct version {
    int64_t serial;          /* seconds; its last 32 bits are the zone's serial */
    int64_t last_change;     /* its changes are those of the journal after the former version's, up to this one */
    int64_t changes;
    const char *reason;
    int64_t published, shadow; /* how many triggers are in these stages from then on */
    int64_t added, dropped;    /* changes by "dnsmon" to and from published */
};

/* How many triggers there are. */
struct publication_sizes {
    int64_t published, shadow; /* with what is in the journal and in no version */
    int64_t held_in, held_out;
};

typedef int (*publication_sink)(void *ctx, const struct publication *p, struct fault *why);
typedef int (*publication_change_sink)(void *ctx, const struct publication_change *c, struct fault *why);
typedef int (*version_sink)(void *ctx, const struct version *v, struct fault *why);

/* Adds or replaces the publication of its trigger, and a row of the journal when anything but `due` and `held` is another than before.
 * E_USAGE: not the text of such a trigger; E_MALFORMED: categories that are no JSON array. */
int publication_put(struct knowledge *k, const struct publication *p, int64_t at, const char *author, struct fault *why) MUST_CHECK;

/* One: the sink is called once, or not at all. All whose stage is in `stages` (bits 1 << stage), by name and trigger. Those whose
 * `due` is not 0 and at or before `now`. Those that are neither out nor held nor there by an operator's word alone, of which `valid_until` is not 0
 * and at or before `until`. Those that are held, by kind of that. */
int publication_find(struct knowledge *k, const char *name, enum trigger trigger, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int publication_each(struct knowledge *k, unsigned stages, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int publication_due(struct knowledge *k, int64_t now, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int publication_ended(struct knowledge *k, int64_t until, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int publication_held(struct knowledge *k, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;

/* Addresses and name servers that are not out, by name. Reads all publications. */
int publication_infrastructure(struct knowledge *k, publication_sink sink, void *ctx, struct fault *why) MUST_CHECK;

/* From the last version on, so that it costs as much as has changed since. */
int publication_sizes(struct knowledge *k, struct publication_sizes *ret, struct fault *why) MUST_CHECK;

/* The journal after a serial up to and including another (INT64_MAX: to its end); its last serial, 0 = empty. */
int publication_changes(struct knowledge *k, int64_t after, int64_t until, publication_change_sink sink, void *ctx, struct fault *why) MUST_CHECK;
/* All of one trigger. */
int publication_history(struct knowledge *k, const char *name, enum trigger trigger, publication_change_sink sink, void *ctx,
                        struct fault *why) MUST_CHECK;
int publication_serial(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;

/* Makes public all changes since the last version, if any: a new version with serial max(now, last + 1), which is given back. */
int publication_seal(struct knowledge *k, int64_t now, const char *reason, int64_t *ret_serial, struct fault *why) MUST_CHECK;

/* Versions after a serial, rising; the last one, and the last at or before a serial: the sink is called once, or not at all. */
int version_each(struct knowledge *k, int64_t after, version_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int version_last(struct knowledge *k, version_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int version_at(struct knowledge *k, int64_t serial, version_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
