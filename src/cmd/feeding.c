#include "cmd/feeding.h"

#include "cmd/commands.h"
#include "protect/triggers.h"
#include "protect/feed/cover.h"
#include "protect/feed/digest.h"
#include "protect/feed/set.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK_MS = 200, AGAIN_S = 5, KEEP_MODE = 0755 };

/* ---- views ---- */

/* One view's folder. */
struct spread {
    struct feed_cover cover;
    struct digest digest; /* of what the view shows */
    char digest_text[DIGEST_TEXT];
    struct feed_set *feeds;
};

struct writing {
    const struct protection *p;
    struct finding_from from;
    struct published published;
    struct triggers allowed;
    struct spread *spread;
    uint32_t version;
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

static int begin_view(struct writing *w, unsigned i, struct fault *why)
{
    struct spread *s = &w->spread[i];
    int rc = E_OK;
    digest_begin(&s->digest);
    digest_add(&s->digest, &w->p->views[i].ttl_s, sizeof w->p->views[i].ttl_s);
    for (size_t e = 0; rc == 0 && e < w->allowed.n; e++)
        rc = feed_cover_except(&s->cover, w->allowed.all[e].trigger, w->allowed.all[e].name, why);
    return rc;
}

/* Once all is known that it shows. */
static int open_view(struct writing *w, unsigned i, struct fault *why)
{
    const struct protection_texts *names = &w->p->feeds.formats;
    const struct protection_view *view = &w->p->views[i];
    struct spread *s = &w->spread[i];
    const struct feed_format *formats[FEED_SET_MAX + 1] = { NULL };
    char folder[FEEDING_PATH_MAX];
    digest_end(&s->digest, s->digest_text);
    const struct feed_about about = { .publisher = "DNSMon", .zone = view->zone, .serial = w->version, .digest = s->digest_text, .ttl_s = view->ttl_s,
                                      .cover = &s->cover, .link = "" };
    for (unsigned f = 0; f < names->n && f < FEED_SET_MAX; f++)
        formats[f] = published_format(names->text[f]);
    int rc = feeding_folder(w->p, view, folder, why);
    return rc ? rc : feed_set_open(&s->feeds, folder, formats, &about, &w->from, why);
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

/* ---- what is listed ---- */

/* The words of an action in those of feeds. */
static enum feed_action action_of(const struct protection_view *view, const struct publication *p, const char **ret_garden)
{
    static const char *const words[FEED_ACTIONS] = { [FEED_NXDOMAIN] = "nxdomain", [FEED_NODATA] = "nodata", [FEED_DROP] = "drop",
                                                     [FEED_PASSTHRU] = "passthru" };
    static const char garden[] = "garden ";
    const char *action = protection_action(view, p);
    *ret_garden = "";
    for (unsigned i = 0; i < FEED_ACTIONS; i++)
        if (words[i] != NULL && strcmp(action, words[i]) == 0)
            return (enum feed_action)i;
    *ret_garden = action + strlen(garden);
    return FEED_GARDEN;
}

static void add_digest(struct spread *s, const struct feed_item *item)
{
    const int numbers[] = { item->p->trigger, item->action, item->above != NULL };
    digest_add(&s->digest, numbers, sizeof numbers);
    digest_add(&s->digest, item->p->name, strlen(item->p->name) + 1);
    digest_add(&s->digest, item->garden, strlen(item->garden) + 1);
}

/* The first walk: which domains cover what, and whether a zone says anything new. */
static int survey(void *ctx, const struct publication *p, struct fault *why)
{
    struct writing *w = ctx;
    struct feed_item item = { .p = p };
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        if (protection_shows(w->p, &w->p->views[i], p)) {
            item.action = action_of(&w->p->views[i], p, &item.garden);
            add_digest(&w->spread[i], &item);
            rc = feed_cover_add(&w->spread[i].cover, p, item.action, why);
        }
    return rc;
}

/* The second. What is known of it is looked up once for all views and formats. */
static int put(void *ctx, const struct publication *p, struct fault *why)
{
    struct writing *w = ctx;
    struct feed_item item;
    int rc = published_item(&w->published, p, feed_formats[0], &item, why);
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        if (protection_shows(w->p, &w->p->views[i], p)) {
            item.action = action_of(&w->p->views[i], p, &item.garden);
            feed_set_item(w->spread[i].feeds, &item);
        }
    return rc;
}

/* ---- what is allowed below it ---- */

struct seeking {
    const struct protection *p;
    const struct protection_view *view;
    bool shown;
    enum feed_action action;
    const char *garden;
};

static int see(void *ctx, const struct publication *p, struct fault *why)
{
    struct seeking *s = ctx;
    (void)why;
    s->shown = protection_shows(s->p, s->view, p);
    s->action = action_of(s->view, p, &s->garden);
    return E_OK;
}

static int seek(struct writing *w, unsigned view, const char *name, enum trigger trigger, struct seeking *ret, struct fault *why)
{
    *ret = (struct seeking){ .p = w->p, .view = &w->p->views[view] };
    return publication_find(w->from.k, name, trigger, see, ret, why);
}

static bool is_allowed(const struct writing *w, const char *domain)
{
    return triggers_find(&w->allowed, TRIGGER_DOMAIN, domain) != NULL;
}

/* The uppermost domain that blocks, up to where another exception lets through; without a name: there is none, and nothing to except. */
static int find_above(struct writing *w, unsigned view, const struct triggers_item *e, struct feed_above *ret, struct fault *why)
{
    struct seeking found;
    int rc = E_OK;
    *ret = (struct feed_above){ .domain = NULL };
    if (e->trigger == TRIGGER_HOST && is_allowed(w, e->name))
        return E_OK;
    for (const char *name = knowledge_parent(e->name); rc == 0 && name != NULL && !is_allowed(w, name); name = knowledge_parent(name)) {
        rc = seek(w, view, name, TRIGGER_DOMAIN, &found, why);
        if (rc == 0 && found.shown && found.action != FEED_PASSTHRU)
            *ret = (struct feed_above){ .domain = name, .action = found.action, .garden = found.garden };
    }
    if (rc == 0 && ret->domain != NULL && e->trigger == TRIGGER_DOMAIN)
        rc = seek(w, view, e->name, TRIGGER_HOST, &found, why);
    ret->host_listed = ret->domain != NULL && e->trigger == TRIGGER_DOMAIN && found.shown;
    return rc;
}

typedef void (*exception_sink)(struct spread *s, const struct feed_item *item);

static void put_exception(struct spread *s, const struct feed_item *item)
{
    feed_set_item(s->feeds, item);
}

static int each_exception(struct writing *w, unsigned view, exception_sink sink, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < w->allowed.n; i++) {
        const struct triggers_item *e = &w->allowed.all[i];
        const struct publication p = { .name = e->name, .trigger = e->trigger, .stage = STAGE_PUBLISHED, .approved_by = "", .reason = "allowed",
                                       .categories = "[]", .family = "" };
        struct feed_above above;
        const struct feed_item item = { .p = &p, .action = FEED_PASSTHRU, .garden = "", .campaign = "", .evidence = "", .above = &above };
        rc = find_above(w, view, e, &above, why);
        if (rc == 0 && above.domain != NULL)
            sink(&w->spread[view], &item);
    }
    return rc;
}

/* ---- writing ---- */

static int keep_serial(void *ctx, const struct version *v, struct fault *why)
{
    (void)why;
    *(int64_t *)ctx = v->serial;
    return E_OK;
}

static int walk(struct writing *w, publication_sink sink, exception_sink except, struct fault *why)
{
    int rc = publication_each(w->from.k, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED, sink, w, why);
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        rc = each_exception(w, i, except, why);
    return rc;
}

static int for_views(struct writing *w, int (*what)(struct writing *w, unsigned view, struct fault *why), struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < w->p->n_views; i++)
        rc = what(w, i, why);
    return rc;
}

