/* dump: every merged record of a kind, a line of text each, in key order.
 *
 * Two databases hold the same exactly when their dumps are the same bytes, so a line has
 * every field, nothing that depends on how the data came in (sensors are names, sorted),
 * and nothing of the layout on disk. Columns are separated by tabs:
 *
 *     rr       owner type data first last count upstream ttl_min ttl_max flags sensors threshold
 *     inverse  the same, a record with two names (SOA) once for each
 *     name     name host|domain first last count
 *     host     owner hour first last counters clients
 *     domain   the same, names
 *     hostday, domainday: the same by day, with the hours of it behind the day: 0,7,23
 *
 * `type` of what is said about an owner: NXDOMAIN, NODATA, NAMES (collapsed, data is the
 * class), RDATA (collapsed, data is the type), OUTSIDE:type. `hour`, `day` are the second that it begins with;
 * `counters` those that are not zero, as queries=12,answered=11; `clients` are ID:SECOND+SECOND, `names`
 * HASH:LENGTH:ENTROPY, in the order of the value, or - without any.
 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "record/day.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon dump [OPTION...] [--kind rr|inverse|name|host|domain|hostday|domainday]\n\n"
    "Every record of a kind (rr), merged over all tables, as a line of tab-separated text in\n"
    "key order: owner, type, data, first, last, count, upstream, ttl_min, ttl_max, flags,\n"
    "sensors, threshold; of names: name, host or domain, first, last, count; of how hosts and\n"
    "domains were asked for: owner, hour, first, last, counters, sampled clients, sampled names; of days likewise, and which hours.\n\n" OPTIONS_COMMON_HELP;

enum { OWN_KIND = OPTION_OWN };

static const struct option longs[] = { { "kind", required_argument, NULL, OWN_KIND }, OPTIONS_COMMON };

struct dump {
    struct present present; /* for its output and its sensors */
    uint8_t kind;
    uint8_t by_name[PRESENT_SENSORS]; /* bits in the order of their names */
    unsigned n_sensors;
    char text[PRESENT_RDATA_MAX];
    uint8_t rdata[RR_KEY_MAX];
};

static void column(struct dump *d, const char *text, size_t len)
{
    buffer_append(&d->present.out, text, len);
    buffer_u8(&d->present.out, '\t');
}

static void column_number(struct dump *d, uint64_t number)
{
    present_number(&d->present.out, number);
    buffer_u8(&d->present.out, '\t');
}

static void column_type(struct dump *d, const char *before, uint16_t type)
{
    char text[PRESENT_TYPE_MAX];
    size_t n = present_type(type, text);
    buffer_append(&d->present.out, before, strlen(before));
    column(d, text, n);
}

static void column_rdata(struct dump *d, uint16_t type, struct slice rdata)
{
    size_t n = present_rdata(type, rdata, d->text);
    column(d, d->text, n);
}

static void columns_about(struct dump *d, const struct rr_key *key)
{
    switch (key->about) {
    case RR_NXDOMAIN:
        column(d, "NXDOMAIN\t", 9);
        break;
    case RR_NODATA:
        column_type(d, "NODATA\t", key->subtype);
        break;
    case RR_COLLAPSED_NAMES:
        column(d, "NAMES", 5);
        column_number(d, key->subtype);
        break;
    case RR_COLLAPSED_RDATA:
        column_type(d, "RDATA\t", key->subtype);
        break;
    default:
        column_type(d, "OUTSIDE:", key->subtype);
        column_rdata(d, key->subtype, key->rdata);
    }
}

static void column_sensors(struct dump *d, uint64_t sensors)
{
    struct buffer *to = &d->present.out;
    size_t before = to->len;
    if (sensors & 1)
        buffer_append(to, "unnamed,", 8);
    for (unsigned i = 0; i < d->n_sensors; i++)
        if (sensors >> d->by_name[i] & 1)
            buffer_printf(to, "%s,", d->present.sensors[d->by_name[i]]);
    if (to->len > before)
        to->len--; /* the last comma */
    else
        buffer_u8(to, '-');
    buffer_u8(to, '\t');
}

static void dump_rr(struct dump *d, const struct rr_key *key, const struct rr_value *v)
{
    size_t n = present_owner(key->owner, d->text);
    column(d, d->text, n);
    if (key->type == 0) {
        columns_about(d, key);
    } else {
        column_type(d, "", key->type);
        column_rdata(d, key->type, key->rdata);
    }
    column_number(d, v->first);
    column_number(d, v->last);
    column_number(d, v->count);
    column_number(d, v->upstream);
    column_number(d, v->ttl_min);
    column_number(d, v->ttl_max);
    column_number(d, v->flags);
    column_sensors(d, v->sensors);
    present_number(&d->present.out, v->threshold);
}

static bool dump_name(struct dump *d, struct slice key, struct slice value)
{
    uint8_t wire[NAME_WIRE_MAX];
    struct name_value v;
    size_t forward = name_key_length(key.ptr, key.len);
    size_t n = forward ? name_from_forward_key(key.ptr, forward, wire) : 0;
    if (n == 0 || !name_value_get(value, &v))
        return false;
    column(d, d->text, name_to_text(wire, n, d->text));
    if (key.len > forward)
        column(d, "domain", 6);
    else
        column(d, "host", 4);
    column_number(d, v.first);
    column_number(d, v.last);
    present_number(&d->present.out, v.count);
    return true;
}

/* Behind what was written since `before`, the last of it a separator. */
static void end_list(struct buffer *to, size_t before, char end)
{
    if (to->len > before)
        to->ptr[to->len - 1] = (uint8_t)end;
    else
        buffer_printf(to, "-%c", end);
}

