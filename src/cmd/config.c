/* libcyaml fills `struct file`, where numbers with units are still text; then `apply` turns
 * them into settings. libcyaml tells lines only through its log, so the log is kept and cut
 * to one message; for our own checks the line is where the key and its value stand. */
#include "cmd/config.h"

#include "dns/name.h"
#include "input/message.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct file_input {
    char *interface, *dnstap, *file, *sensor, *vantage;
};

struct file {
    char *db, *user, *memory, *merge_bytes_per_s;
    unsigned *threads, *slot_s, *lateness_s;
    bool *keep_multicast;
    uint16_t *ports;
    unsigned ports_count;
    struct file_input *inputs;
    unsigned inputs_count;
    struct file_exclude {
        char **zones, **clients;
        unsigned zones_count, clients_count;
    } exclude;
    struct file_retention {
        char *slot, *hour, *day, *month;
    } retention;
};

enum { MAYBE = CYAML_FLAG_OPTIONAL, MAYBE_PTR = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER };

#define TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, MAYBE_PTR, type, key, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED) };
static const cyaml_schema_value_t port_value = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };

static const cyaml_schema_field_t input_fields[] = {
    TEXT(interface, struct file_input), TEXT(dnstap, struct file_input), TEXT(file, struct file_input),
    TEXT(sensor, struct file_input),    TEXT(vantage, struct file_input), CYAML_FIELD_END,
};
static const cyaml_schema_value_t input_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_input, input_fields)
};
static const cyaml_schema_field_t exclude_fields[] = {
    CYAML_FIELD_SEQUENCE("zones", MAYBE_PTR, struct file_exclude, zones, &text_value, 0, SETTINGS_LIST_MAX),
    CYAML_FIELD_SEQUENCE("clients", MAYBE_PTR, struct file_exclude, clients, &text_value, 0, SETTINGS_LIST_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t retention_fields[] = {
    TEXT(slot, struct file_retention), TEXT(hour, struct file_retention),
    TEXT(day, struct file_retention),  TEXT(month, struct file_retention),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t file_fields[] = {
    TEXT(db, struct file),
    TEXT(user, struct file),
    TEXT(memory, struct file),
    TEXT(merge_bytes_per_s, struct file),
    CYAML_FIELD_UINT_PTR("threads", MAYBE_PTR, struct file, threads),
    CYAML_FIELD_UINT_PTR("slot_s", MAYBE_PTR, struct file, slot_s),
    CYAML_FIELD_UINT_PTR("lateness_s", MAYBE_PTR, struct file, lateness_s),
    CYAML_FIELD_BOOL_PTR("keep_multicast", MAYBE_PTR, struct file, keep_multicast),
    CYAML_FIELD_SEQUENCE("ports", MAYBE_PTR, struct file, ports, &port_value, 0, SETTINGS_PORTS_MAX),
    CYAML_FIELD_SEQUENCE("inputs", MAYBE_PTR, struct file, inputs, &input_value, 0, SETTINGS_LIST_MAX),
    CYAML_FIELD_MAPPING("exclude", MAYBE, struct file, exclude, exclude_fields),
    CYAML_FIELD_MAPPING("retention", MAYBE, struct file, retention, retention_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)
};

/* What libcyaml said: its first line, and the first line number. */
struct heard {
    char message[256];
    unsigned line;
};

static void hear(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
    struct heard *heard = ctx;
    char text[256];
    (void)level;
    vsnprintf(text, sizeof text, format, args);
    const char *line = strstr(text, "line: ");
    if (line != NULL && heard->line == 0)
        heard->line = (unsigned)strtoul(line + 6, NULL, 10);
    if (heard->message[0] != '\0' || strstr(text, "Backtrace") != NULL || strstr(text, "  in ") == text)
        return;
    const char *from = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    snprintf(heard->message, sizeof heard->message, "%s", from);
    heard->message[strcspn(heard->message, "\n")] = '\0';
}

static cyaml_config_t reading(struct heard *heard)
{
    return (cyaml_config_t){ .log_fn = hear, .log_ctx = heard, .mem_fn = cyaml_mem,
                             .log_level = CYAML_LOG_ERROR };
}

/* The line that holds `value` behind `key`, or after it (a list); 0 when it is not found. */
static unsigned line_of(const char *path, const char *key, const char *value)
{
    char line[1024];
    unsigned at = 0;
    bool seen = false;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        at++;
        const char *found = strstr(line, key);
        seen = seen || found != NULL;
        if (seen && strstr(found ? found + strlen(key) : line, value) != NULL) {
            fclose(file);
            return at;
        }
    }
    if (file != NULL)
        fclose(file);
    return 0;
}

static int bad_value(const char *path, const char *key, const char *value, const char *wanted,
                     struct fault *why)
{
    return fault_set(why, E_MALFORMED, "%s:%u: %s: '%s' is not %s", path, line_of(path, key, value), key,
                     value, wanted);
}

/* libcyaml places an unknown key at the start of its mapping: look for the key itself. */
static int bad_yaml(const char *path, const struct heard *heard, cyaml_err_t err, struct fault *why)
{
    static const char unknown[] = "Unexpected key: ";
    const char *message = heard->message[0] ? heard->message : cyaml_strerror(err);
    unsigned line = heard->line;
    if (strncmp(message, unknown, sizeof unknown - 1) == 0)
        line = line_of(path, message + sizeof unknown - 1, ":");
    return fault_set(why, E_MALFORMED, "%s:%u: %s", path, line, message);
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

static int apply_plain(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    if (f->threads != NULL)
        s->threads = *f->threads;
    if (f->slot_s != NULL)
        s->slot_s = *f->slot_s;
    if (f->lateness_s != NULL)
        s->lateness_s = *f->lateness_s;
    if (f->keep_multicast != NULL)
        s->keep_multicast = *f->keep_multicast;
    if (s->threads == 0 || s->threads > 1024)
        return bad_value(path, "threads", "", "between 1 and 1024", why);
    if (s->slot_s != 0 && 3600 % s->slot_s != 0)
        return bad_value(path, "slot_s", "", "a divisor of 3600", why);
    if (f->ports_count > 0) {
        memcpy(s->ports, f->ports, f->ports_count * sizeof *f->ports);
        s->n_ports = f->ports_count;
    }
    int rc = f->db != NULL ? settings_set(&s->db, f->db, why) : E_OK;
    return rc != 0 || f->user == NULL ? rc : settings_set(&s->user, f->user, why);
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

static bool vantage_from_text(const char *text, uint8_t *ret)
{
    if (text == NULL)
        *ret = VANTAGE_UNKNOWN;
    else if (strcmp(text, "client") == 0)
        *ret = VANTAGE_CLIENT;
    else if (strcmp(text, "upstream") == 0)
        *ret = VANTAGE_UPSTREAM;
    else if (strcmp(text, "authoritative") == 0)
        *ret = VANTAGE_AUTHORITATIVE;
    else
        return false;
    return true;
}

static int apply_input(struct settings_input *to, const struct file_input *from, const char *path,
                       struct fault *why)
{
    const char *where[] = { [INPUT_INTERFACE] = from->interface, [INPUT_DNSTAP] = from->dnstap,
                            [INPUT_FILE] = from->file };
    unsigned n = 0;
    for (unsigned i = 0; i < 3; i++)
        if (where[i] != NULL) {
            to->kind = (enum settings_input_kind)i;
            n++;
        }
    if (n != 1)
        return fault_set(why, E_MALFORMED, "%s:%u: inputs: an entry has one of interface, dnstap, file", path,
                         line_of(path, "inputs", ""));
    if (!vantage_from_text(from->vantage, &to->vantage))
        return bad_value(path, "vantage", from->vantage, "client, upstream or authoritative", why);
    int rc = settings_set(&to->where, where[to->kind], why);
    return rc != 0 || from->sensor == NULL ? rc : settings_set(&to->sensor, from->sensor, why);
}

static int apply_inputs(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    if (f->inputs_count == 0)
        return E_OK;
    s->inputs = calloc(f->inputs_count, sizeof *s->inputs);
    if (s->inputs == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    s->n_inputs = f->inputs_count;
    for (unsigned i = 0; i < f->inputs_count; i++) {
        int rc = apply_input(&s->inputs[i], &f->inputs[i], path, why);
        if (rc != 0)
            return rc;
    }
    return E_OK;
}

static int apply_zones(struct settings *s, const struct file_exclude *from, const char *path, struct fault *why)
{
    s->exclude_zones = calloc(from->zones_count + 1, sizeof *s->exclude_zones);
    if (s->exclude_zones == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    for (unsigned i = 0; i < from->zones_count; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        if (name_from_text(from->zones[i], strlen(from->zones[i]), wire) == 0)
            return bad_value(path, "zones", from->zones[i], "a domain name", why);
        int rc = settings_set(&s->exclude_zones[i], from->zones[i], why);
        if (rc != 0)
            return rc;
        s->n_exclude_zones = i + 1;
    }
    return E_OK;
}

static int apply_clients(struct settings *s, const struct file_exclude *from, const char *path, struct fault *why)
{
    s->exclude_clients = calloc(from->clients_count + 1, sizeof *s->exclude_clients);
    if (s->exclude_clients == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    for (unsigned i = 0; i < from->clients_count; i++)
        if (!value_net(from->clients[i], &s->exclude_clients[i]))
            return bad_value(path, "clients", from->clients[i], "an address or a network", why);
    s->n_exclude_clients = from->clients_count;
    return E_OK;
}

static int apply(struct settings *s, const struct file *f, const char *path, struct fault *why)
{
    int rc = apply_plain(s, f, path, why);
    if (rc == 0)
        rc = apply_amounts(s, f, path, why);
    if (rc == 0)
        rc = apply_inputs(s, f, path, why);
    if (rc == 0)
        rc = apply_zones(s, &f->exclude, path, why);
    return rc ? rc : apply_clients(s, &f->exclude, path, why);
}

static void release_lists(struct settings *s)
{
    for (unsigned i = 0; i < s->n_inputs; i++) {
        free(s->inputs[i].where);
        free(s->inputs[i].sensor);
    }
    for (unsigned i = 0; i < s->n_exclude_zones; i++)
        free(s->exclude_zones[i]);
    free(s->inputs);
    free(s->exclude_zones);
    free(s->exclude_clients);
    s->inputs = NULL;
    s->exclude_zones = NULL;
    s->exclude_clients = NULL;
    s->n_inputs = s->n_exclude_zones = s->n_exclude_clients = 0;
}

int settings_load(struct settings *s, const char *path, struct fault *why)
{
    struct heard heard = { .line = 0 };
    cyaml_config_t config = reading(&heard);
    struct file *file = NULL;
    if (access(path, R_OK) != 0)
        return fault_errno(why, errno, "%s", path);
    cyaml_err_t err = cyaml_load_file(path, &config, &file_schema, (cyaml_data_t **)&file, NULL);
    if (err != CYAML_OK)
        return bad_yaml(path, &heard, err, why);
    release_lists(s);
    int rc = file != NULL ? apply(s, file, path, why) : E_OK;
    cyaml_free(&config, &file_schema, file, 0);
    return rc;
}

int settings_init(struct settings *s, struct fault *why)
{
    const char *db = getenv("DNSMON_DB");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *s = (struct settings){ .threads = cores > 0 ? (unsigned)cores : 1, .memory = UINT64_C(1) << 30,
                            .slot_s = 0, .lateness_s = 5 };
    return settings_set(&s->db, db != NULL && db[0] != '\0' ? db : "./dnsmon-db", why);
}

void settings_release(struct settings *s)
{
    release_lists(s);
    free(s->db);
    free(s->user);
    *s = (struct settings){ 0 };
}

struct store_options settings_store(const struct settings *s)
{
    struct store_options options = { .merge_bytes_per_s = s->merge_bytes_per_s };
    memcpy(options.keep_s, s->keep_s, sizeof options.keep_s);
    return options;
}
