/* stix: a STIX 2.1 bundle (OASIS, 2021).
 *
 *     indicator --indicates--> infrastructure --consists-of--> domain-name, ipv4-addr, ipv6-addr
 *               --indicates--> malware        --uses--> infrastructure
 *
 * The infrastructure is that of a campaign for one purpose or, without a campaign, the name's own; malware is a family, where one is
 * known. Ids are of version 5, so that an object has the same one in every run: of what is observed as the specification says (2.9), of
 * all else in the publisher's name space. What never changes once it is made has the date of ORIGIN.
 */
#include "base/jsontext.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <math.h>

#define ORIGIN "2024-01-01T00:00:00.000Z"

struct bundle {
    struct uuid_set made;   /* infrastructure of campaigns, malware, and relations between the two */
    struct uuid observed;   /* the last one: the next item may be about the same name */
    char identity[64];
};

/* What there is of one item. */
struct objects {
    char indicator[64], observed[64], infrastructure[80], malware[64];
};

static void id_of(const char *type, const struct uuid *id, char *text, size_t size)
{
    char uuid[UUID_TEXT];
    uuid_text(id, uuid);
    snprintf(text, size, "%s--%s", type, uuid);
}

/* ---- objects ---- */

static void start_object(struct buffer *to, const char *type, const char *id)
{
    buffer_printf(to, ",\n{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\"", type, id);
}

static void put_text(struct buffer *to, const char *property, const char *text)
{
    buffer_printf(to, ",\"%s\":", property);
    jsontext_put(to, text);
}

static void put_time(struct buffer *to, const char *property, int64_t seconds)
{
    char text[FEED_TIME];
    feed_time(seconds, text);
    buffer_printf(to, ",\"%s\":\"%s.000Z\"", property, text);
}

/* Of what never changes. */
static void put_origin(struct feed *f)
{
    const struct bundle *b = f->state;
    buffer_printf(&f->out, ",\"created_by_ref\":\"%s\",\"created\":\"" ORIGIN "\",\"modified\":\"" ORIGIN "\"", b->identity);
}

static void put_relation(struct feed *f, const char *from, const char *type, const char *to)
{
    char name[256], id[64];
    snprintf(name, sizeof name, "%s %s %s", from, type, to);
    const struct uuid uuid = uuid_of(&f->publisher, "relationship", name);
    id_of("relationship", &uuid, id, sizeof id);
    start_object(&f->out, "relationship", id);
    put_origin(f);
    buffer_printf(&f->out, ",\"relationship_type\":\"%s\",\"source_ref\":\"%s\",\"target_ref\":\"%s\"}", type, from, to);
}

static int begin(struct feed *f, struct fault *why)
{
    struct bundle *b = f->state;
    char id[64];
    const struct uuid bundle = uuid_of(&f->publisher, "", "bundle");
    (void)why;
    id_of("identity", &f->publisher, b->identity, sizeof b->identity);
    id_of("bundle", &bundle, id, sizeof id);
    buffer_printf(&f->out, "{\"type\":\"bundle\",\"id\":\"%s\",\"objects\":[\n", id);
    buffer_printf(&f->out, "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"" ORIGIN
                           "\",\"modified\":\"" ORIGIN "\",\"identity_class\":\"system\"", b->identity);
    put_text(&f->out, "name", f->about->publisher);
    buffer_u8(&f->out, '}');
    return E_OK;
}

static int end(struct feed *f, struct fault *why)
{
    (void)why;
    feed_put(&f->out, "\n]}\n");
    return E_OK;
}

/* ---- the indicator ---- */

static const char *observed_type(const struct feed_entry *e)
{
    return e->p->trigger != TRIGGER_ADDRESS ? "domain-name" : e->address.bits == 32 ? "ipv4-addr" : "ipv6-addr";
}

