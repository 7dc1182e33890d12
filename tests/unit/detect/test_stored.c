/* What analysis reads from a store, as of a step: subjects and portraits, scenes, the census. What came later must not show. */
#include "stored.h"

#include "base/hash.h"
#include "detect/census.h"
#include "detect/inspection.h"
#include "detect/portrait.h"

enum { T = 475008 }; /* begins a day, and a period */

/* ---- a view as one number ---- */

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    return hash_mix(h ^ hash_stable(bytes, len));
}

static uint64_t number(uint64_t h, uint64_t n)
{
    return mix(h, &n, sizeof n);
}

static uint64_t host_of(uint64_t h, const struct subject_host *host)
{
    h = number(mix(mix(h, host->owner.ptr, host->owner.len), host->sub, strlen(host->sub)), host->first_s);
    for (uint32_t i = 0; i < host->n_hours; i++)
        h = number(number(number(h, host->hours[i].hour), host->hours[i].queries), host->hours[i].clients);
    return number(h, host->n_hours);
}

static uint64_t view_of(const struct subject *s)
{
    uint64_t h = number(number(number(1, s->step), s->window_from), s->first_s);
    for (size_t i = 0; i < s->n_hours; i++)
        h = number(mix(number(h, s->hours[i].hour), s->hours[i].counters, sizeof s->hours[i].counters), s->hours[i].clients);
    for (size_t i = 0; i < s->n_clients; i++)
        h = mix(number(number(h, s->clients[i].id), s->clients[i].hours), s->clients[i].asks, s->clients[i].n_asks * sizeof(uint32_t));
    for (size_t i = 0; i < s->n_hosts; i++)
        h = host_of(h, &s->hosts[i]);
    for (size_t i = 0; i < s->n_records; i++)
        h = number(mix(number(h, s->records[i].type), s->records[i].rdata.ptr, s->records[i].rdata.len), s->records[i].first_s);
    h = number(number(number(h, s->n_hours), s->n_clients), s->n_hosts);
    return number(h, s->n_records * 8 + s->clients_whole * 4 + s->hosts_whole * 2 + s->records_whole);
}

static uint64_t portrait_of(const struct subject *s)
{
    struct arena memory;
    arena_init(&memory, 1 << 14);
    const struct portrait *p = portrait_make(s, &memory);
    assert_non_null(p);
    assert_true(p->step == s->step && p->n_hours == s->n_hours && p->n_clients == s->n_clients);
    uint64_t h = number(mix(2, p->clients, p->n_clients * sizeof *p->clients), p->exists * 2 + p->missing);
    for (unsigned i = 0; i < p->n_labels; i++)
        h = number(mix(h, p->labels[i].text, strlen(p->labels[i].text)), p->labels[i].alias + p->labels[i].answered);
    for (unsigned i = 0; i < p->n_targets; i++)
        h = number(number(h, p->targets[i].hash), p->targets[i].first_s);
    arena_release(&memory);
    return h;
}

/* ---- subjects ---- */

/* A domain with more hosts, clients and records than a subject takes; hosts known to the name table long before they are asked for. */
static void make_history(unsigned seed, uint32_t from, uint32_t to)
{
    stored_new();
    for (uint32_t hour = from; hour <= to; hour++) {
        char host[64];
        seed = seed * 1103515245 + 12345;
        unsigned dice = seed >> 16, many = dice % 11 == 0 ? 90 : dice % 4;
        if (dice % 3 == 0)
            continue;
        stored_ask(KIND_DOMAIN, "name.example", hour, 5 + dice % 9, dice % 2 ? ACTIVITY_NOERROR : ACTIVITY_NX_DOMAIN, dice % 300, 1 + many, dice);
        for (unsigned i = 0; i < 1 + dice % 3; i++) {
            snprintf(host, sizeof host, "h%u.name.example", (dice >> 3) % 50 + (hour - from) / 2 * i);
            stored_ask(KIND_HOST, host, hour, 1 + i, ACTIVITY_NOERROR, dice % 300, 2, 0);
            if ((dice >> 5) % 4 == 0)
                stored_name(host, "name.example", (uint64_t)(from - 100 + dice % 100) * 3600); /* known as a target before */
        }
        for (unsigned i = 0; i < dice % 5; i++) {
            uint8_t address[4] = { 192, 0, (uint8_t)hour, (uint8_t)(dice + i) };
            stored_record("www.name.example", TYPE_A, (struct slice){ address, 4 }, (uint64_t)hour * 3600 + dice % 3600);
        }
    }
}

