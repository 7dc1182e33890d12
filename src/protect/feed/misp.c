/* misp: a MISP feed, a folder of events (draft-dulaunoy-misp-core-format): UUID.json each, manifest.json that lists them, and
 * hashes.csv with the MD5 of each value and its event.
 *
 * An event is a campaign, or what became published on one day without one. Items come by name, so events grow side by side: what is
 * to be written gathers in memory and, when it is much, goes to the files of all of them in a folder beside. At the end whole events take
 * the place of former ones where they differ, then hashes.csv and the manifest, and last of all events that are no more are removed: a
 * reader meets no event in the manifest that is not there, unless it is one that goes.
 */
#include "base/jsontext.h"
#include "protect/feed/file.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/md5.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK ".new"

enum { PENDING_BYTES = 8 << 20, EVENT_BYTES = PENDING_BYTES + 20 * KNOWLEDGE_TEXT_MAX, INFO_BYTES = 96 };

struct event {
    struct buffer pending; /* of its attributes, to be written */
    char info[INFO_BYTES];
    int64_t first, changed; /* seconds: of its attributes, the least and the most */
    enum verdict_level level;
};

struct events {
    struct uuid_set ids;
    struct event *list; /* by the number of the id */
    size_t count, capacity;
    size_t pending; /* bytes, of all */
    struct feed_file hashes;
};

/* ---- files ---- */

static int path_of(char ret[PATH_BYTES], const struct feed *f, const char *folder, const char *name, struct fault *why)
{
    if (snprintf(ret, PATH_BYTES, "%s/%s%s", f->path, folder, name) >= PATH_BYTES)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", f->path);
    return E_OK;
}

static int event_path(char ret[PATH_BYTES], const struct feed *f, const char *folder, size_t number, struct fault *why)
{
    const struct events *all = f->state;
    char name[UUID_TEXT + 8], uuid[UUID_TEXT];
    uuid_text(&all->ids.ids[number], uuid);
    snprintf(name, sizeof name, "%s.json", uuid);
    return path_of(ret, f, folder, name, why);
}

/* Whether a file of the feed is an event's, and whose. */
static bool is_event(const char *name, struct uuid *ret)
{
    return uuid_parse(name, ret) && strcmp(name + UUID_TEXT - 1, ".json") == 0;
}

typedef bool (*goes)(const struct feed *f, const char *name);

static void remove_where(const struct feed *f, const char *folder, goes is_to_go)
{
    char path[PATH_BYTES];
    if (path_of(path, f, folder, "", NULL) != 0)
        return;
    DIR *dir = opendir(path);
    for (struct dirent *at; dir != NULL && (at = readdir(dir)) != NULL;)
        if (is_to_go(f, at->d_name) && path_of(path, f, folder, at->d_name, NULL) == 0)
            unlink(path);
    if (dir != NULL)
        closedir(dir);
}

static bool is_any_event(const struct feed *f, const char *name)
{
    struct uuid id;
    (void)f;
    return is_event(name, &id);
}

static bool is_former_event(const struct feed *f, const char *name)
{
    const struct events *all = f->state;
    struct uuid id;
    return is_event(name, &id) && !uuid_set_has(&all->ids, &id);
}

