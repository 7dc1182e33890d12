#include "protect/feed/cover.h"
#include "protect/feed/file.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The longest texts of the knowledge, each byte as \\u00XX, fit into `out`: no item is too large. */
enum { FLUSH_BYTES = 1 << 16, OUT_LIMIT = 20 * KNOWLEDGE_TEXT_MAX, REMARK_BYTES = 1000 };

const struct feed_format *const feed_formats[] = {
    &feed_rpz, &feed_hosts, &feed_adblock, &feed_dnsmasq, &feed_unbound, &feed_cdb,
    &feed_suricata, &feed_zeek, &feed_stix, &feed_misp, &feed_policy, NULL,
};

const struct feed_format *feed_format_of(const char *name)
{
    for (size_t i = 0; feed_formats[i] != NULL; i++)
        if (strcmp(feed_formats[i]->name, name) == 0)
            return feed_formats[i];
    return NULL;
}

/* A feed and where it goes. */
struct run {
    struct feed feed;
    struct feed_file file; /* of FEED_FILE, and of FEED_STREAM without a sink */
    feed_sink sink;
    void *to;
    char path[PATH_BYTES];
};

/* ---- bytes ---- */

static int flush(struct run *r, struct fault *why)
{
    struct buffer *out = &r->feed.out;
    int rc = out->failed ? fault_set(why, E_NOMEM, "%s: no memory for an item", r->feed.format->name) : E_OK;
    if (rc == 0 && out->len != 0 && r->sink != NULL)
        rc = r->sink(r->to, out->ptr, out->len, why);
    else if (rc == 0 && out->len != 0)
        feed_file_write(&r->file, out->ptr, out->len);
    buffer_clear(out);
    return rc;
}

static void release(struct run *r)
{
    if (r->feed.format->release != NULL && r->feed.state != NULL)
        r->feed.format->release(&r->feed);
    feed_file_abandon(&r->file);
    buffer_release(&r->feed.out);
    free(r->feed.state);
    free(r);
}

/* ---- comments ---- */

/* Text of others on one line. */
static void put_plain(struct buffer *to, const char *text, const char *not)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if ((c & 0xc0) != 0x80) /* a character of several bytes is one '?' */
            buffer_u8(to, c < 0x20 || c >= 0x7f || strchr(not, c) != NULL ? '?' : c);
    }
}