static int write_all(struct writing *w, struct fault *why)
{
    int64_t serial = 0;
    int rc = version_last(w->from.k, keep_serial, &serial, why);
    w->version = (uint32_t)serial;
    if (rc == 0)
        rc = triggers_load_allowed(&w->allowed, w->from.k, time(NULL), why);
    if (rc == 0)
        rc = for_views(w, begin_view, why);
    if (rc == 0)
        rc = walk(w, survey, add_digest, why);
    if (rc == 0)
        rc = make_folder(w->p->feeds.dir, why);
    if (rc == 0)
        rc = for_views(w, open_view, why);
    if (rc == 0)
        rc = walk(w, put, put_exception, why);
    w->stopped = rc != 0;
    return close_all(w, rc, why);
}

/* A digest's state wants more than malloc's alignment. */
static struct spread *new_spreads(unsigned n)
{
    struct spread *s = aligned_alloc(_Alignof(struct spread), (n + 1) * sizeof *s);
    return s != NULL ? memset(s, 0, (n + 1) * sizeof *s) : NULL;
}

int feeding_write(const struct protection *p, struct knowledge *k, struct store *store, struct fault *why)
{
    struct writing w = { .p = p, .from = { .k = k, .store = store } };
    w.spread = new_spreads(p->n_views);
    if (w.spread == NULL)
        return fault_set(why, E_NOMEM, "no memory for feeds");
    published_init(&w.published, &w.from);
    int rc = knowledge_begin(k, why);
    if (rc == 0)
        rc = write_all(&w, why);
    knowledge_rollback(k);
    published_release(&w.published);
    triggers_release(&w.allowed);
    for (unsigned i = 0; i < p->n_views; i++)
        feed_cover_release(&w.spread[i].cover);
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
