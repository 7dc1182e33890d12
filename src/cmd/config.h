/* config: how dnsmon is set up: defaults, then the YAML file, then the command line.
 *
 * `settings_init` gives the defaults; `settings_load` lays a file over them; options
 * override what both said. All strings belong to the settings. Value type; one thread.
 *
 *     db: /var/lib/dnsmon
 *     user: dnsmon              # what capture becomes when root starts it
 *     threads: 4                # default: the online cores
 *     memory: 1G
 *     slot_s: 60
 *     lateness_s: 5
 *     ports: [53, 5353]
 *     keep_multicast: false
 *     activity: true
 *     policy: /etc/dnsmon/policy   # what resolvers here enforce: cmd/policy_file.h
 *     sensor: edge              # of inputs that say none
 *     vantage: client           # likewise
 *     format: auto              # of files
 *     source_id: tap1           # of standard input
 *     copy_window_ms: 10
 *     public_suffixes: /usr/share/publicsuffix/public_suffix_list.dat
 *     inputs:
 *       - interface: eth0       # or dnstap: unix:/run/dnstap.sock, or file: /var/log/dns.json
 *         sensor: ns1
 *         vantage: client       # client, upstream or authoritative
 *         ports: [5353]         # instead of those above
 *         exclude:              # besides those below
 *           zones: [home.arpa]
 *     exclude:
 *       zones: [corp.example]
 *       clients: [192.0.2.0/24]
 *     retention: {slot: 2d, hour: 35d, day: 1y, month: 3y, activity: 35d, activity_days: 3y}
 *     merge_bytes_per_s: 64M
 *     protect: {}               # what is published of indicators, where, and who may have it: cmd/protect_config.h
 */
#ifndef DNSMON_CMD_CONFIG_H
#define DNSMON_CMD_CONFIG_H

#include "base/fault.h"
#include "cmd/value.h"
#include "protect/protection.h"
#include "store/store.h"

enum { SETTINGS_PORTS_MAX = 16, SETTINGS_LIST_MAX = 4096, SETTINGS_INPUTS_MAX = 255 };

enum settings_input_kind { INPUT_INTERFACE, INPUT_DNSTAP, INPUT_FILE };

struct settings_ports {
    uint16_t port[SETTINGS_PORTS_MAX];
    unsigned n; /* 0 = nothing said */
};

struct settings_exclude {
    char **zones; /* presentation form, checked to be names */
    unsigned n_zones;
    struct value_net *clients;
    unsigned n_clients;
};

/* What is not said of an input is as for all. */
struct settings_input {
    enum settings_input_kind kind;
    char *where;     /* interface name, socket address or path */
    char *sensor;
    uint8_t vantage; /* enum message_vantage */
    struct settings_ports ports;
    struct settings_exclude exclude; /* besides what holds for all */
};

struct settings {
    char *db;
    char *user; /* NULL: see account.h */
    unsigned threads;
    uint64_t memory; /* bytes */
    uint64_t slot_s; /* 0: what suits the command, see docs/design/slots.md */
    uint64_t lateness_s;
    struct settings_ports ports; /* none = 53 alone */
    bool keep_multicast;
    bool activity; /* record how names are asked for */
    char *policy;  /* path of what resolvers here enforce, or NULL */
    char *sensor;  /* of what has none of its own; NULL = unnamed */
    uint8_t vantage; /* enum message_vantage, likewise */
    char *format;    /* of files; NULL = auto */
    char *source_id; /* of standard input, or NULL */
    char *public_suffixes; /* path; NULL = the system's */
    uint64_t copy_window_ms;
    struct settings_input *inputs;
    unsigned n_inputs;
    struct settings_exclude exclude;
    uint64_t keep_s[TIERS];   /* 0 = keep */
    uint64_t keep_activity_s; /* of hosts and domains by hour, whatever the tier; 0 = keep */
    uint64_t keep_days_s;     /* of what is left of those by day */
    uint64_t merge_bytes_per_s;
    struct protection protect;
};

/* Defaults; the database is $DNSMON_DB or ./dnsmon-db. */
int settings_init(struct settings *s, struct fault *why) MUST_CHECK;
void settings_release(struct settings *s);

/* E_MALFORMED with "file:line: what" when the file is not a configuration. */
int settings_load(struct settings *s, const char *path, struct fault *why) MUST_CHECK;

/* Appends an input: "WHERE[,KEY=VALUE]...", KEY being sensor, vantage, port, exclude-zone or
 * exclude-client, the last three any number of times. E_USAGE when it is not of that form. */
int settings_add_input(struct settings *s, enum settings_input_kind kind, const char *text,
                       struct fault *why) MUST_CHECK;

/* One more of a list, or a vantage; E_USAGE when the text is none. */
int settings_add_port(struct settings_ports *ports, const char *text, struct fault *why) MUST_CHECK;
int settings_add_zone(struct settings_exclude *exclude, const char *text, struct fault *why) MUST_CHECK;
int settings_add_client(struct settings_exclude *exclude, const char *text, struct fault *why) MUST_CHECK;
int settings_set_vantage(uint8_t *ret, const char *text, struct fault *why) MUST_CHECK;
int settings_set_format(char **ret, const char *text, struct fault *why) MUST_CHECK;

/* Replaces a string of the settings. */
int settings_set(char **field, const char *text, struct fault *why) MUST_CHECK;

/* What of it concerns the store. */
struct store_options settings_store(const struct settings *s);

#endif
