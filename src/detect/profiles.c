#include "detect/profiles.h"

#include "record/kind.h"
#include "store/table_reader.h"
#include "store/table_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Keys that no name has: more bytes than a label has before its 00, the largest there are, so they stand behind all names. The head's
 * are these alone, those of the network's hours go on. */
enum { TAIL_LEN = 64, HOUR_LEN = TAIL_LEN + 4 };

static void tail_key(uint8_t key[TAIL_LEN])
{
    memset(key, 0xff, TAIL_LEN);
}

static bool is_tail(struct slice key, size_t len)
{
    uint8_t tail[TAIL_LEN];
    tail_key(tail);
    return key.len == len && memcmp(key.ptr, tail, TAIL_LEN) == 0;
}

static unsigned filter_owner(struct slice key, size_t ret_lens[])
{
    ret_lens[0] = key.len;
    return 1;
}

static const struct record_kind profile_kind = { .name = "profile", .filter_keys = filter_owner };

/* ---- reading ---- */

struct profiles_reader {
    struct table_reader *table;
    struct table_cursor at;
    uint32_t period, first;
    struct network_hour *hours;
    size_t n_hours, room;
    uint8_t key[NAME_KEY_MAX]; /* of the profile handed out */
};

static int bad(const struct profiles_reader *r, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "%s: what analysis remembers does not parse; remove the file and run dnsmon analyze --again",
                     table_reader_path(r->table));
}

static struct slice value_of(const struct profiles_reader *r)
{
    return r->at.block.value;
}

static int read_head(struct profiles_reader *r, struct fault *why)
{
    struct slice key = block_cursor_key(&r->at.block);
    if (!r->at.block.valid || !is_tail(key, TAIL_LEN))
        return bad(r, why);
    struct cursor c = cursor_over(value_of(r).ptr, value_of(r).len);
    uint64_t period = cursor_varint(&c), first = cursor_varint(&c);
    if (c.failed || cursor_left(&c) || period > UINT32_MAX || first > period || period % PERIOD_STEPS)
        return bad(r, why);
    r->period = (uint32_t)period;
    r->first = (uint32_t)first;
    return table_cursor_next(&r->at, why);
}

static int read_hour(struct profiles_reader *r, struct fault *why)
{
    struct slice key = block_cursor_key(&r->at.block);
    struct cursor c = cursor_over(value_of(r).ptr, value_of(r).len);
    struct network_hour hour = { .hour = get_be32(key.ptr + TAIL_LEN) };
    uint64_t domains = cursor_varint(&c), clients = cursor_varint(&c);
    hour.queries = cursor_varint(&c);
    if (c.failed || cursor_left(&c) || domains > UINT32_MAX || clients > UINT32_MAX || r->n_hours >= r->room)
        return bad(r, why);
    hour.domains = (uint32_t)domains;
    hour.clients = (uint32_t)clients;
    r->hours[r->n_hours++] = hour;
    return table_cursor_next(&r->at, why);
}

/* The end first, then on to the first profile. */
static int read_frame(struct profiles_reader *r, struct fault *why)
{
    uint8_t tail[TAIL_LEN];
    tail_key(tail);
    int rc = table_cursor_seek(&r->at, (struct slice){ tail, TAIL_LEN }, why);
    if (rc == 0)
        rc = read_head(r, why);
    while (rc == 0 && r->at.block.valid)
        rc = is_tail(block_cursor_key(&r->at.block), HOUR_LEN) ? read_hour(r, why) : bad(r, why);
    return rc == 0 ? table_cursor_first(&r->at, why) : rc;
}

int profiles_open(struct profiles_reader **ret, const char *path, uint64_t digest, struct fault *why)
{
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return fault_set(why, E_ABSENT, "%s: what analysis remembers is missing; run dnsmon analyze --again", path);
    struct profiles_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault_set(why, E_NOMEM, "no memory for profiles");
    r->room = PROFILES_HOURS;
    r->hours = calloc(r->room, sizeof *r->hours);
    int rc = r->hours == NULL ? fault_set(why, E_NOMEM, "no memory for profiles")
                              : table_reader_open(&r->table, path, digest, why);
    if (rc == 0) {
        table_cursor_attach(&r->at, r->table);
        rc = read_frame(r, why);
    }
    if (rc != 0)
        profiles_close(&r);
    else
        *ret = r;
    return rc;
}

