#include "cmd/outlook.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "detect/verdict/judge.h"

struct outlook {
    json_t *lines;
    const json_t *reason;
    enum verdict_level level;
    struct verdict_weights weights;
    double z;
};

static void say(struct outlook *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct outlook *o, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)json_array_append_new(o->lines, json_string(text));
}

static double probability(double z)
{
    return 1 / (1 + exp(-z));
}

static double logit(double p)
{
    return log(p / (1 - p));
}

static enum verdict_level level_of(const struct outlook *o, double z)
{
    unsigned l = VERDICT_HIGH_RISK;
    while (l > VERDICT_BENIGN && probability(z) < o->weights.level[l])
        l--;
    return (enum verdict_level)l;
}

static bool decided_is(const struct outlook *o, enum decided decided)
{
    const char *text = json_string_value(json_object_get(o->reason, "decided"));
    return text != NULL && strcmp(text, decided_text(decided)) == 0;
}

/* ---- limits and words ---- */

static void about_rule(struct outlook *o)
{
    const char *evidence = json_string_value(json_object_get(o->reason, "evidence_says"));
    if (decided_is(o, DECIDED_ALLOWED) || decided_is(o, DECIDED_BLOCKED))
        say(o, "The operator takes the word back (dnsmon %s --revoke); then evidence decides again%s%s.",
            decided_is(o, DECIDED_ALLOWED) ? "allow" : "block", evidence != NULL ? ", and now it says " : "",
            evidence != NULL ? evidence : "");
    else if (decided_is(o, DECIDED_FEW_FAMILIES))
        say(o, "A second family of evidence, with one of the two a family of harm, would make it high_risk at this score.");
    else if (decided_is(o, DECIDED_LEXICAL))
        say(o, "Evidence other than how the name is spelt would make it high_risk.");
    else if (decided_is(o, DECIDED_HELD))
        say(o, "It falls by one level after %.0f hours below it, unless evidence comes back.", o->weights.rule.fall_hours);
    else if (decided_is(o, DECIDED_ANCHORED) || decided_is(o, DECIDED_POPULAR))
        say(o, "Only external evidence about single hosts, or the operator, can put more on an exonerated domain.");
    else if (decided_is(o, DECIDED_OBJECTED))
        say(o, "The operator decides on the objection (dnsmon allow, dnsmon block).");
    else if (decided_is(o, DECIDED_BLAST))
        say(o, "People decide, because so many would be hit: external evidence, or dnsmon block, makes it enforced.");
    else if (decided_is(o, DECIDED_NOT_WHOLE))
        say(o, "Evidence about a single host of it could be enforced for that host.");
}

/* ---- the score ---- */

static void about_next(struct outlook *o)
{
    enum verdict_level by_score = level_of(o, o->z);
    if (by_score >= VERDICT_HIGH_RISK)
        return;
    enum verdict_level next = by_score + 1;
    say(o, "%.1f weighted nats more for harm would raise the score to %.3g, where %s begins%s.", logit(o->weights.level[next]) - o->z,
        o->weights.level[next], verdict_level_text(next), next == VERDICT_HIGH_RISK ? " if families suffice" : "");
}

/* What the level would be without each group that counts. */
static void about_groups(struct outlook *o)
{
    const char *name;
    json_t *group;
    enum verdict_level now = level_of(o, o->z);
    json_object_foreach (json_object_get(o->reason, "groups"), name, group) {
        double without = o->z - json_number_value(json_object_get(group, "part"));
        enum verdict_level then = level_of(o, without);
        if (then != now)
            say(o, "Without %s the score would be %.3g, %s.", name, probability(without), verdict_level_text(then));
    }
}

static void about_score(struct outlook *o)
{
    const char *name;
    json_t *group;
    o->z = json_number_value(json_object_get(o->reason, "intercept"));
    json_object_foreach (json_object_get(o->reason, "groups"), name, group)
        o->z += json_number_value(json_object_get(group, "part"));
    about_groups(o);
    about_next(o);
}

static void about_silence(struct outlook *o)
{
    double fade = json_number_value(json_object_get(o->reason, "fade"));
    if (fade > 0 && fade < 1)
        say(o, "Nobody asked for it of late: strengths count %.0f %% of what they were, and halve every %.0f days of silence.", 100 * fade,
            o->weights.rule.fade_half_days);
    else if (o->level >= VERDICT_WATCH)
        say(o, "After %.0f days in which nobody asks, strengths for harm begin to fade, by half in %.0f days.", o->weights.rule.fade_days,
            o->weights.rule.fade_half_days);
    if (o->level == VERDICT_HIGH_RISK)
        say(o, "External evidence, from a report or a feed, would confirm it as malicious; dnsmon allow ends it.");
}

json_t *outlook_make(const json_t *reason, const char *level)
{
    struct outlook o = { .lines = json_array(), .reason = reason };
    const char *digest = json_string_value(json_object_get(reason, "weights"));
    if (o.lines == NULL || !verdict_level_parse(level, &o.level))
        return o.lines;
    weights_default(&o.weights);
    about_rule(&o);
    bool by_operator = decided_is(&o, DECIDED_ALLOWED) || decided_is(&o, DECIDED_BLOCKED);
    if (by_operator)
        return o.lines;
    if (digest == NULL || strcmp(digest, o.weights.digest) != 0) {
        say(&o, "It was judged by other weights (%.32s) than this program's (%s): run dnsmon analyze --again for figures.",
            digest ? digest : "unknown", o.weights.digest);
        return o.lines;
    }
    about_score(&o);
    about_silence(&o);
    return o.lines;
}