static int write_pending(const struct feed *f, struct event *e, size_t number, bool sync, struct fault *why)
{
    char path[PATH_BYTES];
    int rc = event_path(path, f, WORK "/", number, why);
    if (rc != 0)
        return rc;
    if (e->pending.failed)
        return fault_set(why, E_NOMEM, "%s: no memory for an event", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot create", path);
    const off_t at = lseek(fd, 0, SEEK_END);
    int errnum = at < 0 ? errno : write_all_at(fd, e->pending.ptr, e->pending.len, (uint64_t)at);
    if (errnum == 0 && sync && fdatasync(fd) < 0)
        errnum = errno;
    close(fd);
    buffer_release(&e->pending);
    buffer_init(&e->pending, EVENT_BYTES);
    return errnum ? fault_errno(why, errnum, "%s: cannot write", path) : E_OK;
}

static int write_all_pending(const struct feed *f, struct fault *why)
{
    struct events *all = f->state;
    int rc = E_OK;
    for (size_t i = 0; i < all->count && rc == 0; i++)
        if (all->list[i].pending.len != 0)
            rc = write_pending(f, &all->list[i], i, false, why);
    all->pending = 0;
    return rc;
}

static int begin(struct feed *f, struct fault *why)
{
    struct events *all = f->state;
    char path[PATH_BYTES];
    int rc = path_of(path, f, WORK, "", why);
    if (rc == 0 && mkdir(path, 0755) < 0 && errno != EEXIST)
        rc = fault_errno(why, errno, "%s: cannot make the folder", path);
    if (rc != 0)
        return rc;
    remove_where(f, WORK "/", is_any_event);
    rc = path_of(path, f, "", "hashes.csv", why);
    return rc ? rc : feed_file_open(&all->hashes, path, why);
}

/* ---- attributes ---- */

static void put_text(struct buffer *to, const char *property, const char *text)
{
    buffer_printf(to, "\"%s\":", property);
    jsontext_put(to, text);
    buffer_u8(to, ',');
}

static void put_id(struct buffer *to, const struct uuid *id)
{
    char text[UUID_TEXT];
    uuid_text(id, text);
    buffer_printf(to, "\"uuid\":\"%s\",", text);
}

static void put_tags(struct buffer *to, const struct feed_entry *e)
{
    struct buffer words;
    char tag[128];
    const char *before = "";
    buffer_init(&words, KNOWLEDGE_TEXT_MAX);
    feed_categories(&words, e->p->categories, "\n");
    buffer_u8(&words, '\0');
    feed_put(to, "\"Tag\":[");
    for (char *rest, *word = words.failed ? NULL : strtok_r((char *)words.ptr, "\n", &rest); word != NULL; word = strtok_r(NULL, "\n", &rest)) {
        snprintf(tag, sizeof tag, "dnsmon:category=\"%s\"", word);
        buffer_printf(to, "%s{\"name\":", before);
        jsontext_put(to, tag);
        feed_put(to, "}");
        before = ",";
    }
    feed_put(to, "],");
    buffer_release(&words);
}

static void put_comment(struct buffer *to, const struct feed_entry *e)
{
    struct buffer text;
    buffer_init(&text, KNOWLEDGE_TEXT_MAX);
    feed_remark(&text, e, "");
    buffer_u8(&text, '\0');
    put_text(to, "comment", text.failed ? "" : (const char *)text.ptr);
    buffer_release(&text);
}

static void put_attribute(const struct feed *f, struct buffer *to, const struct feed_entry *e)
{
    static const char *const types[TRIGGERS] = { "domain", "hostname", "ip-dst", "hostname" };
    char identity[NAME_TEXT_MAX + 32], time[FEED_TIME];
    feed_identity(e, identity);
    const struct uuid id = uuid_of(&f->publisher, "attribute", identity);
    feed_put(to, "{");
    put_id(to, &id);
    buffer_printf(to, "\"type\":\"%s\",\"category\":\"Network activity\",", types[e->p->trigger]);
    put_text(to, "value", e->name);
    put_comment(to, e);
    put_tags(to, e);
    if (e->p->first_seen > 0) {
        feed_time(e->p->first_seen, time);
        buffer_printf(to, "\"first_seen\":\"%s.000000+00:00\",", time);
    }
    buffer_printf(to, "\"to_ids\":%s,\"disable_correlation\":false,\"timestamp\":\"%" PRId64 "\"}",
                  e->item->action != FEED_PASSTHRU ? "true" : "false", feed_changed_at(e->item));
}

static void put_hash(struct events *all, const char *value, const struct uuid *event)
{
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];
    char line[2 * MD5_DIGEST_SIZE + UUID_TEXT + 2], uuid[UUID_TEXT];
    md5_init(&md5);
    md5_update(&md5, strlen(value), (const uint8_t *)value);
    md5_digest(&md5, sizeof digest, digest);
    sodium_bin2hex(line, sizeof line, digest, sizeof digest);
    uuid_text(event, uuid);
    snprintf(line + 2 * MD5_DIGEST_SIZE, sizeof line - 2 * MD5_DIGEST_SIZE, ",%s\n", uuid);
    feed_file_write(&all->hashes, line, strlen(line));
}

/* ---- events ---- */

static int add_event(struct events *all, const char *info, struct fault *why)
{
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 64;
        struct event *list = realloc(all->list, capacity * sizeof *list);
        if (list == NULL)
            return fault_set(why, E_NOMEM, "no memory for events");
        all->list = list;
        all->capacity = capacity;
    }
    struct event *e = &all->list[all->count++];
    *e = (struct event){ .first = INT64_MAX };
    snprintf(e->info, sizeof e->info, "%s", info);
    buffer_init(&e->pending, EVENT_BYTES);
    return E_OK;
}

static struct uuid name_event(const struct feed *f, const struct feed_entry *e, char info[INFO_BYTES])
{
    const char *campaign = e->item->campaign;
    char day[FEED_TIME];
    feed_time(e->p->since, day);
    day[strcspn(day, "T")] = '\0';
    if (campaign[0] != '\0')
        snprintf(info, INFO_BYTES, "DNSMon: campaign %s", campaign);
    else
        snprintf(info, INFO_BYTES, "DNSMon: published on %s", day);
    return campaign[0] != '\0' ? uuid_of(&f->publisher, "campaign", campaign) : uuid_of(&f->publisher, "day", day);
}

static int event_of(struct feed *f, const struct feed_entry *e, size_t *ret, struct fault *why)
{
    struct events *all = f->state;
    char info[INFO_BYTES];
    bool is_new;
    const struct uuid id = name_event(f, e, info);
    if (uuid_set_add(&all->ids, &id, ret, &is_new) != 0)
        return fault_set(why, E_NOMEM, "no memory for events");
    return is_new ? add_event(all, info, why) : E_OK;
}