/* The pattern grammar (9): LIKE knows '_' for any character, so a name with one is matched by its text instead. */
static void put_pattern(struct buffer *to, const struct feed_entry *e)
{
    struct buffer pattern;
    buffer_init(&pattern, 8 * NAME_TEXT_MAX);
    if (e->p->trigger == TRIGGER_ADDRESS) {
        buffer_printf(&pattern, "[%s:value %s '%s']", observed_type(e), e->address.prefix < e->address.bits ? "ISSUBSET" : "=", e->name);
    } else {
        buffer_printf(&pattern, "[domain-name:value = '%s'", e->name);
        if (e->p->trigger == TRIGGER_HOST) {
            feed_put(&pattern, "]");
        } else if (strchr(e->name, '_') == NULL) {
            buffer_printf(&pattern, " OR domain-name:value LIKE '%%.%s']", e->name);
        } else {
            feed_put(&pattern, " OR domain-name:value MATCHES '\\\\.");
            for (const char *c = e->name; *c != '\0'; c++)
                buffer_printf(&pattern, *c == '.' ? "\\\\%c" : "%c", *c);
            feed_put(&pattern, "$']");
        }
    }
    buffer_u8(&pattern, '\0');
    put_text(to, "pattern", pattern.failed ? "" : (const char *)pattern.ptr);
    buffer_release(&pattern);
}

static void put_labels(struct buffer *to, const char *categories)
{
    struct buffer words;
    buffer_init(&words, KNOWLEDGE_TEXT_MAX);
    feed_categories(&words, categories, "\n");
    buffer_u8(&words, '\0');
    const char *before = ",\"labels\":[";
    for (char *rest, *word = words.failed ? NULL : strtok_r((char *)words.ptr, "\n", &rest); word != NULL; word = strtok_r(NULL, "\n", &rest)) {
        feed_put(to, before);
        jsontext_put(to, word);
        before = ",";
    }
    if (before[1] == '\0')
        feed_put(to, "]");
    buffer_release(&words);
}

static void put_reference(struct feed *f, const struct feed_entry *e)
{
    char link[1024];
    feed_put(&f->out, ",\"external_references\":[{\"source_name\":");
    jsontext_put(&f->out, f->about->publisher);
    put_text(&f->out, "external_id", e->name);
    if (f->about->link[0] != '\0') {
        snprintf(link, sizeof link, "%s%s", f->about->link, e->name);
        put_text(&f->out, "url", link);
    }
    feed_put(&f->out, "}]");
}

static void put_description(struct buffer *to, const struct feed_entry *e)
{
    struct buffer text;
    buffer_init(&text, KNOWLEDGE_TEXT_MAX);
    feed_remark(&text, e, "");
    buffer_u8(&text, '\0');
    put_text(to, "description", text.failed ? "" : (const char *)text.ptr);
    buffer_release(&text);
}

static void put_indicator(struct feed *f, const struct feed_entry *e, const char *id)
{
    const struct bundle *b = f->state;
    const struct publication *p = e->p;
    struct buffer *to = &f->out;
    int64_t created = p->first_seen > 0 && p->first_seen < p->since ? p->first_seen : p->since;
    start_object(to, "indicator", id);
    buffer_printf(to, ",\"created_by_ref\":\"%s\"", b->identity);
    put_time(to, "created", created);
    put_time(to, "modified", feed_changed_at(e->item));
    buffer_printf(to, ",\"confidence\":%ld", lround(100 * fmin(1, fmax(0, p->score))));
    put_labels(to, p->categories);
    put_text(to, "name", e->name);
    put_description(to, e);
    buffer_printf(to, ",\"indicator_types\":[\"%s\"]", p->level >= VERDICT_MALICIOUS ? "malicious-activity" : "anomalous-activity");
    put_pattern(to, e);
    feed_put(to, ",\"pattern_type\":\"stix\",\"pattern_version\":\"2.1\"");
    put_time(to, "valid_from", p->since);
    if (p->valid_until > p->since && p->valid_until > 0)
        put_time(to, "valid_until", p->valid_until);
    put_reference(f, e);
    feed_put(to, "}");
}

/* ---- what it indicates ---- */

static void put_observed(struct feed *f, const struct feed_entry *e, struct objects *o)
{
    struct bundle *b = f->state;
    char value[NAME_TEXT_MAX + 16];
    snprintf(value, sizeof value, "{\"value\":\"%s\"}", e->name); /* canonical: such names need no escapes */
    const struct uuid id = uuid_of(&uuid_stix, "", value);
    id_of(observed_type(e), &id, o->observed, sizeof o->observed);
    if (memcmp(id.bytes, b->observed.bytes, sizeof id.bytes) == 0)
        return;
    b->observed = id;
    start_object(&f->out, observed_type(e), o->observed);
    put_text(&f->out, "value", e->name);
    feed_put(&f->out, "}");
}

