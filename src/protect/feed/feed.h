/* feed: what is published, written for one kind of consumer: a resolver, a firewall, an IDS, other people.
 *
 *     feed_open -> feed_item ... -> feed_commit, or feed_abandon at any time
 *
 * A feed is one run of one format. Whoever has several formats to write opens them all, and gives each item to each. What a
 * consumer cannot express is left out and counted, and most formats say at their end how much that was; an item that is wrong never
 * breaks a file. The same items give the same bytes: nothing here reads a clock, or a random number.
 *
 * Files appear whole or not at all, and are left alone when they would say the same, with their time of change. Beside FILE stands
 * .FILE.digest, by which whoever serves it knows its entity tag without reading it (feed/digest.h).
 *
 * One writer of a path at a time: feed/set.h, which writes a folder of feeds, sees to it.
 *
 * Memory: some 64 KiB a feed, however many items; cdb 16 bytes an item for its index, suricata 16 to 32 for the numbers it has given,
 * stix 40 for each campaign and family, misp 8 MiB and 160 for each event. Handle; one thread a feed.
 */
#ifndef DNSMON_PROTECT_FEED_FEED_H
#define DNSMON_PROTECT_FEED_FEED_H

#include "base/buffer.h"
#include "base/fault.h"
#include "knowledge/publication.h"

/* What a resolver does with a name (draft-vixie-dnsop-dns-rpz, 3). Consumers that only block know the first two, alike. */
enum feed_action { FEED_NXDOMAIN, FEED_NODATA, FEED_GARDEN, FEED_DROP, FEED_PASSTHRU, FEED_ACTIONS };

/* Of an exception: what is listed that it lies below, which blocks; the uppermost where several do, for the others are covered by it. */
struct feed_above {
    const char *domain;      /* a tail of the exception's name, as it is written there */
    enum feed_action action;
    const char *garden;
    bool host_listed;        /* the exception's own name is an item as a host: what passes lies below it */
};

/* All borrowed, until feed_item returns. */
struct feed_item {
    const struct publication *p;
    enum feed_action action;
    const char *garden;   /* of FEED_GARDEN: a name, or addresses with blanks between them */
    const char *campaign; /* its identity; "" = none */
    const char *evidence; /* why, in short, for people; "" = the publication's reason */
    int64_t changed_at;   /* seconds: when anything of the publication became another; 0 = since */
    const struct feed_above *above; /* NULL, but for what is allowed below a listed domain: then the action is FEED_PASSTHRU */
};

struct feed_cover; /* feed/cover.h */

/* Of a feed as a whole; borrowed until its end. */
struct feed_about {
    const char *publisher; /* who says so: "DNSMon at example.net". Another publisher's ids are others */
    const char *zone;      /* of RPZ: its name, "rpz.example.net"; "" = whatever name the file is loaded as */
    uint32_t serial;       /* of RPZ: of the version */
    const char *digest;    /* of all that the zone says: then feed/set.h keeps a former serial while it is the same. NULL = none */
    uint32_t ttl_s;        /* of RPZ */
    const struct feed_cover *cover; /* NULL = no item lies below a domain that is another */
    const char *link;      /* "" = none; else an address that a name is put behind, and tells more of it */
};

/* Why an item is not in a feed. */
enum feed_left {
    FEED_LEFT_NAME,    /* it is no name, or has bytes that the format has no way to write */
    FEED_LEFT_LONG,    /* with what the format adds it is too long */
    FEED_LEFT_TRIGGER, /* addresses, or name servers */
    FEED_LEFT_ACTION,  /* the format can only block, and it is not blocked */
    FEED_LEFT_COVERED, /* a domain that is listed has it already */
    FEED_LEFT_EXCEPTION, /* it is allowed below a listed domain, and the format can only say the domain */
    FEED_LEFTS,
};

struct feed_counts {
    uint64_t items;            /* that are in it */
    uint64_t narrowed;         /* of these: domains that stand for their own name alone, for want of wildcards */
    uint64_t left[FEED_LEFTS];
};

struct feed_result {
    struct feed_counts counts;
    bool changed; /* it says something else than before */
};

/* Where a format can be written: anywhere; into a file, in which it moves about; as files of a folder. */
enum feed_place { FEED_STREAM, FEED_FILE, FEED_FOLDER };

struct feed;
struct feed_entry;

/* A format, in struct form so that others can add theirs (feed/format.h has what they need). */
struct feed_format {
    const char *name;  /* of --format and of policy */
    const char *file;  /* what it is called in a folder of feeds */
    const char *media; /* type, for HTTP */
    const char *says;  /* its first lines, after the comment sign: what it cannot express. NULL: it has no comments */
    const char *sign;  /* that comments begin with */
    enum feed_place place;
    unsigned triggers; /* bits 1 << trigger that it can express */
    unsigned actions;  /* bits 1 << action */
    unsigned excepts;  /* bits 1 << trigger of what it can let through below a domain that it blocks */
    bool odd_names;    /* it can write any bytes; else names are letters, digits, '-' and '_' */
    bool no_below;     /* it has no wildcards */
    bool enforces;     /* for who blocks: without what a listed domain has already */
    bool tells;        /* it is for readers who judge for themselves: it takes every item as it is, and looks up the rest itself */
    size_t state_bytes;
    int (*begin)(struct feed *f, struct fault *why);
    int (*item)(struct feed *f, const struct feed_entry *e, struct fault *why);
    int (*end)(struct feed *f, struct fault *why);
    void (*release)(struct feed *f); /* also after a failure of begin */
};

/* Those of this folder, NULL at the end: rpz, hosts, adblock, dnsmasq, unbound, cdb, suricata, zeek, stix, misp, policy. */
extern const struct feed_format *const feed_formats[];
const struct feed_format *feed_format_of(const char *name); /* NULL: there is none */

/* `path` is of the file (or folder) itself. `ctx` is for formats that need one; borrowed. */
int feed_open(struct feed **ret, const struct feed_format *format, const struct feed_about *about, const char *path, void *ctx,
              struct fault *why) MUST_CHECK;

/* To anywhere, for FEED_STREAM alone (E_UNSUPPORTED): the sink gets it piece by piece, and returns 0 or a code. */
typedef int (*feed_sink)(void *to, const void *ptr, size_t len, struct fault *why);
int feed_open_stream(struct feed **ret, const struct feed_format *format, const struct feed_about *about, feed_sink sink, void *to,
                     void *ctx, struct fault *why) MUST_CHECK;

/* In the order of publication_each, by name and then trigger, and after them exceptions, in any order. A failure is of the feed, never of the item; then it can only be abandoned. */
int feed_item(struct feed *f, const struct feed_item *item, struct fault *why) MUST_CHECK;

/* Ends it, whatever comes of it, and frees it; ret may be NULL. */
int feed_commit(struct feed **f, struct feed_result *ret, struct fault *why) MUST_CHECK;
void feed_abandon(struct feed **f);

#endif
