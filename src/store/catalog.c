#include "store/catalog.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

void catalog_release(struct catalog *c)
{
    free(c->tables);
    free(c->sources);
    free(c->totals);
    *c = (struct catalog){ 0 };
}

const struct store_table *catalog_table(const struct catalog *c, uint64_t id)
{
    for (size_t i = 0; i < c->n_tables; i++)
        if (c->tables[i].id == id)
            return &c->tables[i];
    return NULL;
}

static bool same_source(const struct store_source *a, const struct store_source *b, uint64_t replaces)
{
    if (b->id[0])
        return strcmp(a->id, b->id) == 0;
    if (a->id[0] || a->head != b->head)
        return false;
    bool equal = a->offset == b->offset && a->digest[0] == b->digest[0] && a->digest[1] == b->digest[1];
    return equal || (replaces && a->offset == replaces);
}

static bool grow(void **array, size_t *capacity, size_t want, size_t size)
{
    if (want <= *capacity)
        return true;
    size_t n = want + want / 2 + 16;
    void *p = realloc(*array, n * size);
    if (p == NULL)
        return false;
    *array = p;
    *capacity = n;
    return true;
}

int catalog_reserve(struct catalog *c, const struct delta *d, struct fault *why)
{
    const struct store_change *ch = &d->change;
    for (size_t i = 0; i < ch->n_remove; i++)
        if (!catalog_table(c, ch->remove[i]))
            return fault_set(why, E_ABSENT, "table %" PRIu64 " is not in the manifest", ch->remove[i]);
    for (size_t i = 0; i < ch->n_add; i++)
        if (ch->add[i].id == 0 || catalog_table(c, ch->add[i].id))
            return fault_set(why, E_USAGE, "table %" PRIu64 " is in the manifest already", ch->add[i].id);
    if (!grow((void **)&c->tables, &c->tables_capacity, c->n_tables + ch->n_add, sizeof *c->tables) ||
        !grow((void **)&c->sources, &c->sources_capacity, c->n_sources + ch->n_sources, sizeof *c->sources))
        return fault_set(why, E_NOMEM, "out of memory");
    return 0;
}

/* Sources may begin alike: of those that `replaces` could mean, the one that came last is being read. */
static void put_source(struct catalog *c, const struct store_source *s, uint64_t replaces, bool search)
{
    for (size_t i = search ? c->n_sources : 0; i-- > 0;)
        if (same_source(&c->sources[i], s, replaces)) {
            c->sources[i] = *s;
            return;
        }
    c->sources[c->n_sources++] = *s;
}

void catalog_apply(struct catalog *c, const struct delta *d)
{
    const struct store_change *ch = &d->change;
    for (size_t i = 0; i < ch->n_remove; i++)
        for (size_t k = 0; k < c->n_tables; k++)
            if (c->tables[k].id == ch->remove[i]) {
                memmove(&c->tables[k], &c->tables[k + 1], (--c->n_tables - k) * sizeof *c->tables);
                break;
            }
    for (size_t i = 0; i < ch->n_add; i++)
        c->tables[c->n_tables++] = ch->add[i];
    for (size_t i = 0; i < ch->n_sources; i++)
        put_source(c, &ch->sources[i], ch->replaces ? ch->replaces[i] : 0, !d->whole);
    if (d->has_state)
        c->state = d->state;
    if (ch->totals) {
        char *copy = strdup(ch->totals);
        if (copy) { /* counters shown stay old until the next commit; the record is written */
            free(c->totals);
            c->totals = copy;
        }
    }
    if (ch->watermark)
        c->watermark = ch->watermark;
    if (d->sensor)
        snprintf(c->sensors[d->sensor], SENSOR_NAME_BYTES, "%s", d->sensor_name);
    if (d->next_id > c->next_id)
        c->next_id = d->next_id;
}

void catalog_whole(const struct catalog *c, struct delta *ret)
{
    *ret = (struct delta){
        .change = { .add = c->tables, .n_add = c->n_tables, .sources = c->sources,
                    .n_sources = c->n_sources, .totals = c->totals, .watermark = c->watermark },
        .whole = true,
        .has_state = c->state.id != 0,
        .state = c->state,
        .next_id = c->next_id,
    };
}

/* Names may be any bytes: JSON gets printable ASCII, the rest as %xx. */
static json_t *json_name(const char *name)
{
    char text[3 * 128 + 1], *p = text;
    for (const uint8_t *s = (const uint8_t *)name; *s; s++)
        p += snprintf(p, 4, *s > 32 && *s < 127 && *s != '%' ? "%c" : "%%%02x", *s);
    *p = 0;
    return json_string(text);
}