static void compare_views(struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t middle, uint32_t to)
{
    struct subject *a, *b;
    struct profile profile;
    profile_init(&profile);
    OK(subject_load(&a, store, suffixes, stored_key("name.example"), from, middle, &why));
    OK(subject_load(&b, store, suffixes, stored_key("name.example"), from - 4 * PERIOD_STEPS, to, &why));
    profile_init(&a->profile);
    profile_init(&b->profile);
    for (uint32_t period = from; period <= middle; period += PERIOD_STEPS) {
        OK(subject_begin(a, period, &profile, &why));
        OK(subject_begin(b, period, &profile, &why));
        for (uint32_t step = period; step < period + PERIOD_STEPS && step <= middle; step++) {
            const struct activity *x, *y;
            OK(subject_advance(a, step, &x, &why));
            OK(subject_advance(b, step, &y, &why));
            assert_int_equal(x == NULL, y == NULL);
            assert_int_equal(x != NULL, subject_will_be_asked(a, step, step));
            if (view_of(a) != view_of(b))
                fail_msg("step %u of a chunk to %u and one to %u: %zu and %zu hosts, %zu and %zu records, whole %d%d%d %d%d%d", step - T,
                         middle - T, to - T, a->n_hosts, b->n_hosts, a->n_records, b->n_records, a->clients_whole, a->hosts_whole,
                         a->records_whole, b->clients_whole, b->hosts_whole, b->records_whole);
            assert_true(portrait_of(a) == portrait_of(b));
            for (size_t i = 0; i < a->n_hosts; i++)
                assert_true(a->hosts[i].asked_hour <= step);
        }
    }
    subject_destroy(&a);
    subject_destroy(&b);
}

static void a_view_knows_nothing_later(void **state)
{
    struct suffix_list *suffixes = stored_suffixes();
    (void)state;
    for (unsigned seed = 1; seed <= 3; seed++) {
        make_history(seed, T - 200, T + 700);
        struct store *store = stored_open();
        compare_views(store, suffixes, T, T + 3, T + 700); /* a period that is not over */
        compare_views(store, suffixes, T, T + 35, T + 100);
        compare_views(store, suffixes, T + 300, T + 335, T + 700);
        store_close(&store);
    }
    suffix_destroy(&suffixes);
}

static void hours_clients_and_limits(void **state)
{
    struct suffix_list *suffixes = stored_suffixes();
    struct subject *s;
    const struct activity *a;
    struct profile none;
    (void)state;
    stored_new();
    for (unsigned i = 0; i < 60; i++)
        stored_ask(KIND_DOMAIN, "name.example", T + i, 2, ACTIVITY_NOERROR, 10 * i, 10, i); /* 600 clients */
    for (unsigned i = 0; i < 300; i++) {
        char host[64];
        snprintf(host, sizeof host, "h%u.name.example", i);
        stored_ask(KIND_HOST, host, T + i / 6, 1, ACTIVITY_NOERROR, 1, 1, 0);
    }
    stored_ask(KIND_HOST, "www.name.example.test", T, 1, ACTIVITY_NOERROR, 1, 1, 0);  /* somebody else's */
    stored_ask(KIND_HOST, "www.xname.example", T, 1, ACTIVITY_NOERROR, 1, 1, 0);
    struct store *store = stored_open();
    OK(subject_load(&s, store, suffixes, stored_key("name.example"), T, T + 59, &why));
    profile_init(&none);
    for (uint32_t period = T; period < T + 60; period += PERIOD_STEPS) {
        OK(subject_begin(s, period, period == T ? &none : &s->profile, &why));
        for (uint32_t step = period; step < period + PERIOD_STEPS; step++)
            OK(subject_advance(s, step, &a, &why));
        unsigned hours = period - T + PERIOD_STEPS;
        assert_true(s->n_hours == hours && s->profile.hours == hours && subject_sum(s, ACTIVITY_QUERIES, T, s->step) == 2 * hours);
        assert_int_equal(s->n_clients, hours * 10 < SUBJECT_CLIENTS ? hours * 10 : SUBJECT_CLIENTS);
        assert_int_equal(s->clients_whole, hours * 10 <= SUBJECT_CLIENTS);
        assert_int_equal(s->n_hosts, hours * 6 < SUBJECT_HOSTS ? hours * 6 : SUBJECT_HOSTS);
        assert_int_equal(s->hosts_whole, hours * 6 <= SUBJECT_HOSTS);
        for (size_t i = 0; i < s->n_clients; i++)
            assert_int_equal(s->clients[i].id, i + 1); /* the smallest */
    }
    assert_null(subject_hour_at(s, T + 60));
    assert_int_equal(subject_hour_at(s, T + 7)->hour, T + 7);
    subject_destroy(&s);
    store_close(&store);
    suffix_destroy(&suffixes);
}

