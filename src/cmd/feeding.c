#include "cmd/feeding.h"

#include "cmd/commands.h"
#include "protect/feed/set.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK_MS = 200, AGAIN_S = 5, KEEP_MODE = 0755 };

/* ---- writing ---- */

/* One view's folder. */
struct spread {
    struct feed_about about;
    struct feed_set *feeds;
};

struct writing {
    const struct protection *p;
    struct finding_from from;
    struct published published;
    struct spread *spread;
    uint32_t serial;
    bool stopped; /* the walk did not come to its end: what is open is not whole */
};

int feeding_folder(const struct protection *p, const struct protection_view *view, char path[FEEDING_PATH_MAX], struct fault *why)
{
    int n = snprintf(path, FEEDING_PATH_MAX, "%s/%s", p->feeds.dir, view->zone);
    return n < FEEDING_PATH_MAX ? E_OK : fault_set(why, E_LIMIT, "%s: the path of the feeds is too long", p->feeds.dir);
}

static int make_folder(const char *path, struct fault *why)
{
    return mkdir(path, KEEP_MODE) == 0 || errno == EEXIST ? E_OK : fault_errno(why, errno, "%s: cannot make the folder", path);
}

static int open_view(struct writing *w, unsigned i, struct fault *why)
{
    const struct protection_texts *names = &w->p->feeds.formats;
    const struct protection_view *view = &w->p->views[i];
    const struct feed_format *formats[FEED_SET_MAX + 1] = { NULL };
    char folder[FEEDING_PATH_MAX];
    w->spread[i].about = (struct feed_about){ .publisher = "DNSMon", .zone = view->zone, .serial = w->serial, .ttl_s = view->ttl_s, .link = "" };
    for (unsigned f = 0; f < names->n && f < FEED_SET_MAX; f++)
        formats[f] = published_format(names->text[f]);
    int rc = feeding_folder(w->p, view, folder, why);
    return rc ? rc : feed_set_open(&w->spread[i].feeds, folder, formats, &w->spread[i].about, &w->from, why);
}

/* The words of an action in those of feeds. */
static void set_action(const char *action, struct feed_item *item)
{
    static const char *const words[FEED_ACTIONS] = { [FEED_NXDOMAIN] = "nxdomain", [FEED_NODATA] = "nodata", [FEED_DROP] = "drop",
                                                     [FEED_PASSTHRU] = "passthru" };
    static const char garden[] = "garden ";
    item->action = FEED_GARDEN;
    item->garden = "";
    for (unsigned i = 0; i < FEED_ACTIONS; i++)
        if (words[i] != NULL && strcmp(action, words[i]) == 0)
            item->action = (enum feed_action)i;
    if (item->action == FEED_GARDEN)
        item->garden = action + strlen(garden);
}

/* What is known of it is looked up once for all views and formats. */
static int put(void *ctx, const struct publication *p, struct fault *why)
{
    struct writing *w = ctx;
    struct feed_item item;
    int rc = published_item(&w->published, p, feed_formats[0], &item, why);
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        if (protection_shows(w->p, &w->p->views[i], p)) {
            set_action(protection_action(&w->p->views[i], p), &item);
            feed_set_item(w->spread[i].feeds, &item);
        }
    return rc;
}

/* Each that can be written is; the first failure is told. */
static int close_all(struct writing *w, int rc, struct fault *why)
{
    struct fault other;
    for (unsigned i = 0; i < w->p->n_views; i++) {
        if (w->spread[i].feeds == NULL)
            continue;
        if (rc == 0)
            rc = feed_set_commit(&w->spread[i].feeds, NULL, why);
        else if (w->stopped)
            feed_set_abandon(&w->spread[i].feeds);
        else
            (void)!feed_set_commit(&w->spread[i].feeds, NULL, &other);
    }
    return rc;
}

static int keep_serial(void *ctx, const struct version *v, struct fault *why)
{
    (void)why;
    *(int64_t *)ctx = v->serial;
    return E_OK;
}

static int write_all(struct writing *w, struct fault *why)
{
    int64_t serial = 0;
    int rc = version_last(w->from.k, keep_serial, &serial, why);
    w->serial = (uint32_t)serial;
    if (rc == 0)
        rc = make_folder(w->p->feeds.dir, why);
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        rc = open_view(w, i, why);
    if (rc == 0)
        rc = publication_each(w->from.k, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED, put, w, why);
    w->stopped = rc != 0;
    return close_all(w, rc, why);
}

