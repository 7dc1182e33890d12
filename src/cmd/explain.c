/* explain: why a name is held to be what it is, told from the ledger alone (dossier.h). Of a name that nothing was decided of,
 * the store says what is known. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cmd/asked.h"
#include "cmd/commands.h"
#include "cmd/dossier.h"
#include "cmd/finding.h"
#include "cmd/note.h"
#include "cmd/options.h"
#include "cmd/outlook.h"
#include "cmd/present.h"
#include "cmd/spark.h"
#include "detect/census.h"
#include "detect/first.h"
#include "detect/screen.h"

static const char usage[] =
    "usage: dnsmon explain [OPTION...] NAME\n"
    "\n"
    "Why NAME is held to be what it is: what was seen, compared with what, how sure that is, what speaks\n"
    "against it, who would be hit, with which names it belongs together, how it came to this, and what\n"
    "would change it. Of a host, all about its registered domain.\n"
    "\n"
    "  --as-of TIME        as it was then: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_AS_OF = OPTION_OWN, OWN_SUFFIXES };
enum { SHOWN_MEMBERS = 25, SHOWN_CHANGES = 60 };

static const struct option longs[] = {
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct explain {
    struct options options;
    int64_t as_of; /* as the ledger counts: what was known at the end of an hour is of the next one */
    const char *suffixes;
    struct asked asked; /* the registered domain */
    char host[NAME_TEXT_MAX];   /* what was asked about */
    char domain[NAME_TEXT_MAX];
    json_t *dossier;
    struct present present;
    struct note note;
};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* ---- how sure ---- */

