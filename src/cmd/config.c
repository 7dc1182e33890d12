/* libcyaml fills `struct file`, where numbers with units are still text; then `apply` turns
 * them into settings. */
#include "cmd/config.h"

#include "cmd/protect_config.h"
#include "dns/name.h"
#include "input/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct file_exclude {
    char **zones, **clients;
    unsigned zones_count, clients_count;
};

struct file_input {
    char *interface, *dnstap, *file, *sensor, *vantage;
    uint16_t *ports;
    unsigned ports_count;
    struct file_exclude exclude;
};

struct file {
    char *db, *user, *policy, *memory, *merge_bytes_per_s;
    char *sensor, *vantage, *format, *source_id, *public_suffixes;
    unsigned *threads, *slot_s, *lateness_s, *copy_window_ms;
    bool *keep_multicast;
    bool *activity;
    uint16_t *ports;
    unsigned ports_count;
    struct file_input *inputs;
    unsigned inputs_count;
    struct file_exclude exclude;
    struct file_retention {
        char *slot, *hour, *day, *month, *activity, *activity_days;
    } retention;
    struct file_protect protect;
};

#define TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, MAYBE_PTR, type, key, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED) };
static const cyaml_schema_value_t port_value = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };

static const cyaml_schema_field_t exclude_fields[] = {
    CYAML_FIELD_SEQUENCE("zones", MAYBE_PTR, struct file_exclude, zones, &text_value, 0, SETTINGS_LIST_MAX),
    CYAML_FIELD_SEQUENCE("clients", MAYBE_PTR, struct file_exclude, clients, &text_value, 0, SETTINGS_LIST_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t input_fields[] = {
    TEXT(interface, struct file_input), TEXT(dnstap, struct file_input), TEXT(file, struct file_input),
    TEXT(sensor, struct file_input),    TEXT(vantage, struct file_input),
    CYAML_FIELD_SEQUENCE("ports", MAYBE_PTR, struct file_input, ports, &port_value, 0, SETTINGS_PORTS_MAX),
    CYAML_FIELD_MAPPING("exclude", MAYBE, struct file_input, exclude, exclude_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t input_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_input, input_fields)
};
static const cyaml_schema_field_t retention_fields[] = {
    TEXT(slot, struct file_retention), TEXT(hour, struct file_retention),
    TEXT(day, struct file_retention),  TEXT(month, struct file_retention),
    TEXT(activity, struct file_retention), TEXT(activity_days, struct file_retention),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t file_fields[] = {
    TEXT(db, struct file),
    TEXT(user, struct file),
    TEXT(policy, struct file),
    TEXT(memory, struct file),
    TEXT(merge_bytes_per_s, struct file),
    TEXT(sensor, struct file),
    TEXT(vantage, struct file),
    TEXT(format, struct file),
    TEXT(source_id, struct file),
    TEXT(public_suffixes, struct file),
    CYAML_FIELD_UINT_PTR("threads", MAYBE_PTR, struct file, threads),
    CYAML_FIELD_UINT_PTR("slot_s", MAYBE_PTR, struct file, slot_s),
    CYAML_FIELD_UINT_PTR("lateness_s", MAYBE_PTR, struct file, lateness_s),
    CYAML_FIELD_UINT_PTR("copy_window_ms", MAYBE_PTR, struct file, copy_window_ms),
    CYAML_FIELD_BOOL_PTR("keep_multicast", MAYBE_PTR, struct file, keep_multicast),
    CYAML_FIELD_BOOL_PTR("activity", MAYBE_PTR, struct file, activity),
    CYAML_FIELD_SEQUENCE("ports", MAYBE_PTR, struct file, ports, &port_value, 0, SETTINGS_PORTS_MAX),
    CYAML_FIELD_SEQUENCE("inputs", MAYBE_PTR, struct file, inputs, &input_value, 0, SETTINGS_INPUTS_MAX),
    CYAML_FIELD_MAPPING("exclude", MAYBE, struct file, exclude, exclude_fields),
    CYAML_FIELD_MAPPING("retention", MAYBE, struct file, retention, retention_fields),
    CYAML_FIELD_MAPPING("protect", MAYBE, struct file, protect, protect_config_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)
};

static int bad_value(const char *path, const char *key, const char *value, const char *wanted,
                     struct fault *why)
{
    return fault_set(why, E_MALFORMED, "%s:%u: %s: '%s' is not %s", path, yamlfile_line(path, key, value), key,
                     value, wanted);
}

int settings_set(char **field, const char *text, struct fault *why)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    free(*field);
    *field = copy;
    return E_OK;
}

int settings_add_port(struct settings_ports *ports, const char *text, struct fault *why)
{
    uint16_t port;
    if (!value_port(text, &port))
        return fault_set(why, E_USAGE, "'%s' is not a port", text);
    if (ports->n == SETTINGS_PORTS_MAX)
        return fault_set(why, E_USAGE, "%s: at most %d ports", text, SETTINGS_PORTS_MAX);
    ports->port[ports->n++] = port;
    return E_OK;
}

int settings_add_zone(struct settings_exclude *exclude, const char *text, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    if (name_from_text(text, strlen(text), wire) == 0)
        return fault_set(why, E_USAGE, "'%s' is not a domain name", text);
    char **zones = realloc(exclude->zones, (exclude->n_zones + 1) * sizeof *zones);
    char *copy = strdup(text);
    if (zones != NULL)
        exclude->zones = zones;
    if (zones == NULL || copy == NULL) {
        free(copy);
        return fault_set(why, E_NOMEM, "out of memory");
    }
    zones[exclude->n_zones++] = copy;
    return E_OK;
}

int settings_add_client(struct settings_exclude *exclude, const char *text, struct fault *why)
{
    struct value_net net;
    if (!value_net(text, &net))
        return fault_set(why, E_USAGE, "'%s' is not an address or a network", text);
    struct value_net *clients = realloc(exclude->clients, (exclude->n_clients + 1) * sizeof *clients);
    if (clients == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    exclude->clients = clients;
    clients[exclude->n_clients++] = net;
    return E_OK;
}

int settings_set_vantage(uint8_t *ret, const char *text, struct fault *why)
{
    static const char *const names[] = { [VANTAGE_CLIENT] = "client", [VANTAGE_UPSTREAM] = "upstream",
                                         [VANTAGE_AUTHORITATIVE] = "authoritative" };
    for (uint8_t i = VANTAGE_CLIENT; i <= VANTAGE_AUTHORITATIVE; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return E_OK;
        }
    return fault_set(why, E_USAGE, "'%s' is not client, upstream or authoritative", text);
}

int settings_set_format(char **ret, const char *text, struct fault *why)
{
    if (!source_knows_format(text))
        return fault_set(why, E_USAGE, "'%s' is not auto, pcap, dnstap, zeek, eve or sensor", text);
    return settings_set(ret, text, why);
}

static void copy_ports(struct settings_ports *to, const uint16_t *from, unsigned n)
{
    if (n == 0)
        return;
    memcpy(to->port, from, n * sizeof *from);
    to->n = n;
}

static int apply_plain(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    if (f->threads != NULL)
        s->threads = *f->threads;
    if (f->slot_s != NULL)
        s->slot_s = *f->slot_s;
    if (f->lateness_s != NULL)
        s->lateness_s = *f->lateness_s;
    if (f->copy_window_ms != NULL)
        s->copy_window_ms = *f->copy_window_ms;
    if (f->keep_multicast != NULL)
        s->keep_multicast = *f->keep_multicast;
    if (f->activity != NULL)
        s->activity = *f->activity;
    if (s->threads == 0 || s->threads > 1024)
        return bad_value(path, "threads", "", "between 1 and 1024", why);
    if (s->slot_s != 0 && 3600 % s->slot_s != 0)
        return bad_value(path, "slot_s", "", "a divisor of 3600", why);
    copy_ports(&s->ports, f->ports, f->ports_count);
    return E_OK;
}

static int apply_texts(struct settings *s, const struct file *f, struct fault *why)
{
    const struct {
        const char *text;
        char **to;
    } texts[] = {
        { f->db, &s->db },         { f->user, &s->user },           { f->policy, &s->policy },
        { f->sensor, &s->sensor }, { f->source_id, &s->source_id }, { f->public_suffixes, &s->public_suffixes },
    };
    int rc = E_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == E_OK; i++)
        if (texts[i].text != NULL)
            rc = settings_set(texts[i].to, texts[i].text, why);
    return rc;
}

static int apply_amounts(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    const struct {
        const char *key, *text;
        uint64_t *to;
        bool duration;
    } amounts[] = {
        { "memory", f->memory, &s->memory, false },
        { "merge_bytes_per_s", f->merge_bytes_per_s, &s->merge_bytes_per_s, false },
        { "slot", f->retention.slot, &s->keep_s[TIER_SLOT], true },
        { "hour", f->retention.hour, &s->keep_s[TIER_HOUR], true },
        { "day", f->retention.day, &s->keep_s[TIER_DAY], true },
        { "month", f->retention.month, &s->keep_s[TIER_MONTH], true },
        { "activity", f->retention.activity, &s->keep_activity_s, true },
        { "activity_days", f->retention.activity_days, &s->keep_days_s, true },
    };
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        const char *text = amounts[i].text;
        if (text == NULL)
            continue;
        if (amounts[i].duration && !value_duration(text, amounts[i].to))
            return bad_value(path, amounts[i].key, text, "a duration such as 35d", why);
        if (!amounts[i].duration && !value_size(text, amounts[i].to))
            return bad_value(path, amounts[i].key, text, "a size such as 64M", why);
    }
    return E_OK;
}

/* What a setter said, with its place. */
static int at_line(const char *path, const char *key, const char *text, const struct fault *what, struct fault *why)
{
    int code = what->code == E_USAGE ? E_MALFORMED : what->code;
    return fault_set(why, code, "%s:%u: %s: %s", path, yamlfile_line(path, key, text), key, what->text);
}

static int apply_words(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    struct fault what;
    if (f->vantage != NULL && settings_set_vantage(&s->vantage, f->vantage, &what) != 0)
        return at_line(path, "vantage", f->vantage, &what, why);
    if (f->format != NULL && settings_set_format(&s->format, f->format, &what) != 0)
        return at_line(path, "format", f->format, &what, why);
    return E_OK;
}

static int apply_exclude(struct settings_exclude *to, const struct file_exclude *from, const char *path, struct fault *why)
{
    struct fault what;
    for (unsigned i = 0; i < from->zones_count; i++)
        if (settings_add_zone(to, from->zones[i], &what) != 0)
            return at_line(path, "zones", from->zones[i], &what, why);
    for (unsigned i = 0; i < from->clients_count; i++)
        if (settings_add_client(to, from->clients[i], &what) != 0)
            return at_line(path, "clients", from->clients[i], &what, why);
    return E_OK;
}

/* The kind that the entry names, or -1 when it names none or several. */
static int kind_of(const char *const where[3])
{
    int kind = -1;
    for (int i = 0; i < 3; i++) {
        if (where[i] != NULL && kind >= 0)
            return -1;
        if (where[i] != NULL)
            kind = i;
    }
    return kind;
}

static int apply_input(struct settings_input *to, const struct file_input *from, const char *path, struct fault *why)
{
    struct fault what;
    const char *where[] = { [INPUT_INTERFACE] = from->interface, [INPUT_DNSTAP] = from->dnstap,
                            [INPUT_FILE] = from->file };
    int kind = kind_of(where);
    if (kind < 0)
        return fault_set(why, E_MALFORMED, "%s:%u: inputs: an entry has one of interface, dnstap, file", path,
                         yamlfile_line(path, "inputs", ""));
    to->kind = (enum settings_input_kind)kind;
    if (from->vantage != NULL && settings_set_vantage(&to->vantage, from->vantage, &what) != 0)
        return at_line(path, "vantage", from->vantage, &what, why);
    copy_ports(&to->ports, from->ports, from->ports_count);
    int rc = settings_set(&to->where, where[kind], why);
    if (rc == 0 && from->sensor != NULL)
        rc = settings_set(&to->sensor, from->sensor, why);
    return rc ? rc : apply_exclude(&to->exclude, &from->exclude, path, why);
}

/* A place for one more, or NULL. */
static struct settings_input *one_more_input(struct settings *s, struct fault *why)
{
    struct settings_input *inputs = NULL;
    if (s->n_inputs == SETTINGS_INPUTS_MAX)
        (void)fault_set(why, E_USAGE, "at most %d inputs", SETTINGS_INPUTS_MAX);
    else if ((inputs = realloc(s->inputs, (s->n_inputs + 1) * sizeof *inputs)) == NULL)
        (void)fault_set(why, E_NOMEM, "out of memory");
    if (inputs == NULL)
        return NULL;
    s->inputs = inputs;
    inputs[s->n_inputs] = (struct settings_input){ 0 };
    return &inputs[s->n_inputs++];
}

static int apply_inputs(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; i < f->inputs_count && rc == E_OK; i++) {
        struct settings_input *input = one_more_input(s, why);
        rc = input ? apply_input(input, &f->inputs[i], path, why) : E_NOMEM;
    }
    return rc;
}