int feeding_write(const struct protection *p, struct knowledge *k, struct store *store, struct fault *why)
{
    struct writing w = { .p = p, .from = { .k = k, .store = store } };
    w.spread = calloc(p->n_views + 1, sizeof *w.spread);
    if (w.spread == NULL)
        return fault_set(why, E_NOMEM, "no memory for feeds");
    published_init(&w.published, &w.from);
    int rc = knowledge_begin(k, why);
    if (rc == 0)
        rc = write_all(&w, why);
    knowledge_rollback(k);
    published_release(&w.published);
    free(w.spread);
    return rc;
}

/* ---- HTTP ---- */

int feeding_listen(struct feed_http **ret, const struct protection *p, struct fault *why)
{
    static const struct feed_format *const own[] = { &published_jsonl, &published_csv, NULL };
    struct feed_mount mounts[FEED_HTTP_MOUNTS];
    char folders[FEED_HTTP_MOUNTS][FEEDING_PATH_MAX], address[64];
    const char *colon = strrchr(p->feeds.listen, ':');
    unsigned long port = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
    size_t len = colon != NULL ? (size_t)(colon - p->feeds.listen) : 0;
    bool bracketed = len > 2 && p->feeds.listen[0] == '[' && colon[-1] == ']';
    if (colon == NULL || port > UINT16_MAX || len >= sizeof address || p->n_views > FEED_HTTP_MOUNTS)
        return fault_set(why, E_USAGE, "feeds: listen: '%s' is not ADDRESS:PORT, or there are more than %d views", p->feeds.listen, FEED_HTTP_MOUNTS);
    snprintf(address, sizeof address, "%.*s", (int)(bracketed ? len - 2 : len), p->feeds.listen + bracketed);
    for (unsigned i = 0; i < p->n_views; i++) {
        int rc = feeding_folder(p, &p->views[i], folders[i], why);
        if (rc != 0)
            return rc;
        mounts[i] = (struct feed_mount){ .path = p->views[i].zone, .folder = folders[i], .formats = own };
    }
    return feed_http_open(ret, address, (uint16_t)port, mounts, p->n_views, why);
}

/* ---- the thread ---- */

struct feeding {
    const struct settings *settings;
    struct knowledge *k;
    pthread_t thread;
    atomic_bool stop;
    int64_t seen;    /* the file's change counter */
    int64_t written; /* serial of the version that the files are of */
    struct fault said;
};

static void rest(const struct feeding *f, unsigned ms)
{
    const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
    for (unsigned waited = 0; waited < ms && !atomic_load(&f->stop); waited += LOOK_MS)
        nanosleep(&look, NULL);
}

static int write_again(struct feeding *f, struct fault *why)
{
    int64_t changed, serial = 0;
    int rc = knowledge_stamp(f->k, &changed, why);
    if (rc != 0 || (changed == f->seen && f->written != 0))
        return rc;
    rc = version_last(f->k, keep_serial, &serial, why);
    if (rc == 0 && serial != f->written)
        rc = feeding_write(&f->settings->protect, f->k, NULL, why);
    if (rc == 0) {
        f->seen = changed;
        f->written = serial;
    }
    return rc;
}

static void *feed_on(void *ctx)
{
    struct feeding *f = ctx;
    while (!atomic_load(&f->stop)) {
        struct fault why = { 0 };
        int rc = write_again(f, &why);
        if (rc != 0 && strcmp(why.text, f->said.text) != 0) {
            command_say("feeds are not written: %s; tried again every %d s", why.text, AGAIN_S);
            f->said = why;
        }
        rest(f, rc ? AGAIN_S * 1000 : LOOK_MS);
    }
    return NULL;
}

int feeding_start(struct feeding **ret, const struct settings *settings, struct fault *why)
{
    struct feeding *f = calloc(1, sizeof *f);
    if (f == NULL)
        return fault_set(why, E_NOMEM, "no memory for feeds");
    f->settings = settings;
    int rc = knowledge_open(&f->k, settings->db, KNOWLEDGE_READ, why);
    int error = rc == 0 ? pthread_create(&f->thread, NULL, feed_on, f) : 0;
    if (error != 0)
        rc = fault_errno(why, error, "no thread for feeds");
    if (rc != 0) {
        knowledge_close(&f->k);
        free(f);
        return rc;
    }
    *ret = f;
    return E_OK;
}

void feeding_stop(struct feeding **f)
{
    if (*f == NULL)
        return;
    atomic_store(&(*f)->stop, true);
    pthread_join((*f)->thread, NULL);
    knowledge_close(&(*f)->k);
    free(*f);
    *f = NULL;
}