static void column_counters(struct buffer *to, const struct activity *a)
{
    size_t before = to->len;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        if (a->counters[i] != 0)
            buffer_printf(to, "%s=%" PRIu64 ",", activity_counter_name(i), a->counters[i]);
    end_list(to, before, '\t');
}

static void column_clients(struct buffer *to, const struct activity *a)
{
    size_t before = to->len;
    for (unsigned i = 0; i < a->n_clients; i++) {
        const struct activity_client *client = &a->clients[i];
        buffer_printf(to, "%016" PRIx64, client->id);
        for (unsigned k = 0; k < client->n_asks; k++)
            buffer_printf(to, "%c%u", k ? '+' : ':', client->asks[k]);
        buffer_u8(to, ',');
    }
    end_list(to, before, '\t');
}

static void column_names(struct buffer *to, const struct activity *a)
{
    size_t before = to->len;
    for (unsigned i = 0; i < a->n_names; i++)
        buffer_printf(to, "%016" PRIx64 ":%u:%u,", a->names[i].hash, a->names[i].length, a->names[i].entropy);
    end_list(to, before, '\t');
}

static void dump_asked(struct dump *d, const struct activity *a)
{
    struct buffer *to = &d->present.out;
    column_number(d, a->first);
    column_number(d, a->last);
    column_counters(to, a);
    column_clients(to, a);
    if (a->domain)
        column_names(to, a);
    if (!to->failed)
        to->len--; /* the last tab */
}

static bool dump_activity(struct dump *d, struct slice key, struct slice value)
{
    static struct activity a;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, d->kind == KIND_DOMAIN, &a))
        return false;
    column(d, d->text, present_owner(owner, d->text));
    column_number(d, (uint64_t)hour * ACTIVITY_HOUR_S);
    dump_asked(d, &a);
    return true;
}

static void column_hours(struct buffer *to, uint32_t hours)
{
    size_t before = to->len;
    for (unsigned hour = 0; hour < DAY_HOURS; hour++)
        if (hours >> hour & 1)
            buffer_printf(to, "%u,", hour);
    end_list(to, before, '\t');
}

static bool dump_day(struct dump *d, struct slice key, struct slice value)
{
    static struct day day;
    struct slice owner;
    uint32_t number;
    if (!activity_key_get(key, &owner, &number) || !day_get(value, d->kind == KIND_DOMAIN_DAY, &day))
        return false;
    column(d, d->text, present_owner(owner, d->text));
    column_number(d, (uint64_t)number * DAY_S);
    column_hours(&d->present.out, day.hours);
    dump_asked(d, &day.all);
    return true;
}

static bool dump_record(struct dump *d, struct slice key, struct slice value)
{
    struct rr_key k;
    struct rr_value v;
    if (d->kind == KIND_NAME)
        return dump_name(d, key, value);
    if (d->kind == KIND_HOST || d->kind == KIND_DOMAIN)
        return dump_activity(d, key, value);
    if (d->kind == KIND_HOST_DAY || d->kind == KIND_DOMAIN_DAY)
        return dump_day(d, key, value);
    bool ok = d->kind == KIND_INVERSE ? rr_inverse_get(key, d->rdata, &k) : rr_key_get(key, &k);
    if (!ok || !rr_value_get(value, &v))
        return false;
    dump_rr(d, &k, &v);
    return true;
}

static void sort_sensors(struct dump *d, const struct store *store)
{
    for (uint8_t bit = 1; bit < PRESENT_SENSORS; bit++) {
        const char *name = store_sensor_name(store, bit);
        d->present.sensors[bit] = name;
        if (name == NULL)
            continue;
        unsigned at = d->n_sensors++;
        while (at > 0 && strcmp(d->present.sensors[d->by_name[at - 1]], name) > 0) {
            d->by_name[at] = d->by_name[at - 1];
            at--;
        }
        d->by_name[at] = bit;
    }
}

/* Output that cannot be written ends the scan; present_flush tells why. */
enum { DUMP_STOP = 1 };

static int dump_entry(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct dump *d = ctx;
    if (!dump_record(d, key, value))
        return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck",
                         record_kinds[d->kind].name);
    present_text(&d->present, "\n");
    return d->present.write_errno ? DUMP_STOP : E_OK;
}

static int run(const struct options *o, uint8_t kind, struct fault *why)
{
    static struct dump d;
    struct store *store;
    int rc = options_open_store(o, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    present_init(&d.present, STDOUT_FILENO, PRESENT_JSON);
    sort_sensors(&d, store);
    struct store_range range = { .kind = kind };
    d.kind = kind;
    rc = store_scan_each(store, &range, dump_entry, &d, why);
    if (rc == DUMP_STOP)
        rc = E_OK;
    struct fault *write_why = rc ? NULL : why;
    int flushed = present_flush(&d.present, write_why);
    present_release(&d.present);
    store_close(&store);
    return rc ? rc : flushed;
}

static uint8_t kind_of(struct options *o)
{
    for (uint8_t kind = 0; kind < KINDS; kind++)
        if (strcmp(optarg, record_kinds[kind].name) == 0)
            return kind;
    options_wrong(o, "--kind: '%s' is none of rr, inverse, name, host, domain, hostday, domainday", optarg);
    return KIND_RR;
}

int cmd_dump(int argc, char **argv)
{
    struct options o;
    struct fault why = { 0 };
    uint8_t kind = KIND_RR;
    options_start(&o, usage, longs, argc, argv);
    while (options_next(&o) > 0)
        kind = kind_of(&o);
    if (o.exit < 0 && optind < argc)
        options_wrong(&o, "'%s' is one word too many", argv[optind]);
    if (o.exit < 0 && run(&o, kind, &why) != 0)
        o.exit = command_fail(&why);
    return options_end(&o);
}