static void put_head(struct feed *f)
{
    const char *line = f->format->says;
    if (line == NULL)
        return;
    buffer_printf(&f->out, "%s ", f->format->sign);
    put_plain(&f->out, f->about->publisher, "");
    buffer_printf(&f->out, ": what is harmful, for %s\n", f->format->name);
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        buffer_printf(&f->out, "%s %.*s\n", f->format->sign, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void put_count(struct buffer *to, uint64_t count, const char *what)
{
    if (count != 0)
        buffer_printf(to, ", %" PRIu64 " %s", count, what);
}

static void put_foot(struct feed *f)
{
    const struct feed_counts *c = &f->counts;
    if (f->format->says == NULL)
        return;
    buffer_printf(&f->out, "%s items: %" PRIu64, f->format->sign, c->items);
    put_count(&f->out, c->narrowed, "of them without what is below the name");
    put_count(&f->out, c->left[FEED_LEFT_NAME], "left out for their name");
    put_count(&f->out, c->left[FEED_LEFT_LONG], "left out for their length");
    put_count(&f->out, c->left[FEED_LEFT_TRIGGER], "left out that are addresses or name servers");
    put_count(&f->out, c->left[FEED_LEFT_ACTION], "left out that are not blocked");
    put_count(&f->out, c->left[FEED_LEFT_COVERED], "left out that a listed domain covers");
    put_count(&f->out, c->left[FEED_LEFT_EXCEPTION], "left out that are allowed below a listed domain");
    buffer_u8(&f->out, '\n');
}

/* ---- beginning and end ---- */

static int open_place(struct run *r, const char *path, struct fault *why)
{
    struct feed *f = &r->feed;
    if ((size_t)snprintf(r->path, sizeof r->path, "%s", path) >= sizeof r->path)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", path);
    f->path = r->path;
    if (f->format->place == FEED_FOLDER)
        return mkdir(path, 0755) < 0 && errno != EEXIST ? fault_errno(why, errno, "%s: cannot make the folder", path) : E_OK;
    int rc = feed_file_open(&r->file, path, why);
    r->file.direct = f->format->place == FEED_FILE;
    f->fd = rc == 0 ? r->file.out.fd : -1;
    return rc;
}

static int begin(struct run *r, const struct feed_format *format, const struct feed_about *about, void *ctx, struct fault *why)
{
    struct feed *f = &r->feed;
    f->format = format;
    f->about = about;
    f->ctx = ctx;
    f->publisher = uuid_of(&uuid_dnsmon, "", about->publisher);
    f->state = calloc(1, format->state_bytes + 1);
    buffer_init(&f->out, OUT_LIMIT);
    if (f->state == NULL)
        return fault_set(why, E_NOMEM, "no memory for a feed");
    put_head(f);
    return format->begin != NULL ? format->begin(f, why) : E_OK;
}

static int open_run(struct feed **ret, const struct feed_format *format, const struct feed_about *about, const char *path, feed_sink sink,
                    void *to, void *ctx, struct fault *why)
{
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault_set(why, E_NOMEM, "no memory for a feed");
    r->sink = sink;
    r->to = to;
    r->feed.format = format;
    int rc = path != NULL ? open_place(r, path, why) : E_OK;
    if (rc == 0)
        rc = begin(r, format, about, ctx, why);
    if (rc != 0)
        release(r);
    else
        *ret = &r->feed;
    return rc;
}

int feed_open(struct feed **ret, const struct feed_format *format, const struct feed_about *about, const char *path, void *ctx,
              struct fault *why)
{
    return open_run(ret, format, about, path, NULL, NULL, ctx, why);
}

int feed_open_stream(struct feed **ret, const struct feed_format *format, const struct feed_about *about, feed_sink sink, void *to,
                     void *ctx, struct fault *why)
{
    if (format->place != FEED_STREAM)
        return fault_set(why, E_UNSUPPORTED, "%s is no stream: it needs a place", format->name);
    return open_run(ret, format, about, NULL, sink, to, ctx, why);
}

int feed_commit(struct feed **feed, struct feed_result *ret, struct fault *why)
{
    struct run *r = (struct run *)*feed;
    struct feed *f = &r->feed;
    *feed = NULL;
    int rc = f->format->end != NULL ? f->format->end(f, why) : E_OK;
    if (rc == 0 && f->format->place == FEED_STREAM) {
        put_foot(f);
        rc = flush(r, why);
    }
    if (rc == 0 && r->file.is_open)
        rc = feed_file_commit(&r->file, &f->changed, why);
    if (rc == 0 && ret != NULL)
        *ret = (struct feed_result){ .counts = f->counts, .changed = f->changed };
    release(r);
    return rc;
}

void feed_abandon(struct feed **feed)
{
    if (*feed != NULL)
        release((struct run *)*feed);
    *feed = NULL;
}

/* ---- items ---- */

static bool is_plain(const uint8_t *wire)
{
    for (size_t at = 0; wire[at] != 0; at += 1u + wire[at])
        for (size_t i = at + 1; i <= at + wire[at]; i++) {
            uint8_t c = wire[i];
            if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
                return false;
        }
    return true;
}

/* A first label of '*' would stand for all names beside it. */
static bool parse_name(struct feed_entry *e)
{
    size_t len = name_from_text(e->p->name, strlen(e->p->name), e->wire);
    if (len <= 1 || (e->wire[0] == 1 && e->wire[1] == '*'))
        return false;
    e->wire_len = len;
    name_lower_copy(e->wire, e->wire, len);
    len = name_to_text(e->wire, len, e->name);
    e->name[len - 1] = '\0'; /* the final dot */
    return true;
}

static void mask(struct feed_address *a)
{
    for (unsigned bit = a->prefix; bit < a->bits; bit++)
        a->bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
}

static bool parse_address(struct feed_entry *e)
{
    struct feed_address *a = &e->address;
    char *end = NULL;
    size_t len = strcspn(e->p->name, "/");
    if (len >= sizeof a->text)
        return false;
    snprintf(a->text, sizeof a->text, "%.*s", (int)len, e->p->name);
    bool is_ipv4 = inet_pton(AF_INET, a->text, a->bytes) == 1;
    if (!is_ipv4 && inet_pton(AF_INET6, a->text, a->bytes) != 1)
        return false;
    a->bits = is_ipv4 ? 32 : 128;
    const char *length = e->p->name + len;
    unsigned long prefix = *length == '/' && length[1] >= '0' && length[1] <= '9' ? strtoul(length + 1, &end, 10) : a->bits;
    if (prefix > a->bits || (*length == '/' && (end == NULL || *end != '\0')))
        return false;
    a->prefix = (unsigned)prefix;
    mask(a);
    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, a->bytes, a->text, sizeof a->text);
    snprintf(e->name, sizeof e->name, a->prefix < a->bits ? "%s/%u" : "%s", a->text, a->prefix);
    return true;
}

static bool is_good(const struct feed *f, struct feed_entry *e)
{
    if (e->p->trigger == TRIGGER_ADDRESS)
        return parse_address(e);
    return parse_name(e) && (f->format->odd_names || is_plain(e->wire));
}

static bool has_cover(const struct feed *f, const struct feed_entry *e)
{
    return f->format->enforces && f->about->cover != NULL && e->p->trigger != TRIGGER_ADDRESS;
}

/* A host is at the end of a domain of its own name, be that blocked or allowed. */
static bool is_covered(const struct feed *f, const struct feed_entry *e)
{
    const struct feed_cover *cover = f->about->cover;
    if (!has_cover(f, e))
        return false;
    if (e->p->trigger == TRIGGER_HOST && feed_cover_excepts(cover, TRIGGER_DOMAIN, e->wire, e->wire_len))
        return false;
    if (e->p->trigger == TRIGGER_HOST && feed_cover_has(cover, e->p->trigger, e->wire, e->wire_len))
        return true;
    return !f->format->no_below && feed_cover_has_above(cover, e->p->trigger, e->wire, e->wire_len);
}

static bool is_in_exception(const struct feed *f, const struct feed_entry *e)
{
    const struct feed_cover *cover = f->about->cover;
    if (!has_cover(f, e) || e->p->trigger == TRIGGER_NAMESERVER)
        return false;
    return feed_cover_excepts_above(cover, e->wire, e->wire_len) ||
           (e->p->trigger == TRIGGER_HOST && feed_cover_excepts(cover, TRIGGER_DOMAIN, e->wire, e->wire_len));
}

static int write_item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    uint64_t left = 0;
    for (int i = 0; i < FEED_LEFTS; i++)
        left -= f->counts.left[i];
    int rc = f->format->item(f, e, why);
    for (int i = 0; i < FEED_LEFTS; i++)
        left += f->counts.left[i];
    if (left != 0)
        return rc;
    f->counts.items++;
    f->counts.narrowed += e->p->trigger == TRIGGER_DOMAIN && f->format->no_below;
    return rc;
}

