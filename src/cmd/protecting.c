#include "cmd/protecting.h"

#include "cmd/commands.h"

#include <inttypes.h>
#include <time.h>

enum { REASON_MAX = 1000, TRIES = 3 };

static int open_guard(struct protecting *p, const struct settings *s, const char *suffixes, struct fault *why)
{
    const char *path = suffixes ? suffixes : s->public_suffixes ? s->public_suffixes : SUFFIX_DEFAULT_PATH;
    int rc = suffix_load(&p->suffixes, path, why);
    if (rc == 0)
        rc = guard_create(&p->guard, p->suffixes, &s->protect, why);
    p->life.policy = &s->protect;
    p->life.guard = p->guard;
    return rc;
}

int protecting_open(struct protecting *p, const struct options *o, enum knowledge_mode mode, const char *suffixes, struct fault *why)
{
    *p = (struct protecting){ .options = o, .life = { .now = time(NULL) } };
    int rc = options_find_store(o, why);
    if (rc == 0)
        rc = open_guard(p, &o->settings, suffixes, why);
    return rc ? rc : options_open_knowledge(o, mode, &p->k, why);
}

void protecting_close(struct protecting *p)
{
    knowledge_close(&p->k);
    guard_destroy(&p->guard);
    suffix_destroy(&p->suffixes);
}

static void put_json(struct buffer *to, const struct lifecycle_result *r)
{
    buffer_printf(to,
                  "{\"looked_at\":%" PRIu64 ",\"published\":%" PRIu64 ",\"shadow\":%" PRIu64 ",\"review\":%" PRIu64 ",\"out\":%" PRIu64
                  ",\"renewed\":%" PRIu64 ",\"version\":", r->looked_at, r->published, r->shadowed, r->reviewed, r->out, r->renewed);
    buffer_printf(to, r->version ? "%" PRId64 : "null", r->version);
    buffer_printf(to, ",\"sizes\":{\"published\":%" PRId64 ",\"shadow\":%" PRId64 ",\"held_in\":%" PRId64 ",\"held_out\":%" PRId64 "},\"jump\":",
                  r->sizes.published, r->sizes.shadow, r->sizes.held_in, r->sizes.held_out);
    if (r->jump[0] != '\0')
        present_json_text(to, r->jump);
    else
        buffer_printf(to, "null");
    buffer_printf(to, "}\n");
}

static void put_line(struct buffer *to, const struct lifecycle_result *r)
{
    if (r->version == 0)
        buffer_printf(to, "nothing changed");
    else
        buffer_printf(to, "version %" PRId64 ": %" PRIu64 " published, %" PRIu64 " shadow, %" PRIu64 " in review, %" PRIu64 " out, %" PRIu64
                      " renewed", r->version, r->published, r->shadowed, r->reviewed, r->out, r->renewed);
    buffer_printf(to, "; in all %" PRId64 " published, %" PRId64 " shadow\n", r->sizes.published, r->sizes.shadow);
}

int protecting_run(struct protecting *p, struct present *to, struct fault *why)
{
    struct lifecycle_result result;
    int rc = lifecycle_run(p->k, &p->life, &result, why);
    if (rc != 0)
        return rc;
    (to->style == PRESENT_JSON ? put_json : put_line)(&to->out, &result);
    protecting_say_jump(&result);
    return E_OK;
}

static void say_targets(const struct targets_result *r)
{
    if (r->version != 0)
        command_say("infrastructure, version %" PRId64 ": %" PRIu64 " published, %" PRIu64 " shadow, %" PRIu64 " in review, %" PRIu64 " out; in all %"
                    PRIu64, r->version, r->published, r->shadowed, r->reviewed, r->out, r->kept);
    if (r->skipped != 0)
        command_say("infrastructure: %" PRIu64 " records of published names were not looked at: more than %d places", r->skipped, INFRASTRUCTURE_TARGETS);
}

static int open_store(const struct protecting *p, struct store **ret, struct fault *why)
{
    *ret = NULL;
    if (p->life.policy->infrastructure == 0)
        return E_OK;
    int rc = options_open_store_if_whole(p->options, ret, why);
    return rc == E_ABSENT ? E_OK : rc;
}

int protecting_targets(struct protecting *p, enum targets_look look, struct targets_result *ret, struct fault *why)
{
    struct targets_options o = { .life = &p->life, .suffixes = p->suffixes, .look = look, .stop = p->stop };
    *ret = (struct targets_result){ .version = 0 };
    int rc = open_store(p, &o.store, why);
    ret->stale = true;
    for (int i = 0; rc == 0 && ret->stale && i < TRIES; i++)
        rc = targets_keep(p->k, &o, ret, why);
    store_close(&o.store);
    if (rc == E_CORRUPT)
        command_say("%s", why->text);
    say_targets(ret);
    return rc == E_CORRUPT ? E_OK : rc;
}

void protecting_say_jump(const struct lifecycle_result *result)
{
    if (result->jump[0] != '\0')
        command_say("held: %" PRId64 " are not published and %" PRId64 " not taken back: %s; 'dnsmon publish --confirm' lets them through",
                    result->sizes.held_in, result->sizes.held_out, result->jump);
}

const char *protecting_reason(struct options *o, const char *text)
{
    bool good = text[0] != '\0' && strlen(text) <= REASON_MAX;
    for (const char *p = text; good && *p != '\0'; p++)
        good = (uint8_t)*p >= 0x20 && *p != 0x7f;
    if (!good)
        options_wrong(o, "--reason: one line of at most %d bytes", REASON_MAX);
    return text;
}