static int item(struct feed *f, const struct feed_entry *entry, struct fault *why)
{
    struct events *all = f->state;
    size_t number;
    int rc = event_of(f, entry, &number, why);
    if (rc != 0)
        return rc;
    struct event *e = &all->list[number];
    const size_t before = e->pending.len;
    feed_put(&e->pending, e->first == INT64_MAX ? "{\"Event\":{\"Attribute\":[\n" : ",\n");
    put_attribute(f, &e->pending, entry);
    put_hash(all, entry->name, &all->ids.ids[number]);
    const int64_t changed = feed_changed_at(entry->item);
    e->first = entry->p->since < e->first ? entry->p->since : e->first;
    e->changed = changed > e->changed ? changed : e->changed;
    e->level = entry->p->level > e->level ? entry->p->level : e->level;
    all->pending += e->pending.len - before;
    return all->pending > PENDING_BYTES ? write_all_pending(f, why) : E_OK;
}

/* What manifest and event say alike. */
static void put_meta(const struct feed *f, struct buffer *to, const struct event *e)
{
    char date[FEED_TIME];
    feed_time(e->first, date);
    put_text(to, "info", e->info);
    feed_put(to, "\"Orgc\":{");
    put_id(to, &f->publisher);
    feed_put(to, "\"name\":");
    jsontext_put(to, f->about->publisher);
    buffer_printf(to, "},\"analysis\":\"2\",\"Tag\":[],\"timestamp\":\"%" PRId64 "\",\"date\":\"%.10s\",\"threat_level_id\":\"%d\"", e->changed,
                  date, e->level >= VERDICT_MALICIOUS ? 1 : 2);
}

static int finish_event(struct feed *f, size_t number, struct fault *why)
{
    struct events *all = f->state;
    struct event *e = &all->list[number];
    char made[PATH_BYTES], path[PATH_BYTES], now[DIGEST_TEXT], before[DIGEST_TEXT] = "";
    feed_put(&e->pending, "\n],\"Object\":[],");
    put_id(&e->pending, &all->ids.ids[number]);
    put_meta(f, &e->pending, e);
    buffer_printf(&e->pending, ",\"published\":true,\"publish_timestamp\":\"%" PRId64 "\"}}\n", e->changed);
    int rc = write_pending(f, e, number, true, why);
    if (rc == 0)
        rc = event_path(made, f, WORK "/", number, why);
    if (rc == 0)
        rc = event_path(path, f, "", number, why);
    if (rc == 0)
        rc = digest_of_path(made, now, why);
    if (rc != 0 || (digest_of_path(path, before, NULL) == 0 && strcmp(now, before) == 0))
        return rc;
    f->changed = true;
    return rename(made, path) < 0 ? fault_errno(why, errno, "%s: cannot rename", path) : E_OK;
}

/* ---- the feed's own files ---- */

static int write_manifest(struct feed *f, struct fault *why)
{
    struct events *all = f->state;
    struct feed_file file;
    char path[PATH_BYTES], uuid[UUID_TEXT];
    int rc = path_of(path, f, "", "manifest.json", why);
    if (rc == 0)
        rc = feed_file_open(&file, path, why);
    if (rc != 0)
        return rc;
    feed_file_write(&file, "{", 1);
    for (size_t i = 0; i < all->count; i++) {
        buffer_clear(&f->out);
        uuid_text(&all->ids.ids[i], uuid);
        buffer_printf(&f->out, "%s\n\"%s\":{", i > 0 ? "," : "", uuid);
        put_meta(f, &f->out, &all->list[i]);
        feed_put(&f->out, "}");
        feed_file_write(&file, f->out.ptr, f->out.len);
    }
    feed_file_write(&file, "\n}\n", 3);
    return feed_file_commit(&file, &f->changed, why);
}

static int end(struct feed *f, struct fault *why)
{
    struct events *all = f->state;
    int rc = E_OK;
    for (size_t i = 0; i < all->count && rc == 0; i++)
        rc = finish_event(f, i, why);
    if (rc == 0 && f->changed)
        rc = sync_folder(f->path, why);
    if (rc == 0)
        rc = feed_file_commit(&all->hashes, &f->changed, why);
    if (rc == 0)
        rc = write_manifest(f, why);
    if (rc == 0)
        remove_where(f, "", is_former_event);
    return rc;
}

static void release(struct feed *f)
{
    struct events *all = f->state;
    char path[PATH_BYTES];
    feed_file_abandon(&all->hashes);
    for (size_t i = 0; i < all->count; i++)
        buffer_release(&all->list[i].pending);
    free(all->list);
    uuid_set_release(&all->ids);
    remove_where(f, WORK "/", is_any_event);
    if (path_of(path, f, WORK, "", NULL) == 0)
        rmdir(path);
}

const struct feed_format feed_misp = {
    .name = "misp",
    .file = "misp",
    .media = "application/json",
    .place = FEED_FOLDER,
    .triggers = FEED_ALL_TRIGGERS,
    .actions = FEED_ALL_ACTIONS,
    .state_bytes = sizeof(struct events),
    .begin = begin,
    .item = item,
    .end = end,
    .release = release,
};
