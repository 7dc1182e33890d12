/* format: what writers of formats share; for them alone.
 *
 * An item that reaches a writer has a trigger and an action that the format can express, and its name is good: the writer appends
 * it to `out`, which goes on when it has grown, or says feed_leave before it has written anything of it.
 */
#ifndef DNSMON_PROTECT_FEED_FORMAT_H
#define DNSMON_PROTECT_FEED_FORMAT_H

#include "protect/feed/feed.h"
#include "protect/feed/uuid.h"

struct feed_address {
    uint8_t bytes[16]; /* IPv4: the first four */
    unsigned bits;     /* of the address: 32 or 128 */
    unsigned prefix;
    char text[64];     /* without the length */
};

struct feed_entry {
    const struct feed_item *item;
    const struct publication *p;
    uint8_t wire[NAME_WIRE_MAX]; /* lower case; of an address nothing */
    size_t wire_len;
    char name[NAME_TEXT_MAX];    /* presentation, without the final dot; of an address its own text */
    struct feed_address address; /* of TRIGGER_ADDRESS */
    bool in_exception;           /* an exception would let it through, were it not listed itself */
};

struct feed {
    const struct feed_format *format;
    const struct feed_about *about;
    void *ctx;
    void *state;       /* format->state_bytes, zeroed */
    struct buffer out;
    struct feed_counts counts;
    const char *path;  /* of FEED_FOLDER */
    int fd;            /* of FEED_FILE */
    bool changed;      /* FEED_FOLDER says it */
    struct uuid publisher; /* the name space of all ids */
};

static inline int feed_leave(struct feed *f, enum feed_left because)
{
    f->counts.left[because]++;
    return E_OK;
}

static inline void feed_put(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

/* ---- what items say ---- */

enum {
    FEED_BLOCKS = 1 << FEED_NXDOMAIN | 1 << FEED_NODATA | 1 << FEED_GARDEN | 1 << FEED_DROP,
    FEED_NAMES = 1 << TRIGGER_HOST | 1 << TRIGGER_DOMAIN,
    FEED_ALL_TRIGGERS = FEED_NAMES | 1 << TRIGGER_ADDRESS | 1 << TRIGGER_NAMESERVER,
    FEED_ALL_ACTIONS = FEED_BLOCKS | 1 << FEED_PASSTHRU,
};

/* "malicious phishing lure: <evidence>": one line of at most 1000 printable ASCII characters; others and those of `not` are '?'. */
void feed_remark(struct buffer *to, const struct feed_entry *e, const char *not);

/* Categories with `between` them. */
void feed_categories(struct buffer *to, const char *json, const char *between);
bool feed_has_category(const char *json, const char *category);

/* Of a garden: the next address behind *at, which moves on, as 4 or 16 bytes in text form; false at its end. A garden of one name
 * has none. */
bool feed_garden_address(const char **at, char text[64], int *family);

/* What makes an item one: "domain bad.example". Ids are made of it. */
void feed_identity(const struct feed_entry *e, char text[NAME_TEXT_MAX + 32]);

int64_t feed_changed_at(const struct feed_item *item);

/* 2026-01-31T12:00:00 (UTC), without a zone; what lies before 1970 or after 9999 is moved there. */
enum { FEED_TIME = 32 };
void feed_time(int64_t seconds, char text[FEED_TIME]);

#endif