static int set_of_input(struct settings_input *to, const char *key, const char *value, struct fault *why)
{
    if (value[0] == '\0')
        return fault_set(why, E_USAGE, "is given as KEY=VALUE");
    if (strcmp(key, "sensor") == 0)
        return settings_set(&to->sensor, value, why);
    if (strcmp(key, "vantage") == 0)
        return settings_set_vantage(&to->vantage, value, why);
    if (strcmp(key, "port") == 0)
        return settings_add_port(&to->ports, value, why);
    if (strcmp(key, "exclude-zone") == 0)
        return settings_add_zone(&to->exclude, value, why);
    if (strcmp(key, "exclude-client") == 0)
        return settings_add_client(&to->exclude, value, why);
    return fault_set(why, E_USAGE, "not sensor, vantage, port, exclude-zone or exclude-client");
}

int settings_add_input(struct settings *s, enum settings_input_kind kind, const char *text, struct fault *why)
{
    struct fault what = { 0 };
    char copy[4096], *rest = copy;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return fault_set(why, E_USAGE, "%.40s...: too long", text);
    struct settings_input *input = one_more_input(s, why);
    if (input == NULL || settings_set(&input->where, strsep(&rest, ","), why) != E_OK)
        return why->code;
    input->kind = kind;
    while (rest != NULL) {
        char *value = strsep(&rest, ",");
        const char *key = strsep(&value, "=");
        int rc = set_of_input(input, key, value ? value : "", &what);
        if (rc != E_OK)
            return fault_set(why, rc, "%s: %s: %s", text, key, what.text);
    }
    return E_OK;
}