static int write_and_flush(struct run *r, const struct feed_entry *e, struct fault *why)
{
    int rc = write_item(&r->feed, e, why);
    return rc == 0 && r->feed.out.len >= FLUSH_BYTES && r->feed.format->place == FEED_STREAM ? flush(r, why) : rc;
}

/* Where nothing below a domain is listed it is let through as it is. */
static int put_exception(struct run *r, struct feed_entry *e, struct fault *why)
{
    struct feed *f = &r->feed;
    if (f->format->no_below)
        return E_OK;
    if (!(f->format->excepts >> e->p->trigger & 1))
        return feed_leave(f, FEED_LEFT_EXCEPTION);
    if (!is_good(f, e))
        return feed_leave(f, FEED_LEFT_NAME);
    e->in_exception = is_in_exception(f, e);
    return write_and_flush(r, e, why);
}

int feed_item(struct feed *f, const struct feed_item *item, struct fault *why)
{
    struct run *r = (struct run *)f;
    struct feed_entry e = { .item = item, .p = item->p };
    if (item->above != NULL)
        return put_exception(r, &e, why);
    if (f->format->tells)
        return write_and_flush(r, &e, why);
    if (!(f->format->triggers >> item->p->trigger & 1))
        return feed_leave(f, FEED_LEFT_TRIGGER);
    if (!(f->format->actions >> item->action & 1))
        return feed_leave(f, FEED_LEFT_ACTION);
    if (!is_good(f, &e))
        return feed_leave(f, FEED_LEFT_NAME);
    if (is_covered(f, &e))
        return feed_leave(f, FEED_LEFT_COVERED);
    e.in_exception = is_in_exception(f, &e);
    return write_and_flush(r, &e, why);
}