void profiles_close(struct profiles_reader **r)
{
    if (*r == NULL)
        return;
    table_cursor_release(&(*r)->at);
    if ((*r)->table != NULL)
        table_reader_close(&(*r)->table);
    free((*r)->hours);
    free(*r);
    *r = NULL;
}

uint32_t profiles_period(const struct profiles_reader *r)
{
    return r->period;
}

uint32_t profiles_first(const struct profiles_reader *r)
{
    return r->first;
}

size_t profiles_hours(const struct profiles_reader *r, const struct network_hour **ret)
{
    *ret = r->hours;
    return r->n_hours;
}

int profiles_next(struct profiles_reader *r, struct slice *ret_owner, struct profile *ret, struct fault *why)
{
    *ret_owner = (struct slice){ NULL, 0 };
    struct slice owner = block_cursor_key(&r->at.block);
    if (!r->at.block.valid || is_tail(owner, TAIL_LEN))
        return E_OK;
    if (owner.len > sizeof r->key || name_key_length(owner.ptr, owner.len) != owner.len || !profile_get(value_of(r), ret))
        return bad(r, why);
    memcpy(r->key, owner.ptr, owner.len);
    *ret_owner = (struct slice){ r->key, owner.len };
    return table_cursor_next(&r->at, why);
}

/* ---- writing ---- */

struct profiles_writer {
    struct table_writer *table;
    uint32_t period, first;
    struct buffer value;
};

static int add_entry(struct profiles_writer *w, struct slice key, struct fault *why)
{
    if (w->value.failed)
        return fault_set(why, E_NOMEM, "no memory for profiles");
    return table_writer_add(w->table, key, (struct slice){ w->value.ptr, w->value.len }, why);
}

static int add_head(struct profiles_writer *w, struct fault *why)
{
    uint8_t key[TAIL_LEN];
    tail_key(key);
    buffer_clear(&w->value);
    buffer_varint(&w->value, w->period);
    buffer_varint(&w->value, w->first);
    return add_entry(w, (struct slice){ key, TAIL_LEN }, why);
}

int profiles_create(struct profiles_writer **ret, const char *path, uint32_t period, uint32_t first, struct fault *why)
{
    struct profiles_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return fault_set(why, E_NOMEM, "no memory for profiles");
    buffer_init(&w->value, PROFILE_VALUE_MAX);
    w->period = period;
    w->first = first;
    int rc = table_writer_create(&w->table, path, &profile_kind, TABLE_LZ4, why);
    if (rc != 0)
        profiles_abandon(&w);
    else
        *ret = w;
    return rc;
}

int profiles_add(struct profiles_writer *w, struct slice owner, const struct profile *p, struct fault *why)
{
    buffer_clear(&w->value);
    profile_put(p, &w->value);
    return add_entry(w, owner, why);
}

static int add_hour(struct profiles_writer *w, const struct network_hour *hour, struct fault *why)
{
    uint8_t key[HOUR_LEN];
    tail_key(key);
    put_be32(key + TAIL_LEN, hour->hour);
    buffer_clear(&w->value);
    buffer_varint(&w->value, hour->domains);
    buffer_varint(&w->value, hour->clients);
    buffer_varint(&w->value, hour->queries);
    return add_entry(w, (struct slice){ key, HOUR_LEN }, why);
}

int profiles_finish(struct profiles_writer **w, const struct network_hour *hours, size_t n_hours, uint64_t *ret_digest,
                    struct fault *why)
{
    struct table_written written;
    int rc = add_head(*w, why);
    for (size_t i = n_hours > PROFILES_HOURS ? n_hours - PROFILES_HOURS : 0; rc == 0 && i < n_hours; i++)
        rc = add_hour(*w, &hours[i], why);
    if (rc == 0)
        rc = table_writer_finish((*w)->table, &written, why);
    if (rc == 0)
        *ret_digest = written.trailer_hash;
    profiles_abandon(w);
    return rc;
}

void profiles_abandon(struct profiles_writer **w)
{
    if (*w == NULL)
        return;
    if ((*w)->table != NULL)
        table_writer_destroy(&(*w)->table);
    buffer_release(&(*w)->value);
    free(*w);
    *w = NULL;
}
