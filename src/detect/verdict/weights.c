/* Reads line by line, field by field, into a struct whose "seen" bits say at the end what is missing. */
#include "detect/verdict/weights.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum { FIELDS = 5, NUMBER = 32, WEIGHT_MAX = 10 };

static const struct {
    const char *name;
    double least, most;
    size_t at; /* in struct verdict_weights */
} rules[] = {
#define XX(name, least, most) { #name, least, most, offsetof(struct verdict_weights, rule.name) },
    VERDICT_RULE_MAP(XX)
#undef XX
};
enum { RULES = sizeof rules / sizeof *rules };

struct parse {
    struct verdict_weights *to;
    unsigned line;
    bool intercept;
    uint64_t groups, levels, rules; /* bits of those that were there */
    struct fault *why;
};

const char *judged_group_text(unsigned group)
{
    return group == JUDGED_CAMPAIGN ? "campaign" : group_text((enum group)group);
}

static bool is(struct slice field, const char *text)
{
    return field.len == strlen(text) && memcmp(field.ptr, text, field.len) == 0;
}

static int bad(struct parse *p, const char *what)
{
    return fault_set(p->why, E_MALFORMED, "weights, line %u: %s", p->line, what);
}

static int read_number(struct parse *p, struct slice field, double least, double most, double *ret)
{
    char text[NUMBER], *end;
    if (field.len == 0 || field.len >= sizeof text || memchr(field.ptr, 0, field.len) != NULL)
        return bad(p, "a number is missing or too long");
    memcpy(text, field.ptr, field.len);
    text[field.len] = '\0';
    double v = strtod(text, &end);
    if (*end != '\0' || !isfinite(v) || v < least || v > most)
        return bad(p, "not a number, or out of its range");
    *ret = v;
    return 0;
}

/* Marks it as seen; false when it was. */
static bool first_time(uint64_t *seen, unsigned i)
{
    bool fresh = !(*seen >> i & 1);
    *seen |= UINT64_C(1) << i;
    return fresh;
}

static int on_intercept(struct parse *p, const struct slice *field)
{
    if (p->intercept)
        return bad(p, "intercept twice");
    p->intercept = true;
    return read_number(p, field[1], -100, 0, &p->to->intercept);
}

static int on_group(struct parse *p, const struct slice *field)
{
    unsigned g = 0;
    while (g < JUDGED_GROUPS && !is(field[1], judged_group_text(g)))
        g++;
    if (g == JUDGED_GROUPS)
        return bad(p, "no such group");
    if (!first_time(&p->groups, g))
        return bad(p, "group twice");
    int r = read_number(p, field[2], 0, WEIGHT_MAX, &p->to->weight[g]);
    return r ? r : read_number(p, field[3], 0, 12, &p->to->cap[g]);
}

static int on_level(struct parse *p, const struct slice *field)
{
    unsigned l = VERDICT_WATCH;
    while (l < VERDICT_MALICIOUS && !is(field[1], verdict_level_text(l)))
        l++;
    if (l == VERDICT_MALICIOUS)
        return bad(p, "no such level, or none of the score");
    if (!first_time(&p->levels, l))
        return bad(p, "level twice");
    return read_number(p, field[2], 0, 1, &p->to->level[l]);
}

static int on_rule(struct parse *p, const struct slice *field)
{
    unsigned i = 0;
    while (i < RULES && !is(field[1], rules[i].name))
        i++;
    if (i == RULES)
        return bad(p, "no such rule");
    if (!first_time(&p->rules, i))
        return bad(p, "rule twice");
    return read_number(p, field[2], rules[i].least, rules[i].most, (double *)((char *)p->to + rules[i].at));
}

static int on_conclusive(struct parse *p, const struct slice *field)
{
    struct verdict_weights *w = p->to;
    struct slice name = field[1];
    if (w->n_conclusive == WEIGHTS_CONCLUSIVE)
        return bad(p, "too many conclusive detectors");
    if (name.len == 0 || name.len >= WEIGHTS_NAME || memchr(name.ptr, 0, name.len) != NULL)
        return bad(p, "not a detector's name");
    for (unsigned i = 0; i < w->n_conclusive; i++)
        if (is(name, w->conclusive[i].detector))
            return bad(p, "conclusive detector twice");
    memcpy(w->conclusive[w->n_conclusive].detector, name.ptr, name.len);
    return read_number(p, field[2], 1, 12, &w->conclusive[w->n_conclusive++].strength);
}