/* Of the open vocabulary (10.10). */
static const char *purpose_of(const char *categories)
{
    static const struct {
        const char *category, *purpose;
    } purposes[] = { { "phishing", "phishing" }, { "tunnel", "exfiltration" }, { "malware", "command-and-control" } };
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++)
        if (feed_has_category(categories, purposes[i].category))
            return purposes[i].purpose;
    return "unknown";
}

static int is_new(struct feed *f, const struct uuid *id, bool *ret, struct fault *why)
{
    struct bundle *b = f->state;
    size_t number;
    return uuid_set_add(&b->made, id, &number, ret) == 0 ? E_OK : fault_set(why, E_NOMEM, "no memory for campaigns");
}

static int put_infrastructure(struct feed *f, const struct feed_entry *e, struct objects *o, struct fault *why)
{
    const char *purpose = purpose_of(e->p->categories), *campaign = e->item->campaign;
    char identity[NAME_TEXT_MAX + 32], name[NAME_TEXT_MAX + 128];
    bool is_first = true;
    feed_identity(e, identity);
    if (campaign[0] != '\0')
        snprintf(identity, sizeof identity, "campaign %s", campaign);
    snprintf(name, sizeof name, "%s %s", purpose, identity);
    const struct uuid id = uuid_of(&f->publisher, "infrastructure", name);
    id_of("infrastructure", &id, o->infrastructure, sizeof o->infrastructure);
    int rc = campaign[0] != '\0' ? is_new(f, &id, &is_first, why) : E_OK;
    if (rc != 0 || !is_first)
        return rc;
    start_object(&f->out, "infrastructure", o->infrastructure);
    put_origin(f);
    put_text(&f->out, "name", campaign[0] != '\0' ? identity : e->name);
    buffer_printf(&f->out, ",\"infrastructure_types\":[\"%s\"]}", purpose);
    return E_OK;
}

static int put_malware(struct feed *f, const char *family, struct objects *o, struct fault *why)
{
    const struct uuid id = uuid_of(&f->publisher, "malware", family);
    bool is_first;
    id_of("malware", &id, o->malware, sizeof o->malware);
    int rc = is_new(f, &id, &is_first, why);
    if (rc != 0 || !is_first)
        return rc;
    start_object(&f->out, "malware", o->malware);
    put_origin(f);
    put_text(&f->out, "name", family);
    feed_put(&f->out, ",\"is_family\":true}");
    return E_OK;
}

static int put_uses(struct feed *f, const struct objects *o, struct fault *why)
{
    char both[160];
    bool is_first;
    snprintf(both, sizeof both, "%s %s", o->malware, o->infrastructure);
    const struct uuid id = uuid_of(&f->publisher, "uses", both);
    int rc = is_new(f, &id, &is_first, why);
    if (rc == 0 && is_first)
        put_relation(f, o->malware, "uses", o->infrastructure);
    return rc;
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    char identity[NAME_TEXT_MAX + 32];
    struct objects o;
    feed_identity(e, identity);
    const struct uuid id = uuid_of(&f->publisher, "indicator", identity);
    id_of("indicator", &id, o.indicator, sizeof o.indicator);
    put_indicator(f, e, o.indicator);
    put_observed(f, e, &o);
    int rc = put_infrastructure(f, e, &o, why);
    if (rc != 0)
        return rc;
    put_relation(f, o.indicator, "indicates", o.infrastructure);
    put_relation(f, o.infrastructure, "consists-of", o.observed);
    if (e->p->family[0] == '\0')
        return E_OK;
    rc = put_malware(f, e->p->family, &o, why);
    if (rc == 0)
        rc = put_uses(f, &o, why);
    if (rc == 0)
        put_relation(f, o.indicator, "indicates", o.malware);
    return rc;
}

static void release(struct feed *f)
{
    struct bundle *b = f->state;
    uuid_set_release(&b->made);
}

const struct feed_format feed_stix = {
    .name = "stix",
    .file = "stix.json",
    .media = "application/stix+json;version=2.1",
    .triggers = FEED_ALL_TRIGGERS,
    .actions = FEED_ALL_ACTIONS,
    .state_bytes = sizeof(struct bundle),
    .begin = begin,
    .item = item,
    .end = end,
    .release = release,
};
