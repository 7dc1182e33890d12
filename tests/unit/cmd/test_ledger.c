/* Sources that are given again, grow, are copied and go on otherwise: from where they are read, and what is noted. */
#include "cmd/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "input/source.h"
#include "scratch.h"

enum { SIZE = 10000, SPLIT = 6000 };

/* Stream A, and stream B that is the same up to SPLIT. */
static const uint8_t *stream(char which)
{
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)('a' + i * i % 23 + (which == 'B' && i >= SPLIT));
    return bytes;
}

static const struct visit {
    char stream;
    size_t len;     /* of the file that is given */
    uint64_t begin; /* where it is read from */
    uint64_t from;  /* of its move, if it is read at all */
    bool keep;
} visits[] = {
    { 'A', 5000, 0, 0, false },
    { 'A', 5000, 5000, 0, false },
    { 'A', 7000, 5000, 5000, true },
    { 'A', 5000, 5000, 0, false }, /* a copy made before it grew */
    { 'A', 7000, 7000, 0, false },
    { 'B', 6500, 5000, 0, false }, /* that copy went on otherwise: a source of its own */
    { 'B', 6500, 6500, 0, false },
    { 'A', 3000, 0, 0, false },    /* no run ended there, and none begins so */
    { 'A', 3000, 3000, 0, false },
    { 'A', 9000, 7000, 7000, true },
    { 'B', 9000, 6500, 6500, true },
    { 'A', 9000, 9000, 0, false },
};
enum { VISITS = sizeof visits / sizeof visits[0] };

static struct store *open_store(const char *name)
{
    struct store_options options = { 0 };
    struct store *store;
    struct fault why;
    assert_int_equal(store_open(&store, scratch_path(name), STORE_WRITE, &options, &why), 0);
    return store;
}

static struct ledger *open_ledger(const struct store *store, const char *id)
{
    struct ledger *ledger;
    struct fault why;
    assert_int_equal(ledger_create(&ledger, store, id, &why), 0);
    return ledger;
}

static struct source *open_source(char which, size_t len, struct transport *transport)
{
    struct input_options options = { .format = "sensor" };
    const char *path = scratch_file("source", stream(which), len);
    struct source *source;
    struct fault why;
    assert_int_equal(source_open(&source, path, &options, transport, &why), 0);
    return source;
}

static uint64_t begin(struct ledger *ledger, struct source *source, enum ledger_identity identity)
{
    uint64_t offset;
    struct fault why;
    assert_int_equal(ledger_begin(ledger, source, identity, &offset, &why), 0);
    return offset;
}

/* Reads up to there, which is noted. */
static void read_to(struct ledger *ledger, struct source *source, uint64_t offset)
{
    assert_int_equal(source_skip(source, offset, NULL), 0);
    assert_int_equal(ledger_note(ledger, source, "folder/name"), 0);
}

static void commit(struct ledger *ledger, struct store *store)
{
    struct store_change change = { 0 };
    struct store_move *moves;
    struct fault why;
    ledger_take(ledger, &moves, &change.n_moves);
    change.moves = moves;
    assert_int_equal(store_commit(store, &change, &why), 0);
    free(moves);
}

/* Comparing leaves the file anywhere, so it is opened once more. */
static void visit(struct ledger *ledger, struct store *store, const struct visit *v, struct transport *transport)
{
    struct source *source = open_source(v->stream, v->len, transport);
    assert_int_equal(begin(ledger, source, LEDGER_BY_CONTENT), v->begin);
    source_close(&source);
    source = open_source(v->stream, v->len, transport);
    uint64_t halfway = v->begin + (v->len - v->begin) / 2;
    read_to(ledger, source, halfway);
    read_to(ledger, source, v->len);
    source_close(&source);

    struct store_move *moves;
    size_t n;
    ledger_take(ledger, &moves, &n);
    assert_int_equal(n, v->begin < v->len ? 2 : 0);
    if (n > 0) {
        assert_int_equal(moves[0].from.offset, v->from);
        assert_int_equal(moves[0].keep, v->keep);
        assert_string_equal(moves[0].source.name, "name");
        assert_memory_equal(&moves[1].from, &moves[0].source.at, sizeof moves[1].from);
        assert_false(moves[1].keep);
        assert_int_equal(moves[1].source.at.offset, v->len);
    }
    struct store_change change = { .moves = moves, .n_moves = n };
    struct fault why;
    assert_int_equal(store_commit(store, &change, &why), 0);
    free(moves);
}

/* In one run, and in a run each: what the ledger moved is what the manifest says afterwards. */
static void test_visits(void **state)
{
    (void)state;
    for (int each = 0; each < 2; each++) {
        struct input_options options = { 0 };
        struct transport *transport = transport_create(&options);
        struct store *store = open_store(each ? "each" : "one");
        struct ledger *ledger = open_ledger(store, NULL);
        for (size_t i = 0; i < VISITS; i++) {
            visit(ledger, store, &visits[i], transport);
            if (each) {
                ledger_destroy(&ledger);
                ledger = open_ledger(store, NULL);
            }
        }
        ledger_destroy(&ledger);
        store_close(&store);
        transport_destroy(&transport);
    }
}

/* Standard input is known by its id whatever comes, or not at all; and files are not known by it. */
static void test_identities(void **state)
{
    (void)state;
    struct input_options options = { 0 };
    struct transport *transport = transport_create(&options);
    struct store *store = open_store("identities");
    static const struct {
        const char *id;
        enum ledger_identity identity;
        char stream;
        uint64_t begin, end;
    } rows[] = {
        { "tap", LEDGER_BY_ID, 'A', 0, 8000 },
        { "tap", LEDGER_BY_ID, 'B', 8000, 9000 },
        { "other", LEDGER_BY_ID, 'A', 0, 9000 },
        { "tap", LEDGER_BY_CONTENT, 'A', 0, 7000 },
        { NULL, LEDGER_NEVER, 'A', 0, 7000 },
        { NULL, LEDGER_BY_CONTENT, 'A', 7000, 7000 },
        { "tap", LEDGER_BY_ID, 'A', 9000, 9000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ledger *ledger = open_ledger(store, rows[i].id);
        struct source *source = open_source(rows[i].stream, SIZE, transport);
        assert_int_equal(begin(ledger, source, rows[i].identity), rows[i].begin);
        read_to(ledger, source, rows[i].end);
        commit(ledger, store);
        source_close(&source);
        ledger_destroy(&ledger);
    }
    const struct store_source *sources;
    assert_int_equal(store_sources(store, &sources), 3);
    assert_string_equal(sources[0].id, "tap");
    assert_int_equal(sources[0].at.offset, 9000);
    store_close(&store);
    transport_destroy(&transport);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_visits), cmocka_unit_test(test_identities) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
