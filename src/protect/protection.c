#include "protect/protection.h"

#include "base/buffer.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void protection_init(struct protection *p)
{
    *p = (struct protection){
        .approve = { .least = VERDICT_HIGH_RISK, .clients = 100, .per_day = 1000 },
        .jump = { .add = 10, .drop = 10, .least = 100 },
    };
}

/* ---- release ---- */

static void release_texts(struct protection_texts *t)
{
    for (unsigned i = 0; i < t->n; i++)
        free(t->text[i]);
    free(t->text);
}

static void release_view(struct protection_view *v)
{
    for (unsigned i = 0; i < v->n_actions; i++) {
        free(v->actions[i].category);
        free(v->actions[i].action);
    }
    free(v->actions);
    free(v->zone);
    free(v->action);
    release_texts(&v->categories);
}

static void release_peers(struct protection_peer *peers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(peers[i].address);
        free(peers[i].key);
    }
    free(peers);
}

static void release_server(struct protection_server *s)
{
    for (unsigned i = 0; i < s->n_keys; i++) {
        if (s->keys[i].secret != NULL)
            explicit_bzero(s->keys[i].secret, strlen(s->keys[i].secret));
        free(s->keys[i].name);
        free(s->keys[i].algorithm);
        free(s->keys[i].secret);
    }
    free(s->keys);
    free(s->keys_file);
    release_texts(&s->listen);
    release_peers(s->secondaries, s->n_secondaries);
    release_peers(s->allow, s->n_allow);
}

void protection_release(struct protection *p)
{
    for (unsigned i = 0; i < p->n_views; i++)
        release_view(&p->views[i]);
    free(p->views);
    free(p->top_list.file);
    free(p->feeds.dir);
    free(p->feeds.listen);
    release_texts(&p->feeds.formats);
    release_texts(&p->approve.not);
    release_server(&p->server);
    protection_init(p);
}

/* ---- views ---- */

/* Found with its quotes: within a JSON string a quote stands behind a backslash, so that it ends no such text. */
static bool has_category(const char *categories, const char *category)
{
    size_t len = strlen(category);
    for (const char *at = categories; (at = strstr(at, category)) != NULL; at++)
        if (at > categories && at[-1] == '"' && at[len] == '"')
            return true;
    return false;
}

const char *protection_category(const char *categories, const struct protection_texts *of)
{
    for (unsigned i = 0; i < of->n; i++)
        if (has_category(categories, of->text[i]))
            return of->text[i];
    return NULL;
}

bool protection_shows(const struct protection *p, const struct protection_view *v, const struct publication *published)
{
    return (v->stages >> published->stage & 1) != 0 && published->level >= v->least && (p->infrastructure > 0 || trigger_has_scope(published->trigger)) &&
           (v->categories.n == 0 || protection_category(published->categories, &v->categories) != NULL);
}

const char *protection_action(const struct protection_view *v, const struct publication *published)
{
    if (published->stage == STAGE_SHADOW)
        return "passthru";
    for (unsigned i = 0; i < v->n_actions; i++)
        if (has_category(published->categories, v->actions[i].category))
            return v->actions[i].action;
    return v->action;
}

/* ---- digest ---- */

uint64_t protection_digest(const struct protection *p)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_printf(&text, "%d %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64, (int)p->approve.least, p->approve.clients, p->approve.per_day, p->shadow_s,
                  p->infrastructure);
    for (unsigned i = 0; i < p->approve.not.n; i++)
        buffer_printf(&text, " %s", p->approve.not.text[i]);
    uint64_t digest = hash_stable(text.ptr, text.len);
    buffer_release(&text);
    return digest;
}
