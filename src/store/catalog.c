#include "store/catalog.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

void catalog_release(struct catalog *c)
{
    free(c->tables);
    free(c->sources);
    free(c->formers);
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

static bool same_place(const struct store_place *a, const struct store_place *b)
{
    return a->offset == b->offset && a->digest[0] == b->digest[0] && a->digest[1] == b->digest[1];
}

static bool is_moved(const struct store_source *known, const struct store_move *m)
{
    if (m->source.id[0] || known->id[0])
        return strcmp(known->id, m->source.id) == 0;
    return same_place(&known->at, &m->source.at) || (m->from.offset && same_place(&known->at, &m->from));
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
        !grow((void **)&c->sources, &c->sources_capacity, c->n_sources + ch->n_moves, sizeof *c->sources) ||
        !grow((void **)&c->formers, &c->formers_capacity, c->n_formers + ch->n_moves + d->n_formers, sizeof *c->formers))
        return fault_set(why, E_NOMEM, "out of memory");
    return 0;
}

/* Returns its index. */
static size_t put_source(struct catalog *c, const struct store_move *m, bool search)
{
    for (size_t i = search ? c->n_sources : 0; i-- > 0;)
        if (is_moved(&c->sources[i], m)) {
            c->sources[i] = m->source;
            return i;
        }
    c->sources[c->n_sources] = m->source;
    return c->n_sources++;
}

/* Forgets every other one of the older half of [first, end): those that are left lie the closer
 * the younger they are. */
static void thin_formers(struct catalog *c, size_t first, size_t end)
{
    size_t half = first + (end - first) / 2, to = first;
    for (size_t i = first; i < end; i++)
        if (i >= half || (i - first) % 2 == 0)
            c->formers[to++] = c->formers[i];
    memmove(&c->formers[to], &c->formers[end], (c->n_formers - end) * sizeof *c->formers);
    c->n_formers -= end - to;
}

static void put_former(struct catalog *c, size_t source, const struct store_place *place)
{
    size_t end = c->n_formers;
    while (end && c->formers[end - 1].source > source)
        end--;
    memmove(&c->formers[end + 1], &c->formers[end], (c->n_formers - end) * sizeof *c->formers);
    c->formers[end] = (struct store_former){ source, *place };
    c->n_formers++;
    size_t first = end++;
    while (first && c->formers[first - 1].source == source)
        first--;
    if (end - first > FORMERS_MAX)
        thin_formers(c, first, end);
}

static void apply_moves(struct catalog *c, const struct delta *d)
{
    for (size_t i = 0, k = 0; i < d->change.n_moves; i++) {
        const struct store_move *m = &d->change.moves[i];
        size_t source = put_source(c, m, !d->whole);
        if (m->keep)
            put_former(c, source, &m->from);
        for (; k < d->n_formers && d->formers[k].source == i; k++)
            put_former(c, source, &d->formers[k].place);
    }
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
    apply_moves(c, d);
    if (d->has_state)
        c->state = d->state;
    if (ch->totals) {
        char *copy = strdup(ch->totals);
        if (copy) { /* counters shown stay old until the next commit; the record is written */
            free(c->totals);
            c->totals = copy;
        }
    }
    if (ch->watermark > c->watermark) /* an older capture that is read later does not turn time back */
        c->watermark = ch->watermark;
    c->client_key |= d->client_key;
    if (d->sensor)
        snprintf(c->sensors[d->sensor], SENSOR_NAME_BYTES, "%s", d->sensor_name);
    if (d->next_id > c->next_id)
        c->next_id = d->next_id;
}

void catalog_whole(const struct catalog *c, struct delta *ret)
{
    *ret = (struct delta){
        .change = { .add = c->tables, .n_add = c->n_tables, .totals = c->totals, .watermark = c->watermark },
        .sources = c->sources,
        .n_sources = c->n_sources,
        .formers = c->formers,
        .n_formers = c->n_formers,
        .whole = true,
        .has_state = c->state.id != 0,
        .state = c->state,
        .client_key = c->client_key,
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

static json_t *json_place(const struct store_place *p)
{
    return json_pack("[I,o,o]", (json_int_t)p->offset, json_hex(p->digest[0]), json_hex(p->digest[1]));
}

static json_t *json_source(const struct store_source *s)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "id", json_name(s->id), "name", json_name(s->name), "head",
                     json_hex(s->head), "at", json_place(&s->at));
}

static json_t *json_move(const struct store_move *m)
{
    json_t *o = json_source(&m->source);
    int bad = m->from.offset ? json_object_set_new(o, "from", json_place(&m->from)) : 0;
    if (m->keep)
        bad |= json_object_set_new(o, "keep", json_true());
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static int add_formers(json_t *sources, const struct store_former *formers, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        json_t *source = json_array_get(sources, formers[i].source), *list = json_object_get(source, "former");
        if (list == NULL) {
            list = json_array();
            bad |= json_object_set_new(source, "former", list);
        }
        bad |= json_array_append_new(list, json_place(&formers[i].place));
    }
    return bad;
}