/* ---- scenes ---- */

/* Owners of a label come by and by, those of later hours in front of the others by key; far more than are gathered. */
static void a_scene_knows_nothing_later(void **state)
{
    enum { OWNERS = 1200 };
    struct suffix_list *suffixes = stored_suffixes();
    struct network network = { .first = T - 1000 };
    struct scene *step_by_step, *jumping;
    struct scene_owners a, b;
    uint8_t address[4] = { 192, 0, 2, 1 };
    struct slice rdata = { address, 4 };
    (void)state;
    stored_new();
    for (unsigned i = 0; i < OWNERS; i++) {
        char host[64], domain[64];
        snprintf(host, sizeof host, "rctl.n%04u.example", OWNERS - i);
        snprintf(domain, sizeof domain, "n%04u.example", OWNERS - i);
        stored_name(host, domain, (uint64_t)T * 3600 + i * 60);
        stored_record(host, TYPE_A, rdata, (uint64_t)T * 3600 + i * 60);
    }
    stored_name("rctl.a.b.example", "b.example", 1); /* not one level below */
    struct store *store = stored_open();
    OK(scene_create(&jumping, store, suffixes, &why));
    for (uint32_t step = T + 20; step-- > T - 1;) { /* a scene that saw later steps before */
        scene_at(jumping, step, &network);
        OK(scene_label(jumping, "rctl", &a, &why));
        unsigned known = step + 1 < T ? 0 : (step + 1 - T) * 60 < OWNERS ? (step + 1 - T) * 60 : OWNERS;
        assert_int_equal(a.count, known < SCENE_COUNTED ? known : SCENE_COUNTED);
        assert_int_equal(a.n, known < SCENE_OWNERS ? known : SCENE_OWNERS);
        OK(scene_create(&step_by_step, store, suffixes, &why));
        scene_at(step_by_step, step, &network);
        OK(scene_label(step_by_step, "rctl", &b, &why));
        for (unsigned i = 0; i < a.n; i++)
            assert_true(slice_compare(a.owners[i].owner, b.owners[i].owner) == 0 && (i == 0 || a.owners[i - 1].first_s <= a.owners[i].first_s));
        OK(scene_pointers(jumping, TYPE_A, rdata, &a, &why));
        OK(scene_pointers(step_by_step, TYPE_A, rdata, &b, &why));
        assert_true(a.count == b.count && a.n == b.n && a.count == (known < SCENE_COUNTED ? known : SCENE_COUNTED));
        scene_destroy(&step_by_step);
    }
    scene_at(jumping, T, &network);
    OK(scene_label(jumping, "nobodys", &a, &why));
    assert_int_equal(a.count, 0);
    assert_int_equal(scene_label(jumping, "two.labels", &a, &why), E_USAGE);
    uint32_t first;
    OK(scene_first(jumping, stored_key("n1200.example"), true, &first, &why));
    assert_int_equal(first, (uint64_t)T * 3600);
    OK(scene_first(jumping, stored_key("n1100.example"), true, &first, &why)); /* two hours later */
    assert_int_equal(first, 0);
    scene_destroy(&jumping);
    store_close(&store);
    suffix_destroy(&suffixes);
}

/* ---- the census ---- */

enum { CENSUS_NAMES = 60, CENSUS_HOURS = 20 * 24 };

static void make_network(void)
{
    unsigned seed = 7;
    stored_new();
    for (unsigned name = 0; name < CENSUS_NAMES; name++)
        for (uint32_t hour = name * 7; hour < CENSUS_HOURS; hour += 1 + (seed >> 16) % (name % 5 == 0 ? 90 : 9)) {
            char text[64];
            seed = seed * 1103515245 + 12345;
            snprintf(text, sizeof text, name % 20 == 19 ? "n%u.lan" : "n%u.example", name);
            stored_ask(KIND_DOMAIN, name == 13 ? "." : text, T + hour, 1 + seed % 5, name % 6 == 0 ? ACTIVITY_NX_DOMAIN : ACTIVITY_NOERROR,
                       seed % 100, 1 + name % 12, seed >> 20);
        }
}

