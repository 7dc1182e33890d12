/* protect_config: the section `protect` of the configuration (config.h) into a struct protection.
 *
 *     protect:
 *       approve: {level: high_risk, not: [tunnel], clients: 100, per_day: 1000}
 *       shadow: 1d                # 0: enforced at once
 *       jump: {add: 10, drop: 10, least: 100}
 *       top_list: {file: /var/lib/dnsmon/top.csv, first: 100000}
 *       infrastructure: 3        # registered domains; 0 = none
 *       views:
 *         - zone: rpz.example
 *           level: high_risk      # at least
 *           categories: []        # only these
 *           stages: [published]   # and shadow
 *           action: nxdomain      # nodata, passthru, drop, garden NAME, garden ADDRESS...
 *           actions: [{category: phishing, action: garden 192.0.2.80}]
 *           ttl: 30
 *       server:
 *         listen: ["192.0.2.1:53"]
 *         secondaries: [{address: 192.0.2.53, key: transfer}]   # are told of each version; ADDRESS[:PORT]
 *         allow: [{address: 192.0.2.0/24, key: transfer}]       # may ask; without a key, by the address alone
 *         keys: /etc/dnsmon/keys
 *       feeds: {dir: /var/lib/dnsmon/feeds, listen: "127.0.0.1:8053", formats: [hosts, stix]}
 *
 * Only for config.c, which has it as a part of the file's schema, and whoever needs the keys.
 */
#ifndef DNSMON_CMD_PROTECT_CONFIG_H
#define DNSMON_CMD_PROTECT_CONFIG_H

#include "cmd/yamlfile.h"
#include "protect/protection.h"

struct file_approve {
    char *level;
    char **not;
    unsigned not_count;
    uint64_t *clients, *per_day;
};

struct file_view {
    char *zone, *level, *action;
    char **categories, **stages;
    unsigned categories_count, stages_count;
    struct protection_action *actions;
    unsigned actions_count;
    unsigned *ttl;
};

struct file_server {
    char **listen;
    unsigned listen_count;
    struct protection_peer *secondaries, *allow;
    unsigned secondaries_count, allow_count;
    char *keys;
};

struct file_protect {
    struct file_approve approve;
    char *shadow;
    struct file_jump {
        double *add, *drop;
        uint64_t *least;
    } jump;
    struct file_top_list {
        char *file;
        uint64_t *first;
    } top_list;
    uint64_t *infrastructure;
    struct file_view *views;
    unsigned views_count;
    struct file_server server;
    struct file_feeds {
        char *dir, *listen;
        char **formats;
        unsigned formats_count;
    } feeds;
};

extern const cyaml_schema_field_t protect_config_fields[];

/* Lays what the file says over `to`. E_MALFORMED with "file:line: what". */
int protect_config_apply(struct protection *to, const struct file_protect *from, const char *path, struct fault *why) MUST_CHECK;

/* Reads the keys that the server names: a file of lines "NAME ALGORITHM SECRET", the secret in base64. E_USAGE when others than its owner and
 * group may read it; E_MALFORMED when a line is none, or an entry of the server names a key that is not there. No message holds a secret. */
int protect_config_load_keys(struct protection_server *server, struct fault *why) MUST_CHECK;

#endif
