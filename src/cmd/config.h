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
 *     inputs:
 *       - interface: eth0       # or dnstap: unix:/run/dnstap.sock, or file: /var/log/dns.json
 *         sensor: ns1
 *         vantage: client       # client, upstream or authoritative
 *     exclude:
 *       zones: [corp.example]
 *       clients: [192.0.2.0/24]
 *     retention: {slot: 2d, hour: 35d, day: 1y, month: 3y}
 *     merge_bytes_per_s: 64M
 */
#ifndef DNSMON_CMD_CONFIG_H
#define DNSMON_CMD_CONFIG_H

#include "base/fault.h"
#include "cmd/value.h"
#include "store/store.h"

enum { SETTINGS_PORTS_MAX = 16, SETTINGS_LIST_MAX = 4096 };

enum settings_input_kind { INPUT_INTERFACE, INPUT_DNSTAP, INPUT_FILE };

struct settings_input {
    enum settings_input_kind kind;
    char *where;     /* interface name, socket address or path */
    char *sensor;    /* NULL = unnamed */
    uint8_t vantage; /* enum message_vantage */
};

struct settings {
    char *db;
    char *user; /* NULL: see account.h */
    unsigned threads;
    uint64_t memory; /* bytes */
    uint64_t slot_s; /* 0: what suits the command, see docs/design/slots.md */
    uint64_t lateness_s;
    uint16_t ports[SETTINGS_PORTS_MAX];
    unsigned n_ports; /* 0 = 53 alone */
    bool keep_multicast;
    struct settings_input *inputs;
    unsigned n_inputs;
    char **exclude_zones; /* presentation form, checked to be names */
    unsigned n_exclude_zones;
    struct value_net *exclude_clients;
    unsigned n_exclude_clients;
    uint64_t keep_s[TIERS]; /* 0 = keep */
    uint64_t merge_bytes_per_s;
};

/* Defaults; the database is $DNSMON_DB or ./dnsmon-db. */
int settings_init(struct settings *s, struct fault *why) MUST_CHECK;
void settings_release(struct settings *s);

/* E_MALFORMED with "file:line: what" when the file is not a configuration. */
int settings_load(struct settings *s, const char *path, struct fault *why) MUST_CHECK;

/* Replaces a string of the settings. */
int settings_set(char **field, const char *text, struct fault *why) MUST_CHECK;

/* What of it concerns the store. */
struct store_options settings_store(const struct settings *s);

#endif
