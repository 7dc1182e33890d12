/* present: records as people and programs read them.
 *
 * JSON: the Passive DNS Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof), one
 * object a line. Table: aligned columns, times in UTC. Record data is in the presentation
 * form of its type; what does not decode is in that of RFC 3597, section 5.
 *
 * Output gathers in memory and goes to the file descriptor in large writes; a failed write
 * is remembered and told by `present_flush`. Value type; one thread. No allocation a line.
 */
#ifndef DNSMON_CMD_PRESENT_H
#define DNSMON_CMD_PRESENT_H

#include "base/buffer.h"
#include "record/rr.h"

enum present_style { PRESENT_JSON, PRESENT_TABLE };

enum {
    PRESENT_TYPE_MAX = 32,
    PRESENT_RDATA_MAX = 65536,
    PRESENT_SENSORS = 64,
};

struct present {
    enum present_style style;
    bool verbose; /* JSON: also sections, sensors, counts by side */
    const char *sensors[PRESENT_SENSORS]; /* by bit; NULL = not known. Borrowed */
    int fd;
    int write_errno;
    bool headed;  /* the table's header line is out */
    struct buffer out;
    char rdata[PRESENT_RDATA_MAX];
};

void present_init(struct present *p, int fd, enum present_style style);
void present_release(struct present *p);

void present_record(struct present *p, const struct rr_key *key, const struct rr_value *value);
void present_text(struct present *p, const char *text);
int present_flush(struct present *p, struct fault *why) MUST_CHECK;

/* The count that is shown (docs/format/records.md). */
static inline uint64_t present_count(const struct rr_value *v)
{
    return v->count ? v->count : v->upstream;
}

/* The parts, each with its final NUL, which is not counted. */
size_t present_type(uint16_t type, char text[PRESENT_TYPE_MAX]);
size_t present_owner(struct slice owner_key, char text[NAME_TEXT_MAX]);
size_t present_rdata(uint16_t type, struct slice rdata, char text[PRESENT_RDATA_MAX]);

/* Seconds as 2026-01-31 12:00:00 (UTC); `text` has 32 bytes. */
void present_time(uint64_t seconds, char *text);

/* Any bytes as a JSON string with its quotes; what is not ASCII is taken for Latin-1. */
void present_json_string(struct buffer *to, const char *text, size_t len);
/* The same of UTF-8, which stays; what is not UTF-8 is taken for Latin-1. */
void present_json_text(struct buffer *to, const char *text);
/* JSON text on one line, or `otherwise` when it is none. */
void present_json_value(struct buffer *to, const char *text, const char *otherwise);
/* UTF-8 for a terminal: control characters become '?'. */
void present_plain(struct buffer *to, const char *text);
/* A field of CSV (RFC 4180). */
void present_csv(struct buffer *to, const char *text, size_t len);
void present_number(struct buffer *to, uint64_t number);

#endif