static const struct {
    const char *word;
    unsigned fields; /* with the note, which may be empty but not absent */
    int (*on)(struct parse *p, const struct slice *field);
} kinds[] = {
    { "intercept", 3, on_intercept }, { "group", 5, on_group }, { "level", 4, on_level },
    { "rule", 4, on_rule },           { "conclusive", 4, on_conclusive },
};

static unsigned split(struct slice line, struct slice field[FIELDS])
{
    unsigned n = 0;
    const uint8_t *at = line.ptr, *end = at + line.len;
    for (;;) {
        const uint8_t *tab = n + 1 < FIELDS ? memchr(at, '\t', (size_t)(end - at)) : NULL;
        field[n++] = (struct slice){ at, (size_t)((tab ? tab : end) - at) };
        if (tab == NULL)
            return n;
        at = tab + 1;
    }
}

static int on_line(struct parse *p, struct slice line)
{
    struct slice field[FIELDS];
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    unsigned n = split(line, field);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(field[0], kinds[i].word))
            return n == kinds[i].fields ? kinds[i].on(p, field) : bad(p, "the number of fields is not the kind's");
    return bad(p, "no such kind of line");
}

static int check_whole(struct parse *p)
{
    const double *level = p->to->level;
    for (unsigned g = 0; g < JUDGED_GROUPS; g++)
        if (!(p->groups >> g & 1))
            return fault_set(p->why, E_MALFORMED, "weights: group %s is missing", judged_group_text(g));
    for (unsigned i = 0; i < RULES; i++)
        if (!(p->rules >> i & 1))
            return fault_set(p->why, E_MALFORMED, "weights: rule %s is missing", rules[i].name);
    for (unsigned l = VERDICT_WATCH; l < VERDICT_MALICIOUS; l++)
        if (!(p->levels >> l & 1) || level[l] <= level[l - 1])
            return fault_set(p->why, E_MALFORMED, "weights: level %s is missing or does not rise", verdict_level_text(l));
    return p->intercept ? 0 : fault_set(p->why, E_MALFORMED, "weights: the intercept is missing");
}

int weights_parse(const char *text, size_t len, struct verdict_weights *ret, struct fault *why)
{
    struct verdict_weights w = { 0 };
    struct parse p = { .to = &w, .why = why };
    if (len > WEIGHTS_BYTES_MAX)
        return fault_set(why, E_LIMIT, "weights: more than %d bytes", WEIGHTS_BYTES_MAX);
    for (const uint8_t *at = (const uint8_t *)text, *end = at + len; at < end;) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        p.line++;
        int r = on_line(&p, (struct slice){ at, (size_t)(stop - at) });
        if (r)
            return r;
        at = stop + (stop < end);
    }
    int r = check_whole(&p);
    if (r)
        return r;
    snprintf(w.digest, sizeof w.digest, "%016llx", (unsigned long long)hash_stable(text, len));
    *ret = w;
    return 0;
}

void weights_default(struct verdict_weights *ret)
{
    struct fault why;
    int r = weights_parse(weights_text(), strlen(weights_text()), ret, &why);
    assert(r == 0);
    (void)r;
}

int weights_read(const char *path, struct verdict_weights *ret, struct fault *why)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fault_errno(why, errno, "%s", path);
    char *text = malloc(WEIGHTS_BYTES_MAX + 1);
    size_t len = text ? fread(text, 1, WEIGHTS_BYTES_MAX + 1, file) : 0;
    int r = text == NULL ? fault_set(why, E_NOMEM, "%s: out of memory", path)
            : ferror(file) ? fault_errno(why, errno, "%s", path)
                           : weights_parse(text, len, ret, why);
    free(text);
    fclose(file);
    return r;
}