static int apply(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    int rc = apply_plain(s, f, path, why);
    if (rc == 0)
        rc = apply_texts(s, f, why);
    if (rc == 0)
        rc = apply_words(s, f, path, why);
    if (rc == 0)
        rc = apply_amounts(s, f, path, why);
    if (rc == 0)
        rc = apply_inputs(s, f, path, why);
    if (rc == 0)
        rc = protect_config_apply(&s->protect, &f->protect, path, why);
    return rc ? rc : apply_exclude(&s->exclude, &f->exclude, path, why);
}

static void release_exclude(struct settings_exclude *e)
{
    for (unsigned i = 0; i < e->n_zones; i++)
        free(e->zones[i]);
    free(e->zones);
    free(e->clients);
    *e = (struct settings_exclude){ 0 };
}

static void release_lists(struct settings *s)
{
    for (unsigned i = 0; i < s->n_inputs; i++) {
        free(s->inputs[i].where);
        free(s->inputs[i].sensor);
        release_exclude(&s->inputs[i].exclude);
    }
    free(s->inputs);
    s->inputs = NULL;
    s->n_inputs = 0;
    release_exclude(&s->exclude);
}

int settings_load(struct settings *s, const char *path, struct fault *why)
{
    struct file *file = NULL;
    int rc = yamlfile_load(path, &file_schema, (void **)&file, why);
    if (rc != 0)
        return rc;
    release_lists(s);
    rc = file != NULL ? apply(s, file, path, why) : E_OK;
    yamlfile_free(&file_schema, file);
    return rc;
}