static bool parse_name(const json_t *from, char *to, size_t room)
{
    const char *s = json_string_value(from);
    if (s == NULL)
        return false;
    for (; *s; s++) {
        unsigned v = (uint8_t)*s;
        if (v == '%') {
            if (sscanf(s, "%%%2x", &v) != 1 || v == 0 || s[1] == 0 || s[2] == 0)
                return false;
            s += 2;
        }
        if (room-- <= 1)
            return false;
        *to++ = (char)v;
    }
    *to = 0;
    return true;
}

static json_t *json_hex(uint64_t v)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, v);
    return json_string(text);
}

static bool parse_hex(const json_t *from, uint64_t *ret)
{
    const char *s = json_string_value(from);
    int used = 0;
    return s && strlen(s) == 16 && sscanf(s, "%" SCNx64 "%n", ret, &used) == 1 && used == 16;
}

static const char *const TIER_NAMES[TIERS] = { "slot", "hour", "day", "month" };

static json_t *json_table(const struct store_table *t)
{
    return json_pack("{s:I,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "id", (json_int_t)t->id, "kind",
                     record_kinds[t->kind].name, "tier", TIER_NAMES[t->tier], "open", t->open, "slot",
                     (json_int_t)t->slot, "from", (json_int_t)t->from, "to", (json_int_t)t->to,
                     "entries", (json_int_t)t->entries, "bytes", (json_int_t)t->bytes,
                     "filter_bytes", (json_int_t)t->filter_bytes, "trailer", json_hex(t->trailer_hash));
}

static json_t *json_source(const struct store_source *s, uint64_t replaces)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:I,s:I}", "id", json_name(s->id), "name", json_name(s->name),
                     "head", json_hex(s->head), "digest0", json_hex(s->digest[0]), "digest1",
                     json_hex(s->digest[1]), "offset", (json_int_t)s->offset, "replaces", (json_int_t)replaces);
}

