#include "cmd/scenario.h"

#include "cmd/value.h"
#include "cmd/yamlfile.h"
#include "dns/name.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct file_campaign {
    char *kind, *id, *suffix, *period;
    uint32_t *clients, *domains, *unregistered;
    double *jitter, *day, *days;
    bool *twin, *words;
};

struct file_scenario {
    uint64_t *seed;
    uint32_t *clients;
    double *days, *activity, *loss;
    char *start;
    int32_t *utc_offset_min;
    bool *resolver_cache;
    struct file_shares {
        double *iot, *server, *mail, *translator, *churn;
    } shares;
    struct file_mix {
        uint32_t *sites, *vendors, *iot_vendors, *ad_networks;
        double *long_tail, *junk;
    } mix;
    struct file_campaign *campaigns;
    unsigned campaigns_count;
};

#define TEXT(type, key) CYAML_FIELD_STRING_PTR(#key, MAYBE_PTR, type, key, 0, CYAML_UNLIMITED)
#define COUNT(type, key) CYAML_FIELD_UINT_PTR(#key, MAYBE_PTR, type, key)
#define REAL(type, key) CYAML_FIELD_FLOAT_PTR(#key, MAYBE_PTR, type, key)
#define TRUTH(type, key) CYAML_FIELD_BOOL_PTR(#key, MAYBE_PTR, type, key)

static const cyaml_schema_field_t campaign_fields[] = {
    CYAML_FIELD_STRING_PTR("kind", CYAML_FLAG_POINTER, struct file_campaign, kind, 0, CYAML_UNLIMITED),
    TEXT(struct file_campaign, id),       TEXT(struct file_campaign, suffix),   TEXT(struct file_campaign, period),
    COUNT(struct file_campaign, clients), COUNT(struct file_campaign, domains), COUNT(struct file_campaign, unregistered),
    REAL(struct file_campaign, jitter),   REAL(struct file_campaign, day),      REAL(struct file_campaign, days),
    TRUTH(struct file_campaign, twin),    TRUTH(struct file_campaign, words),   CYAML_FIELD_END,
};
static const cyaml_schema_value_t campaign_value = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_campaign, campaign_fields) };
static const cyaml_schema_field_t shares_fields[] = {
    REAL(struct file_shares, iot),        REAL(struct file_shares, server), REAL(struct file_shares, mail),
    REAL(struct file_shares, translator), REAL(struct file_shares, churn),  CYAML_FIELD_END,
};
static const cyaml_schema_field_t mix_fields[] = {
    COUNT(struct file_mix, sites),       COUNT(struct file_mix, vendors),  COUNT(struct file_mix, iot_vendors),
    COUNT(struct file_mix, ad_networks), REAL(struct file_mix, long_tail), REAL(struct file_mix, junk), CYAML_FIELD_END,
};
static const cyaml_schema_field_t scenario_fields[] = {
    COUNT(struct file_scenario, seed),    COUNT(struct file_scenario, clients), REAL(struct file_scenario, days),
    REAL(struct file_scenario, activity), REAL(struct file_scenario, loss),     TEXT(struct file_scenario, start),
    CYAML_FIELD_INT_PTR("utc_offset_min", MAYBE_PTR, struct file_scenario, utc_offset_min),
    TRUTH(struct file_scenario, resolver_cache),
    CYAML_FIELD_MAPPING("shares", MAYBE, struct file_scenario, shares, shares_fields),
    CYAML_FIELD_MAPPING("mix", MAYBE, struct file_scenario, mix, mix_fields),
    CYAML_FIELD_SEQUENCE("campaigns", MAYBE_PTR, struct file_scenario, campaigns, &campaign_value, 0, SCENARIO_CAMPAIGNS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_scenario, scenario_fields) };

/* What the file does not say stays. */
#define TAKE(to, from, key) ((from)->key != NULL ? (void)((to)->key = *(from)->key) : (void)0)

static int bad(const char *path, const char *key, const char *value, const char *wanted, struct fault *why)
{
    return fault_set(why, E_MALFORMED, "%s:%u: %s: '%s' is not %s", path, yamlfile_line(path, key, value), key, value, wanted);
}