int settings_init(struct settings *s, struct fault *why)
{
    const char *db = getenv("DNSMON_DB");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *s = (struct settings){ .threads = cores > 0 ? (unsigned)cores : 1, .memory = UINT64_C(1) << 30,
                            .slot_s = 0, .lateness_s = 5, .copy_window_ms = 10, .activity = true, .keep_activity_s = 35 * 86400,
                            .keep_days_s = 3 * 365 * 86400 };
    protection_init(&s->protect);
    return settings_set(&s->db, db != NULL && db[0] != '\0' ? db : "./dnsmon-db", why);
}

void settings_release(struct settings *s)
{
    release_lists(s);
    protection_release(&s->protect);
    free(s->db);
    free(s->user);
    free(s->policy);
    free(s->sensor);
    free(s->format);
    free(s->source_id);
    free(s->public_suffixes);
    *s = (struct settings){ 0 };
}

/* How long a table of a kind and tier stays. */
static uint64_t keep_of(const struct settings *s, int kind, int tier)
{
    switch (kind) {
    case KIND_HOST:
    case KIND_DOMAIN:
        return s->keep_activity_s;
    case KIND_HOST_DAY:
    case KIND_DOMAIN_DAY:
        return s->keep_days_s;
    default:
        return s->keep_s[tier];
    }
}

struct store_options settings_store(const struct settings *s)
{
    struct store_options options = { .merge_bytes_per_s = s->merge_bytes_per_s };
    for (int kind = 0; kind < KINDS; kind++)
        for (int tier = 0; tier < TIERS; tier++)
            options.keep_s[kind][tier] = keep_of(s, kind, tier);
    return options;
}