static uint64_t census_of(const struct census *c, uint32_t step)
{
    struct network n = census_network(c, step);
    const struct census_step *s = &c->steps[step - c->from];
    uint64_t h = number(number(number(number(3, s->messages), s->names), n.clients), n.n_popular);
    h = mix(h, s->screened, sizeof s->screened);
    for (size_t i = n.n_hours > WINDOW_STEPS ? n.n_hours - WINDOW_STEPS : 0; i < n.n_hours; i++)
        if (n.hours[i].hour >= T)
            h = number(number(number(h, n.hours[i].hour), n.hours[i].domains), n.hours[i].queries);
    for (size_t i = 0; i < n.n_popular; i++)
        h = mix(h, n.popular[i].name, strlen(n.popular[i].name));
    return h;
}

/* In chunks of so many periods, from file to file; what each step sees. */
static uint64_t walk_chunks(struct store *store, const struct suffix_list *suffixes, uint32_t periods, uint64_t seen[CENSUS_HOURS])
{
    struct profiles_reader *before = NULL;
    struct profiles_writer *after;
    uint64_t digest = 0;
    for (uint32_t from = T; from < T + CENSUS_HOURS; from += periods * PERIOD_STEPS) {
        uint32_t to = from + periods * PERIOD_STEPS - 1 < T + CENSUS_HOURS - 1 ? from + periods * PERIOD_STEPS - 1 : T + CENSUS_HOURS - 1;
        struct census c;
        char path[200];
        OK(profiles_create(&after, scratch_path(from / periods % 2 ? "one" : "two"), to + 1, T, &why));
        OK(census_take(&c, store, suffixes, from, to, T, NULL, 0, before, after, &why));
        for (uint32_t step = from; step <= to; step++)
            seen[step - T] = census_of(&c, step);
        OK(profiles_finish(&after, c.hours, c.n_hours, &digest, &why));
        profiles_close(&before);
        snprintf(path, sizeof path, "%s", scratch_path(from / periods % 2 ? "one" : "two"));
        OK(profiles_open(&before, path, digest, &why));
        census_release(&c);
    }
    uint64_t h = 4;
    struct slice owner;
    struct profile p;
    for (;;) {
        OK(profiles_next(before, &owner, &p, &why));
        if (owner.ptr == NULL)
            break;
        struct buffer b;
        buffer_init(&b, PROFILE_VALUE_MAX);
        profile_put(&p, &b);
        h = mix(mix(h, owner.ptr, owner.len), b.ptr, b.len);
        buffer_release(&b);
    }
    profiles_close(&before);
    return h;
}

static void chunks_are_the_whole(void **state)
{
    static uint64_t whole[CENSUS_HOURS], cut[CENSUS_HOURS];
    static const uint32_t periods[] = { 1, 3, 28 };
    struct suffix_list *suffixes = stored_suffixes();
    (void)state;
    make_network();
    struct store *store = stored_open();
    uint32_t first = 0;
    OK(census_first(store, &first, &why));
    assert_int_equal(first, T);
    uint64_t profiles = walk_chunks(store, suffixes, CENSUS_HOURS / PERIOD_STEPS, whole);
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        assert_true(walk_chunks(store, suffixes, periods[i], cut) == profiles);
        for (uint32_t hour = 0; hour < CENSUS_HOURS; hour++)
            if (whole[hour] != cut[hour])
                fail_msg("chunks of %u periods: hour %u", periods[i], hour);
    }
    store_close(&store);
    suffix_destroy(&suffixes);
}