static const char *likelihood(double score)
{
    static const struct {
        double least;
        const char *text;
    } words[] = { { 0.99, "almost certainly harmful" }, { 0.9, "very likely harmful" }, { 0.5, "more likely harmful than not" },
                  { 0.2, "possibly harmful" },          { 0.002, "probably harmless, worth remembering" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (score >= words[i].least)
            return words[i].text;
    return "no more suspect than any name";
}

static const char *strength(double nats)
{
    nats = fabs(nats);
    return nats >= 6 ? "very strong" : nats >= 4 ? "strong" : nats >= 2 ? "moderate" : "weak";
}

/* A certainty that rounding would make is none. */
static const char *score_text(double score, char text[16])
{
    snprintf(text, 16, score > 0.999 ? "above 0.999" : "%.3g", score);
    return text;
}

/* ---- the verdict ---- */

/* The worst that holds: of the domain, or of a host of it. NULL: nothing was decided. */
static const json_t *verdict_of(const struct explain *x)
{
    const json_t *worst = NULL;
    enum verdict_level most = VERDICT_BENIGN, level;
    size_t i;
    json_t *v;
    json_array_foreach (json_object_get(x->dossier, "verdicts"), i, v)
        if (verdict_level_parse(text_at(v, "level"), &level) && (worst == NULL || level > most)) {
            worst = v;
            most = level;
        }
    return worst;
}

static void tell_one_verdict(struct explain *x, const json_t *v)
{
    struct note *n = &x->note;
    char since[NOTE_TIME], score[16];
    note_say(n, "%s (%s)", text_at(v, "name"), strcmp(text_at(v, "scope"), "host") == 0 ? "this host" : "and all below it");
    note_say(n, ": %s since %s UTC", text_at(v, "level"), note_time(json_object_get(v, "since"), since));
    if (strcmp(text_at(v, "level"), verdict_level_text(VERDICT_BENIGN)) == 0) /* of a host the score is its domain's */
        note_say(n, ".");
    else
        note_say(n, ", score %s: %s.", score_text(number_at(v, "score"), score), likelihood(number_at(v, "score")));
    note_end(n);
}

static void tell_families(struct note *n, const json_t *reason)
{
    size_t i;
    json_t *family;
    const json_t *families = json_object_get(reason, "families");
    note_say(n, " Families of evidence that count:");
    json_array_foreach (families, i, family)
        note_say(n, "%s %s", i ? "," : "", json_string_value(family) ? json_string_value(family) : "?");
    note_say(n, "%s.", json_array_size(families) ? "" : " none");
}

static void tell_scope(struct note *n, const json_t *reason)
{
    size_t i;
    json_t *host;
    note_say(n, " Scope: %s, because %s", text_at(reason, "scope"), text_at(reason, "scope_because"));
    json_array_foreach (json_object_get(reason, "hosts"), i, host)
        note_say(n, "%s %s", i ? "," : ":", json_string_value(host) ? json_string_value(host) : "?");
    note_say(n, ".");
}

static void tell_hit(struct note *n, const json_t *reason)
{
    const json_t *hit = json_object_get(reason, "hit");
    if (hit != NULL)
        note_say(n, " Blocking it would have hit %.0f of the network's %.0f clients over the last days, with %.0f queries.",
                 number_at(hit, "clients"), number_at(hit, "network_clients"), number_at(hit, "queries"));
}

static void tell_verdicts(struct explain *x)
{
    struct note *n = &x->note;
    const json_t *worst = verdict_of(x), *reason = json_object_get(worst, "reason");
    size_t i;
    json_t *v;
    json_array_foreach (json_object_get(x->dossier, "verdicts"), i, v)
        tell_one_verdict(x, v);
    if (worst == NULL)
        return;
    note_head(n, "What decided");
    bool by_operator = strcmp(text_at(reason, "author"), "operator") == 0;
    note_say(n, "%s decided: %s.", by_operator ? "The operator" : "Rule", text_at(reason, "decided"));
    if (json_object_get(reason, "evidence_says") != NULL) { /* judged, not only spoken of */
        note_say(n, " Evidence alone says %s.", text_at(reason, "evidence_says"));
        tell_families(n, reason);
        tell_scope(n, reason);
        tell_hit(n, reason);
    }
    note_end(n);
}

/* ---- evidence ---- */

/* What the worst verdict made of a group, or NULL. */
static const json_t *counted(const struct explain *x, const char *group)
{
    return json_object_get(json_object_get(json_object_get(verdict_of(x), "reason"), "groups"), group);
}

static bool same_group(const json_t *a, const json_t *b)
{
    return strcmp(text_at(a, "group"), text_at(b, "group")) == 0;
}

/* A factor, to two digits. */
static double factor_of(double nats)
{
    double factor = exp(fabs(nats) < 30 ? fabs(nats) : 30), unit = pow(10, floor(log10(factor)) - 1);
    return factor >= 100 ? round(factor / unit) * unit : factor;
}

/* What a detector says is a strength before calibration; how sure that makes one is what the fitted weights count it with. */
static void tell_strength(struct explain *x, const json_t *row, bool leads)
{
    struct note *n = &x->note;
    const json_t *part = leads ? counted(x, text_at(row, "group")) : NULL;
    double counts = number_at(part, "part");
    note_say(n, " Strength: %.1f nats", fabs(number_at(row, "weight")));
    if (part != NULL && counts != 0)
        note_say(n, factor_of(counts) >= 10 ? ", which as fitted makes harm %.0f times %s (%+.2f in log odds)"
                                            : ", which as fitted makes harm %.1f times %s (%+.2f in log odds)",
                 factor_of(counts), counts > 0 ? "likelier" : "less likely", counts);
    note_say(n, ".");
}

static void tell_row(struct explain *x, const json_t *row, bool leads)
{
    struct note *n = &x->note;
    double weight = number_at(row, "weight");
    char since[NOTE_TIME];
    if (leads)
        note_say(n, "%s, %s", text_at(row, "group"), strength(weight));
    else
        note_say(n, "also");
    note_say(n, ": %s (%s, %s%s since %s UTC).", text_at(row, "summary"), text_at(row, "detector"),
             strcmp(text_at(row, "scope"), "host") == 0 ? text_at(row, "name") : "", strcmp(text_at(row, "scope"), "host") == 0 ? "," : "",
             note_time(json_object_get(row, "since"), since));
    tell_strength(x, row, leads);
    note_end(n);
    n->indent += 2;
    note_facts(n, json_object_get(row, "facts"));
    if (n->at != 0)
        note_end(n);
    note_curves(n, json_object_get(row, "facts"));
    n->indent -= 2;
}

/* All rows of the group that row `i` leads. */
static void tell_group(struct explain *x, const json_t *evidence, size_t i)
{
    const json_t *leader = json_array_get(evidence, i), *row;
    tell_row(x, leader, true);
    for (size_t j = i + 1; (row = json_array_get(evidence, j)) != NULL; j++)
        if (same_group(row, leader)) {
            x->note.indent += 2;
            tell_row(x, row, false);
            x->note.indent -= 2;
        }
    note_end(&x->note);
}

/* `sign`: +1 what speaks for harm, -1 against it. Rows are strongest first. */
static void tell_evidence(struct explain *x, int sign, const char *head)
{
    const json_t *evidence = json_object_get(x->dossier, "evidence"), *row;
    bool any = false;
    for (size_t i = 0; (row = json_array_get(evidence, i)) != NULL; i++) {
        bool led = false;
        for (size_t j = 0; j < i && !led; j++)
            led = same_group(json_array_get(evidence, j), row);
        if (led || number_at(row, "weight") * sign <= 0)
            continue;
        if (!any)
            note_head(&x->note, head);
        any = true;
        tell_group(x, evidence, i);
    }
}

/* ---- campaign, words, history ---- */

static void tell_campaign(struct explain *x)
{
    const json_t *campaign = json_object_get(x->dossier, "campaign"), *members = json_object_get(campaign, "members"), *m;
    struct note *n = &x->note;
    char born[NOTE_TIME];
    if (!json_is_object(campaign))
        return;
    note_head(n, "Campaign");
    note_say(n, "%s, since %s UTC, %zu names:", text_at(campaign, "identity"), note_time(json_object_get(campaign, "born"), born),
             json_array_size(members));
    note_end(n);
    n->indent += 2;
    for (size_t i = 0; (m = json_array_get(members, i)) != NULL && i < SHOWN_MEMBERS; i++) {
        const char *level = text_at(m, "level");
        note_say(n, "%s, %s: %s", text_at(m, "name"), level[0] ? level : "no verdict", text_at(m, "why"));
        note_end(n);
    }
    if (json_array_size(members) > SHOWN_MEMBERS) {
        note_say(n, "and %zu more; dnsmon campaigns has all, dnsmon activity --campaign %s their curves.",
                 json_array_size(members) - SHOWN_MEMBERS, text_at(campaign, "identity"));
        note_end(n);
    }
    n->indent -= 2;
}

static void tell_words(struct explain *x)
{
    const json_t *words = json_object_get(x->dossier, "words"), *w;
    struct note *n = &x->note;
    char at[NOTE_TIME];
    if (json_array_size(words) != 0)
        note_head(n, "Operators");
    for (size_t i = 0; (w = json_array_get(words, i)) != NULL; i++) {
        note_say(n, "%s  %s: %s %s (%s): %s", note_time(json_object_get(w, "at"), at), text_at(w, "author"), text_at(w, "action"),
                 text_at(w, "name"), text_at(w, "scope"), text_at(w, "reason"));
        if (number_at(w, "until") > 0)
            note_say(n, ", until %s", note_time(json_object_get(w, "until"), at));
        if (number_at(w, "revoked") > 0)
            note_say(n, ", taken back %s", note_time(json_object_get(w, "revoked"), at));
        note_end(n);
    }
}

static void tell_change(struct explain *x, const json_t *c)
{
    struct note *n = &x->note;
    char at[NOTE_TIME], score[16];
    note_say(n, "%s", note_time(json_object_get(c, "at"), at));
    n->indent += 2;
    if (strcmp(text_at(c, "name"), x->domain) != 0 || strcmp(text_at(c, "scope"), "host") == 0)
        note_say(n, " %s:", text_at(c, "name"));
    if (strcmp(text_at(c, "what"), "verdict") == 0)
        note_say(n, " judged %s, score %s: %s", text_at(c, "level"), score_text(number_at(c, "score"), score), text_at(c, "decided"));
    else if (number_at(c, "weight") == 0)
        note_say(n, " %s withdrawn", text_at(c, "detector"));
    else
        note_say(n, " %s %+.1f: %s", text_at(c, "detector"), number_at(c, "weight"), text_at(c, "summary"));
    note_end(n);
    n->indent -= 2;
}

static void tell_history(struct explain *x)
{
    const json_t *history = json_object_get(x->dossier, "history");
    size_t n = json_array_size(history), from = n > SHOWN_CHANGES ? n - SHOWN_CHANGES : 0;
    if (n == 0)
        return;
    note_head(&x->note, "How it came (UTC)");
    if (from != 0) {
        note_say(&x->note, "(%zu earlier changes; --json has them)", from);
        note_end(&x->note);
    }
    for (size_t i = from; i < n; i++)
        tell_change(x, json_array_get(history, i));
}

static void tell_outlook(struct explain *x)
{
    size_t i;
    json_t *line;
    if (json_array_size(json_object_get(x->dossier, "would_change")) != 0)
        note_head(&x->note, "What would change it");
    json_array_foreach (json_object_get(x->dossier, "would_change"), i, line) {
        note_say(&x->note, "- %s", json_string_value(line));
        note_end(&x->note);
    }
}

/* ---- a name of which nothing was decided ---- */

struct sightings {
    struct profile profile; /* of analysed hours */
    uint32_t carried;       /* by its sub-names, in the last of them (detect/channel.h) */
    uint32_t analysed;      /* up to this hour, which is not included */
    bool later;             /* there are hours that were not analysed yet */
};

static int take_hour(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    struct sightings *s = ctx;
    (void)why;
    s->later = hour >= s->analysed;
    if (!s->later) {
        profile_add(&s->profile, hour, a);
        s->carried = channel_carried(a);
    }
    return s->later ? ASKED_STOP : E_OK;
}

static int take_day(void *ctx, uint32_t day, const struct day *d, struct fault *why)
{
    (void)day;
    (void)d;
    return json_object_set_new(ctx, "by_day", json_true()) ? fault_set(why, E_NOMEM, "out of memory") : ASKED_STOP;
}

static json_t *asked_json(const struct sightings *s, uint32_t first)
{
    const struct profile *p = &s->profile;
    if (p->hours == 0)
        return json_pack("{s:b}", "later", s->later);
    return json_pack("{s:I,s:I,s:I,s:I,s:s,s:b}", "first", (json_int_t)p->first * ACTIVITY_HOUR_S, "last", (json_int_t)p->last * ACTIVITY_HOUR_S,
                     "hours", (json_int_t)p->hours, "queries", (json_int_t)p->queries, "screening", screen_text(screen(p, s->carried, p->last, first)),
                     "later", s->later);
}

/* What screening says of the last analysed hour in which it was asked for. */
static int screened(struct explain *x, struct store *store, json_t *state, struct fault *why)
{
    struct sightings s = { .analysed = (uint32_t)(json_integer_value(json_object_get(x->dossier, "analysed_until")) / ACTIVITY_HOUR_S) };
    uint32_t first;
    profile_init(&s.profile);
    int rc = census_first(store, &first, why);
    if (rc == E_ABSENT)
        return json_object_set_new(state, "activity", json_false()) ? E_NOMEM : E_OK;
    struct asked_span span = { 0, x->as_of == KNOWLEDGE_NOW ? UINT64_MAX : x->as_of > 0 ? (uint64_t)x->as_of : 0 };
    if (rc == 0)
        rc = asked_each(&x->asked, store, span, take_hour, &s, why);
    if (rc == 0 && s.profile.hours == 0 && !s.later)
        rc = asked_each_day(&x->asked, store, span, take_day, state, why);
    if (rc != 0 || (s.profile.hours == 0 && !s.later))
        return rc;
    return json_object_set_new(state, "asked", asked_json(&s, first)) ? fault_set(why, E_NOMEM, "out of memory") : E_OK;
}

static int look_up(struct explain *x, struct fault *why)
{
    struct store *store;
    uint64_t first = UINT64_MAX;
    json_t *state = json_object();
    int rc = json_object_set_new(x->dossier, "undecided", state) ? fault_set(why, E_NOMEM, "out of memory") : E_OK;
    if (rc == 0)
        rc = options_open_store(&x->options, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    rc = first_seen(store, x->asked.owner, true, UINT64_MAX, &first, why);
    bool known = x->as_of == KNOWLEDGE_NOW || (x->as_of > 0 && first / ACTIVITY_HOUR_S < (uint64_t)x->as_of);
    if (rc == 0 && first != UINT64_MAX && known)
        (void)json_object_set_new(state, "first_seen", json_integer((json_int_t)first));
    if (rc == 0)
        rc = screened(x, store, state, why);
    store_close(&store);
    return rc;
}

static void tell_asked(struct explain *x, const json_t *asked)
{
    struct note *n = &x->note;
    char first[NOTE_TIME], last[NOTE_TIME];
    const char *screening = text_at(asked, "screening");
    if (screening[0] == '\0') {
        note_say(n, " It was asked for only since the last analysis: run dnsmon analyze.");
        return;
    }
    note_say(n, " Up to the last analysis it was asked for in %.0f hours, from %s to %s UTC, %.0f times.", number_at(asked, "hours"),
             note_time(json_object_get(asked, "first"), first), note_time(json_object_get(asked, "last"), last), number_at(asked, "queries"));
    if (strcmp(screening, screen_text(SCREEN_CANDIDATE)) == 0)
        note_say(n, " Screening lets it through: detectors looked at it and found nothing that brings it on record.");
    else
        note_say(n, " Screening leaves it out (%s): detectors do not look at it.", screening);
    note_say(n, " See dnsmon activity %s, dnsmon lookup rrset '*.%s', dnsmon clients %s.", x->domain, x->domain, x->domain);
}

static void tell_undecided(struct explain *x)
{
    const json_t *state = json_object_get(x->dossier, "undecided"), *seen = json_object_get(state, "first_seen");
    struct note *n = &x->note;
    char first[NOTE_TIME];
    if (state == NULL)
        return;
    note_say(n, "%s: nothing was decided.", x->domain);
    if (seen != NULL)
        note_say(n, " First seen at %s UTC.", note_time(seen, first));
    if (json_object_get(state, "asked") != NULL)
        tell_asked(x, json_object_get(state, "asked"));
    else if (json_is_false(json_object_get(state, "activity")))
        note_say(n, " The database has no activity, without which nothing is analysed: ingest without --no-activity.");
    else if (json_object_get(state, "by_day") != NULL)
        note_say(n, " It was asked for long ago, which is known by the day alone: see dnsmon activity %s.", x->domain);
    else if (seen != NULL)
        note_say(n, " How it was asked for is not on record, or no more.");
    else
        note_say(n, " It was never seen.");
    note_end(n);
}

/* ---- the command ---- */

static void tell(struct explain *x)
{
    note_init(&x->note, &x->present.out, spark_columns());
    if (strcmp(x->host, x->domain) != 0) {
        note_say(&x->note, "%s belongs to %s.", x->host, x->domain);
        note_end(&x->note);
    }
    tell_verdicts(x);
    tell_undecided(x);
    tell_evidence(x, 1, "What speaks for harm");
    tell_evidence(x, -1, "What speaks against it");
    tell_campaign(x);
    tell_words(x);
    tell_history(x);
    tell_outlook(x);
}

static int add_outlook(struct explain *x, struct fault *why)
{
    const json_t *v = verdict_of(x);
    if (v == NULL)
        return look_up(x, why);
    json_t *lines = outlook_make(json_object_get(v, "reason"), text_at(v, "level"));
    return json_object_set_new(x->dossier, "would_change", lines) ? fault_set(why, E_NOMEM, "out of memory") : E_OK;
}

static int print(struct explain *x, struct fault *why)
{
    if (!x->options.json) {
        tell(x);
        return present_flush(&x->present, why);
    }
    char *text = json_dumps(x->dossier, JSON_COMPACT);
    if (text == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    buffer_append(&x->present.out, text, strlen(text));
    present_text(&x->present, "\n");
    free(text);
    return present_flush(&x->present, why);
}

static int take_name(struct explain *x, const char *name, struct fault *why)
{
    struct suffix_list *list;
    if (knowledge_name_from_text(name, x->host) == 0)
        return fault_set(why, E_USAGE, "'%s' is not a domain name", name);
    int rc = suffix_load(&list, x->suffixes ? x->suffixes : SUFFIX_DEFAULT_PATH, why);
    if (rc != 0)
        return rc;
    rc = asked_take(&x->asked, name, ASKED_DOMAIN, list, why);
    suffix_destroy(&list);
    if (rc == 0 && knowledge_name(x->asked.owner.ptr, x->asked.owner.len, x->domain) == 0)
        rc = fault_set(why, E_USAGE, "'%s' is not a domain name", name);
    return rc;
}

static int run(struct explain *x, const char *name, struct fault *why)
{
    struct knowledge *k;
    int rc = take_name(x, name, why);
    if (rc == 0)
        rc = options_open_knowledge(&x->options, KNOWLEDGE_READ, &k, why);
    if (rc != 0)
        return rc;
    rc = dossier_make(&x->dossier, k, x->domain, x->as_of, why);
    knowledge_close(&k);
    if (rc == 0)
        rc = add_outlook(x, why);
    return rc ? rc : print(x, why);
}

static void take_options(struct explain *x, int argc, char **argv)
{
    struct options *o = &x->options;
    int64_t as_of = 0;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_AS_OF:
            options_time(o, "as-of", &as_of);
            x->as_of = finding_step(as_of);
            break;
        case OWN_SUFFIXES: x->suffixes = optarg; break;
        }
    if (o->exit < 0 && optind + 1 != argc)
        options_wrong(o, optind == argc ? "which NAME?" : "one NAME");
}

int cmd_explain(int argc, char **argv)
{
    static struct explain x;
    struct fault why = { 0 };
    present_init(&x.present, STDOUT_FILENO, PRESENT_TABLE);
    take_options(&x, argc, argv);
    if (x.options.exit < 0 && run(&x, argv[optind], &why) != 0)
        x.options.exit = command_fail(&why);
    json_decref(x.dossier);
    present_release(&x.present);
    return options_end(&x.options);
}