char *catalog_delta_json(const struct delta *d)
{
    const struct store_change *ch = &d->change;
    json_t *o = json_object();
    int bad = json_object_set_new(o, "next_id", json_integer((json_int_t)d->next_id));
    json_t *add = json_array(), *remove = json_array(), *sources = json_array();
    for (size_t i = 0; i < ch->n_add; i++)
        bad |= json_array_append_new(add, json_table(&ch->add[i]));
    for (size_t i = 0; i < ch->n_remove; i++)
        bad |= json_array_append_new(remove, json_integer((json_int_t)ch->remove[i]));
    for (size_t i = 0; i < ch->n_sources; i++)
        bad |= json_array_append_new(sources, json_source(&ch->sources[i], ch->replaces ? ch->replaces[i] : 0));
    bad |= json_object_set_new(o, "add", add);
    bad |= json_object_set_new(o, "remove", remove);
    bad |= json_object_set_new(o, "sources", sources);
    if (d->has_state)
        bad |= json_object_set_new(o, "state", json_pack("{s:I,s:I,s:o}", "id", (json_int_t)d->state.id, "bytes",
                                                         (json_int_t)d->state.len, "xxh3", json_hex(d->state.hash)));
    if (ch->totals) {
        json_t *totals = json_loads(ch->totals, JSON_REJECT_DUPLICATES, NULL);
        bad |= !json_is_object(totals);
        bad |= json_object_set_new(o, "totals", totals);
    }
    if (ch->watermark)
        bad |= json_object_set_new(o, "watermark", json_integer(ch->watermark));
    if (d->sensor)
        bad |= json_object_set_new(o, "sensor", json_pack("{s:i,s:o}", "bit", d->sensor, "name", json_name(d->sensor_name)));
    char *text = bad ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

static bool find(const char *const names[], size_t n, const char *name, uint8_t *ret)
{
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    return false;
}

static bool parse_table(const json_t *o, struct store_table *t)
{
    json_int_t id, slot, from, to, entries, bytes, filter_bytes;
    const char *kind, *tier;
    json_t *trailer;
    int open;
    const char *kinds[KINDS];
    for (size_t i = 0; i < KINDS; i++)
        kinds[i] = record_kinds[i].name;
    if (json_unpack((json_t *)o, "{s:I,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:o!}", "id", &id, "kind", &kind,
                    "tier", &tier, "open", &open, "slot", &slot, "from", &from, "to", &to, "entries",
                    &entries, "bytes", &bytes, "filter_bytes", &filter_bytes, "trailer", &trailer) < 0)
        return false;
    *t = (struct store_table){ .id = (uint64_t)id, .open = open, .slot = slot, .from = from, .to = to,
                               .entries = (uint64_t)entries, .bytes = (uint64_t)bytes,
                               .filter_bytes = (uint64_t)filter_bytes };
    return id > 0 && find(kinds, KINDS, kind, &t->kind) && find(TIER_NAMES, TIERS, tier, &t->tier) &&
           parse_hex(trailer, &t->trailer_hash);
}

static bool parse_source(const json_t *o, struct store_source *s, uint64_t *replaces)
{
    json_t *id, *name, *head, *digest0, *digest1;
    json_int_t offset, old;
    if (json_unpack((json_t *)o, "{s:o,s:o,s:o,s:o,s:o,s:I,s:I!}", "id", &id, "name", &name, "head", &head,
                    "digest0", &digest0, "digest1", &digest1, "offset", &offset, "replaces", &old) < 0)
        return false;
    *s = (struct store_source){ .offset = (uint64_t)offset };
    *replaces = (uint64_t)old;
    return parse_name(id, s->id, sizeof s->id) && parse_name(name, s->name, sizeof s->name) &&
           parse_hex(head, &s->head) && parse_hex(digest0, &s->digest[0]) && parse_hex(digest1, &s->digest[1]);
}

static bool parse_arrays(struct delta *d, const json_t *add, const json_t *remove, const json_t *sources)
{
    size_t n_add = json_array_size(add), n_remove = json_array_size(remove), n_sources = json_array_size(sources);
    struct store_table *tables = d->owned[0] = calloc(n_add + 1, sizeof *tables);
    uint64_t *ids = d->owned[1] = calloc(n_remove + 1, sizeof *ids);
    struct store_source *src = d->owned[2] = calloc(n_sources + 1, sizeof *src);
    uint64_t *replaces = d->owned[3] = calloc(n_sources + 1, sizeof *replaces);
    if (!tables || !ids || !src || !replaces)
        return false;
    for (size_t i = 0; i < n_add; i++)
        if (!parse_table(json_array_get(add, i), &tables[i]))
            return false;
    for (size_t i = 0; i < n_remove; i++)
        ids[i] = (uint64_t)json_integer_value(json_array_get(remove, i));
    for (size_t i = 0; i < n_sources; i++)
        if (!parse_source(json_array_get(sources, i), &src[i], &replaces[i]))
            return false;
    d->change.add = tables, d->change.n_add = n_add;
    d->change.remove = ids, d->change.n_remove = n_remove;
    d->change.sources = src, d->change.n_sources = n_sources, d->change.replaces = replaces;
    return true;
}

static bool parse_rest(struct delta *d, const json_t *state, const json_t *totals, const json_t *sensor)
{
    if (state) {
        json_int_t id, bytes;
        json_t *hash;
        if (json_unpack((json_t *)state, "{s:I,s:I,s:o!}", "id", &id, "bytes", &bytes, "xxh3", &hash) < 0 ||
            id <= 0 || bytes < 0 || !parse_hex(hash, &d->state.hash))
            return false;
        d->has_state = true;
        d->state.id = (uint64_t)id;
        d->state.len = (uint64_t)bytes;
    }
    if (totals && (d->change.totals = d->owned[4] = json_dumps(totals, JSON_COMPACT)) == NULL)
        return false;
    if (sensor) {
        int bit;
        json_t *name;
        if (json_unpack((json_t *)sensor, "{s:i,s:o!}", "bit", &bit, "name", &name) < 0 || bit < 1 ||
            bit >= SENSOR_OTHERS || !parse_name(name, d->sensor_name, sizeof d->sensor_name))
            return false;
        d->sensor = (uint8_t)bit;
    }
    return true;
}

int catalog_delta_parse(struct delta *ret, const char *json, size_t len, struct fault *why)
{
    struct delta d = { 0 };
    json_error_t error = { 0 };
    json_t *add, *remove, *sources, *state = NULL, *totals = NULL, *sensor = NULL;
    json_int_t next_id, watermark = 0;
    json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    bool good = o && json_unpack(o, "{s:I,s:o,s:o,s:o,s?o,s?o,s?I,s?o!}", "next_id", &next_id, "add", &add, "remove",
                                 &remove, "sources", &sources, "state", &state, "totals", &totals, "watermark",
                                 &watermark, "sensor", &sensor) == 0;
    if (good) {
        d.next_id = (uint64_t)next_id;
        d.change.watermark = watermark;
        good = parse_arrays(&d, add, remove, sources) && parse_rest(&d, state, totals, sensor);
    }
    json_decref(o);
    if (!good) {
        catalog_delta_release(&d);
        return fault_set(why, E_CORRUPT, "payload is not a manifest delta %s", error.text);
    }
    *ret = d;
    return 0;
}

void catalog_delta_release(struct delta *d)
{
    for (size_t i = 0; i < sizeof d->owned / sizeof d->owned[0]; i++)
        free(d->owned[i]);
    *d = (struct delta){ 0 };
}