static void who_is_wanted_is_a_candidate(void **state)
{
    struct suffix_list *suffixes = stored_suffixes();
    struct census c;
    (void)state;
    stored_new();
    for (unsigned hour = 0; hour < 48; hour++) {
        stored_ask(KIND_DOMAIN, "old.example", T + hour, 3, ACTIVITY_NOERROR, 1, 2, 0);
        stored_ask(KIND_DOMAIN, "other.example", T + hour, 3, ACTIVITY_NOERROR, 1, 2, 0);
        stored_ask(KIND_DOMAIN, "gone.example", T + hour, 3, ACTIVITY_NX_DOMAIN, 1, 2, 0);
    }
    struct store *store = stored_open();
    struct wanted wanted[] = { { stored_key("absent.example"), T, T + 9 }, { stored_key("old.example"), T + 20, T + 30 },
                               { stored_key("other.example"), T + 100, UINT32_MAX } };
    OK(census_take(&c, store, suffixes, T, T + 47, T, wanted, 3, NULL, NULL, &why));
    assert_int_equal(c.n_candidates, 2); /* gone, old; other is wanted later */
    assert_int_equal(slice_compare(c.candidates[1].owner, stored_key("old.example")), 0);
    assert_true(c.candidates[1].wanted_from == T + 20 && c.candidates[1].wanted_until == T + 30);
    assert_true(c.candidates[0].wanted_from > c.candidates[0].wanted_until);
    assert_true(c.steps[9].names == 3 && c.steps[9].messages == 18 && c.steps[9].screened[SCREEN_CANDIDATE] == 1);
    assert_int_equal(c.steps[0].screened[SCREEN_LITTLE], 3);
    census_release(&c);
    uint32_t empty;
    OK(census_empty(store, T + 10, &empty, &why));
    assert_int_equal(empty, 0);
    OK(census_empty(store, T + 48, &empty, &why));
    assert_int_equal(empty, UINT32_MAX);
    store_close(&store);
    suffix_destroy(&suffixes);
}

static const struct figures_host *figures_of(const struct figures *f, const char *host)
{
    for (unsigned i = 0; i < f->n_hosts; i++)
        if (slice_compare(f->hosts[i].owner, stored_key(host)) == 0)
            return &f->hosts[i];
    return NULL;
}

/* The domain's own name is known from answers about others before anybody asks for it: then it comes into view in front of hosts that were
 * there already, each of which keeps its own figures. */
static void figures_are_of_their_hosts(void **state)
{
    struct suffix_list *suffixes = stored_suffixes();
    struct census c;
    struct inspection found;
    (void)state;
    stored_new();
    stored_name("gone.example", "gone.example", (uint64_t)T * 3600);
    for (unsigned hour = 0; hour < 60; hour++) {
        stored_ask(KIND_DOMAIN, "gone.example", T + hour, 9, ACTIVITY_NX_DOMAIN, 1, 4, 0);
        stored_ask(KIND_HOST, "a.gone.example", T + hour, 2, ACTIVITY_NX_DOMAIN, 1, 4, 0);
        if (hour >= 3)
            stored_ask(KIND_HOST, "b.gone.example", T + hour, 3, ACTIVITY_NX_DOMAIN, 1, 4, 0);
        if (hour >= 40)
            stored_ask(KIND_HOST, "gone.example", T + hour, 4, ACTIVITY_NX_DOMAIN, 1, 4, 0);
    }
    struct store *store = stored_open();
    OK(census_take(&c, store, suffixes, T, T + 59, T, NULL, 0, NULL, NULL, &why));
    OK(inspection_run(&found, &c, store, suffixes, 1, NULL, &why));
    bool told = false;
    for (size_t i = 0; i < found.n_panels; i++) {
        const struct figures *f = found.panels[i].n == 1 ? found.panels[i].figures[0] : NULL;
        if (f == NULL || f->last_asked < T + 53)
            continue;
        told = true;
        assert_int_equal(f->n_hosts, 3);
        assert_true(figures_of(f, "a.gone.example")->first == T && figures_of(f, "a.gone.example")->queries == 2 * (f->last_asked + 1 - T));
        assert_true(figures_of(f, "b.gone.example")->first == T + 3 && figures_of(f, "b.gone.example")->queries == 3 * (f->last_asked - T - 2));
        assert_true(figures_of(f, "gone.example")->first == T && figures_of(f, "gone.example")->queries == 4 * (f->last_asked - T - 39));
    }
    assert_true(told);
    inspection_release(&found);
    census_release(&c);
    store_close(&store);
    suffix_destroy(&suffixes);
}

static void no_activity(void **state)
{
    uint32_t first;
    (void)state;
    stored_new();
    struct store *store = stored_open();
    assert_int_equal(census_first(store, &first, &why), E_ABSENT);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_knows_nothing_later), cmocka_unit_test(hours_clients_and_limits), cmocka_unit_test(a_scene_knows_nothing_later),
        cmocka_unit_test(chunks_are_the_whole),       cmocka_unit_test(who_is_wanted_is_a_candidate), cmocka_unit_test(figures_are_of_their_hosts),
        cmocka_unit_test(no_activity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