static json_t *json_sources(const struct delta *d)
{
    json_t *list = json_array();
    int bad = 0;
    for (size_t i = 0; i < d->change.n_moves; i++)
        bad |= json_array_append_new(list, json_move(&d->change.moves[i]));
    for (size_t i = 0; i < d->n_sources; i++)
        bad |= json_array_append_new(list, json_source(&d->sources[i]));
    if (!bad && add_formers(list, d->formers, d->n_formers) == 0)
        return list;
    json_decref(list);
    return NULL;
}

char *catalog_delta_json(const struct delta *d)
{
    const struct store_change *ch = &d->change;
    json_t *o = json_object();
    int bad = json_object_set_new(o, "next_id", json_integer((json_int_t)d->next_id));
    json_t *add = json_array(), *remove = json_array();
    for (size_t i = 0; i < ch->n_add; i++)
        bad |= json_array_append_new(add, json_table(&ch->add[i]));
    for (size_t i = 0; i < ch->n_remove; i++)
        bad |= json_array_append_new(remove, json_integer((json_int_t)ch->remove[i]));
    bad |= json_object_set_new(o, "add", add);
    bad |= json_object_set_new(o, "remove", remove);
    bad |= json_object_set_new(o, "sources", json_sources(d));
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
    if (d->client_key)
        bad |= json_object_set_new(o, "client_key", json_true());
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

static bool parse_place(const json_t *from, struct store_place *ret)
{
    json_int_t offset;
    json_t *digest0, *digest1;
    if (json_unpack((json_t *)from, "[I,o,o!]", &offset, &digest0, &digest1) < 0)
        return false;
    ret->offset = (uint64_t)offset;
    return offset >= 0 && parse_hex(digest0, &ret->digest[0]) && parse_hex(digest1, &ret->digest[1]);
}

static bool parse_move(const json_t *o, struct store_move *m, const json_t **ret_former)
{
    json_t *id, *name, *head, *at, *from = NULL, *former = NULL;
    int keep = 0;
    *m = (struct store_move){ 0 };
    if (json_unpack((json_t *)o, "{s:o,s:o,s:o,s:o,s?o,s?b,s?o!}", "id", &id, "name", &name, "head", &head, "at", &at,
                    "from", &from, "keep", &keep, "former", &former) < 0)
        return false;
    m->keep = keep;
    *ret_former = former;
    struct store_source *s = &m->source;
    return parse_name(id, s->id, sizeof s->id) && parse_name(name, s->name, sizeof s->name) &&
           parse_hex(head, &s->head) && parse_place(at, &s->at) && (from == NULL || parse_place(from, &m->from));
}

static bool parse_formers(struct delta *d, size_t source, const json_t *list)
{
    size_t n = json_array_size(list);
    if (n == 0)
        return true;
    struct store_former *formers = realloc(d->owned[3], (d->n_formers + n) * sizeof *formers);
    if (formers == NULL)
        return false;
    d->formers = d->owned[3] = formers;
    for (size_t i = 0; i < n; i++) {
        struct store_former *f = &formers[d->n_formers++];
        f->source = source;
        if (!parse_place(json_array_get(list, i), &f->place))
            return false;
    }
    return true;
}

static bool parse_sources(struct delta *d, const json_t *sources)
{
    size_t n = json_array_size(sources);
    struct store_move *moves = d->owned[2] = calloc(n + 1, sizeof *moves);
    for (size_t i = 0; moves && i < n; i++) {
        const json_t *former;
        if (!parse_move(json_array_get(sources, i), &moves[i], &former) || !parse_formers(d, i, former))
            return false;
    }
    d->change.moves = moves, d->change.n_moves = n;
    return moves != NULL;
}

static bool parse_arrays(struct delta *d, const json_t *add, const json_t *remove, const json_t *sources)
{
    size_t n_add = json_array_size(add), n_remove = json_array_size(remove);
    struct store_table *tables = d->owned[0] = calloc(n_add + 1, sizeof *tables);
    uint64_t *ids = d->owned[1] = calloc(n_remove + 1, sizeof *ids);
    if (!tables || !ids)
        return false;
    for (size_t i = 0; i < n_add; i++)
        if (!parse_table(json_array_get(add, i), &tables[i]))
            return false;
    for (size_t i = 0; i < n_remove; i++)
        ids[i] = (uint64_t)json_integer_value(json_array_get(remove, i));
    d->change.add = tables, d->change.n_add = n_add;
    d->change.remove = ids, d->change.n_remove = n_remove;
    return parse_sources(d, sources);
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
    int client_key = 0;
    json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    bool good = o && json_unpack(o, "{s:I,s:o,s:o,s:o,s?o,s?o,s?I,s?b,s?o!}", "next_id", &next_id, "add", &add, "remove",
                                 &remove, "sources", &sources, "state", &state, "totals", &totals, "watermark",
                                 &watermark, "client_key", &client_key, "sensor", &sensor) == 0;
    if (good) {
        d.next_id = (uint64_t)next_id;
        d.change.watermark = watermark;
        d.client_key = client_key;
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