static bool kind_of(const char *text, enum campaign_kind *ret)
{
    for (int i = 0; i < CAMPAIGN_KINDS; i++)
        if (strcmp(text, campaign_kind_text((enum campaign_kind)i)) == 0) {
            *ret = (enum campaign_kind)i;
            return true;
        }
    return false;
}

/* Lower-case letters, digits, hyphens, and `more`; room for the NUL, too. */
static bool is_plain(const char *text, size_t room, char more)
{
    char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-?";
    allowed[sizeof allowed - 2] = more;
    size_t n = strspn(text, allowed);
    return n > 0 && n < room && text[n] == '\0';
}

static int take_campaign(struct scenario_campaign *to, const struct file_campaign *from, unsigned number, const char *path,
                         struct fault *why)
{
    enum campaign_kind kind;
    uint64_t period_s;
    uint8_t wire[NAME_WIRE_MAX];
    if (!kind_of(from->kind, &kind))
        return bad(path, "kind", from->kind, "a kind of campaign", why);
    scenario_campaign_defaults(to, kind);
    snprintf(to->id, sizeof to->id, "%s-%u", from->kind, number + 1);
    if (from->id != NULL && !is_plain(from->id, sizeof to->id, '_'))
        return bad(path, "id", from->id, "a word of small letters, digits and hyphens", why);
    if (from->id != NULL)
        snprintf(to->id, sizeof to->id, "%s", from->id);
    if (from->suffix != NULL && (!is_plain(from->suffix, sizeof to->suffix, '.') || name_from_text(from->suffix, strlen(from->suffix), wire) == 0))
        return bad(path, "suffix", from->suffix, "a public suffix such as co.uk", why);
    if (from->suffix != NULL)
        snprintf(to->suffix, sizeof to->suffix, "%s", from->suffix);
    if (from->period != NULL && !value_duration(from->period, &period_s))
        return bad(path, "period", from->period, "a duration such as 20m", why);
    if (from->period != NULL)
        to->period_s = (double)period_s;
    TAKE(to, from, clients);
    TAKE(to, from, domains);
    TAKE(to, from, unregistered);
    TAKE(to, from, jitter);
    TAKE(to, from, day);
    TAKE(to, from, days);
    TAKE(to, from, twin);
    TAKE(to, from, words);
    return E_OK;
}

static int take(struct scenario *s, const struct file_scenario *f, const char *path, struct fault *why)
{
    TAKE(s, f, seed);
    TAKE(s, f, clients);
    TAKE(s, f, days);
    TAKE(s, f, activity);
    TAKE(s, f, loss);
    TAKE(s, f, utc_offset_min);
    TAKE(s, f, resolver_cache);
    TAKE(&s->shares, &f->shares, iot);
    TAKE(&s->shares, &f->shares, server);
    TAKE(&s->shares, &f->shares, mail);
    TAKE(&s->shares, &f->shares, translator);
    TAKE(&s->shares, &f->shares, churn);
    TAKE(&s->mix, &f->mix, sites);
    TAKE(&s->mix, &f->mix, vendors);
    TAKE(&s->mix, &f->mix, iot_vendors);
    TAKE(&s->mix, &f->mix, ad_networks);
    TAKE(&s->mix, &f->mix, long_tail);
    TAKE(&s->mix, &f->mix, junk);
    if (f->start != NULL && !value_time(f->start, time(NULL), &s->start_s))
        return bad(path, "start", f->start, "a time such as 2024-03-04", why);
    for (unsigned i = 0; i < f->campaigns_count; i++) {
        int rc = take_campaign(&s->campaigns[i], &f->campaigns[i], i, path, why);
        if (rc != 0)
            return rc;
        s->n_campaigns++;
    }
    return E_OK;
}

int scenario_load(struct scenario *s, const char *path, struct fault *why)
{
    struct file_scenario *file = NULL;
    scenario_defaults(s);
    int rc = yamlfile_load(path, &schema, (void **)&file, why);
    if (rc != 0)
        return rc;
    rc = file != NULL ? take(s, file, path, why) : E_OK;
    yamlfile_free(&schema, file);
    return rc;
}