/* ---- what items say ---- */

static const char *text_at(const json_t *list, size_t n)
{
    const char *text = json_string_value(json_array_get(list, n));
    return text != NULL ? text : "";
}

void feed_categories(struct buffer *to, const char *json, const char *between)
{
    json_t *list = json_loads(json, 0, NULL);
    for (size_t n = 0; n < json_array_size(list); n++) {
        if (n > 0)
            feed_put(to, between);
        feed_put(to, text_at(list, n));
    }
    json_decref(list);
}

bool feed_has_category(const char *json, const char *category)
{
    json_t *list = json_loads(json, 0, NULL);
    bool has = false;
    for (size_t n = 0; n < json_array_size(list); n++)
        has |= strcmp(text_at(list, n), category) == 0;
    json_decref(list);
    return has;
}

void feed_remark(struct buffer *to, const struct feed_entry *e, const char *not)
{
    const char *evidence = e->item->evidence[0] != '\0' ? e->item->evidence : e->p->reason;
    struct buffer text;
    buffer_init(&text, KNOWLEDGE_TEXT_MAX);
    buffer_printf(&text, "%s ", verdict_level_text(e->p->level));
    feed_categories(&text, e->p->categories, " ");
    if (e->p->family[0] != '\0')
        buffer_printf(&text, " %s", e->p->family);
    if (evidence[0] != '\0')
        buffer_printf(&text, ": %s", evidence);
    if (text.len > REMARK_BYTES)
        text.len = REMARK_BYTES;
    buffer_u8(&text, '\0');
    put_plain(to, text.failed ? "" : (const char *)text.ptr, not);
    buffer_release(&text);
}

bool feed_garden_address(const char **at, char text[64], int *family)
{
    uint8_t bytes[16];
    *at += strspn(*at, " ");
    size_t len = strcspn(*at, " ");
    if (len == 0 || len >= 64)
        return false;
    snprintf(text, 64, "%.*s", (int)len, *at);
    *at += len;
    *family = inet_pton(AF_INET, text, bytes) == 1 ? AF_INET : inet_pton(AF_INET6, text, bytes) == 1 ? AF_INET6 : 0;
    return *family != 0;
}

void feed_identity(const struct feed_entry *e, char text[NAME_TEXT_MAX + 32])
{
    static const char *const kinds[TRIGGERS] = { "domain", "host", "address", "nameserver" };
    snprintf(text, NAME_TEXT_MAX + 32, "%s %s", kinds[e->p->trigger], e->name);
}

int64_t feed_changed_at(const struct feed_item *item)
{
    int64_t at = item->changed_at > item->p->since ? item->changed_at : item->p->since;
    return at > item->p->first_seen ? at : item->p->first_seen;
}

void feed_time(int64_t seconds, char text[FEED_TIME])
{
    const int64_t last = INT64_C(253402300799);
    time_t at = (time_t)(seconds < 0 ? 0 : seconds > last ? last : seconds);
    struct tm tm;
    gmtime_r(&at, &tm);
    strftime(text, FEED_TIME, "%Y-%m-%dT%H:%M:%S", &tm);
}
