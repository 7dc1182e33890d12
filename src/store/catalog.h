/* catalog: what the manifest's records add up to, and one record's worth of change.
 *
 * A delta is checked and memory is reserved first (`catalog_reserve`); applying it
 * then cannot fail, so that a commit is applied exactly when it is durable.
 * As JSON a delta is one manifest payload. Value types; the store's mutex guards them.
 */
#ifndef DNSMON_STORE_CATALOG_H
#define DNSMON_STORE_CATALOG_H

#include "store/store.h"

enum { SENSORS = 64, SENSOR_OTHERS = 63, SENSOR_NAME_BYTES = 64 };

/* Former places of a source; beyond that every other one of the older half is forgotten. */
enum { FORMERS_MAX = 128 };

struct state_file {
    uint64_t id; /* 0 = none */
    uint64_t len, hash;
};

struct catalog {
    struct store_table *tables;
    size_t n_tables, tables_capacity;
    struct store_source *sources;
    size_t n_sources, sources_capacity;
    struct store_former *formers;
    size_t n_formers, formers_capacity;
    char sensors[SENSORS][SENSOR_NAME_BYTES];
    struct state_file state;
    bool client_key; /* the folder has one, and it is wanted */
    char *totals; /* malloc'd, or NULL */
    int64_t watermark;
    uint64_t next_id;
};

struct delta {
    struct store_change change; /* but for `state` */
    bool has_state;
    struct state_file state;
    bool client_key; /* from here on */
    uint8_t sensor; /* 0 = none */
    char sensor_name[SENSOR_NAME_BYTES];
    bool whole; /* opens a manifest: nothing to replace, so sources are not searched */
    const struct store_source *sources; /* in place of moves: written, and parsed as moves */
    size_t n_sources;
    const struct store_former *formers; /* of those sources, or of moves */
    size_t n_formers;
    uint64_t next_id;
    void *owned[6]; /* what catalog_delta_parse allocated */
};

void catalog_release(struct catalog *c);
int catalog_reserve(struct catalog *c, const struct delta *d, struct fault *why) MUST_CHECK;
void catalog_apply(struct catalog *c, const struct delta *d);
const struct store_table *catalog_table(const struct catalog *c, uint64_t id);

char *catalog_delta_json(const struct delta *d); /* malloc'd; NULL: no memory, or totals is no JSON object */
int catalog_delta_parse(struct delta *ret, const char *json, size_t len, struct fault *why) MUST_CHECK;
void catalog_delta_release(struct delta *d);

/* Everything, as one delta that borrows from `c`; sensors come on their own (one a record). */
void catalog_whole(const struct catalog *c, struct delta *ret);

#endif
