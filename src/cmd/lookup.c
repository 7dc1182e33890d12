/* lookup: queries in, records out. One query from the command line, or a batch of them. */
#include "cmd/answer.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/pick.h"
#include "cmd/present.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon lookup [OPTION...] rrset NAME [TYPE]\n"
    "       dnsmon lookup [OPTION...] rdata NAME|ADDRESS|raw:HEX [TYPE]\n"
    "       dnsmon lookup [OPTION...] --batch FILE|-\n"
    "\n"
    "rrset: what did NAME answer?\n"
    "  www.example.com     this name\n"
    "  *.example.com       names below example.com, not itself (\\*.example.com: the wildcard's own name)\n"
    "  www.example.*       names that begin with these labels\n"
    "rdata: who answered this?\n"
    "  192.0.2.1           also 2001:db8::1, 192.0.2.0/24, 192.0.2.1-192.0.2.9: in A, AAAA, and in\n"
    "                      the address hints of HTTPS and SVCB\n"
    "  mail.example.com    names in NS, CNAME, PTR, MX, SRV, SOA, HTTPS, SVCB and older types\n"
    "  *.example.com       names below example.com in those\n"
    "  raw:C0000201        the data itself, in hexadecimal; faster with TYPE\n"
    "TYPE: A, AAAA, ... TYPE65280; ANY is every record and the default. NXDOMAIN, NODATA and\n"
    "COLLAPSED (records folded to keep floods small) are what is known of names instead.\n"
    "\n"
    "  --after TIME        seen at or after: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --before TIME       seen at or before\n"
    "  --strict            wholly inside --after and --before, not only partly\n"
    "  --negative          also NXDOMAIN and NODATA\n"
    "  --out-of-bailiwick  also records that the answering zone has no say over\n"
    "  --limit N           at most N records (10000; 0 = all)\n"
    "  --offset N          pass over the first N\n"
    "  --sort ORDER        first, last, count or name; otherwise as stored\n"
    "  --reverse           largest first\n"
    "  --batch FILE        a query a line (rrset NAME [TYPE]); '--' ends each answer,\n"
    "                      with --json {\"query\":...,\"results\":N}\n"
    "  --raw               WHAT of rdata is hexadecimal, with or without raw:\n"
    "  --verbose           JSON: also counts by side, sections, sensors\n"
    "  --table             columns, the default on a terminal; otherwise JSON lines\n"
    OPTIONS_COMMON_HELP;

enum {
    OWN_AFTER = OPTION_OWN, OWN_BEFORE, OWN_STRICT, OWN_NEGATIVE, OWN_OUTSIDE, OWN_LIMIT, OWN_OFFSET,
    OWN_SORT, OWN_REVERSE, OWN_BATCH, OWN_RAW, OWN_VERBOSE, OWN_TABLE,
};

static const struct option longs[] = {
    { "after", required_argument, NULL, OWN_AFTER },
    { "before", required_argument, NULL, OWN_BEFORE },
    { "strict", no_argument, NULL, OWN_STRICT },
    { "negative", no_argument, NULL, OWN_NEGATIVE },
    { "out-of-bailiwick", no_argument, NULL, OWN_OUTSIDE },
    { "limit", required_argument, NULL, OWN_LIMIT },
    { "offset", required_argument, NULL, OWN_OFFSET },
    { "sort", required_argument, NULL, OWN_SORT },
    { "reverse", no_argument, NULL, OWN_REVERSE },
    { "batch", required_argument, NULL, OWN_BATCH },
    { "raw", no_argument, NULL, OWN_RAW },
    { "verbose", no_argument, NULL, OWN_VERBOSE },
    { "table", no_argument, NULL, OWN_TABLE },
    OPTIONS_COMMON,
};

enum { WORDS_MAX = 4, LINE_MAX_BYTES = 16384 };

struct lookup {
    struct options options;
    struct answer_fence fence;
    unsigned extra; /* enum query_want */
    uint64_t limit, offset;
    enum pick_order order;
    bool reverse, raw, table;
    const char *batch;

    struct store *store;
    struct query query;
    struct present present;

    /* of the query that runs */
    struct pick pick;
    uint64_t matched;
    uint64_t printed;
};

static void set_sort(struct lookup *l)
{
    static const struct {
        const char *name;
        enum pick_order order;
    } orders[] = { { "first", PICK_FIRST }, { "last", PICK_LAST }, { "count", PICK_COUNT }, { "name", PICK_NAME } };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (strcmp(optarg, orders[i].name) == 0) {
            l->order = orders[i].order;
            return;
        }
    options_wrong(&l->options, "--sort: '%s' is none of first, last, count, name", optarg);
}

static void set_option(struct lookup *l, int c)
{
    struct options *o = &l->options;
    switch (c) {
    case OWN_AFTER: options_time(o, "after", &l->fence.after); break;
    case OWN_BEFORE: options_time(o, "before", &l->fence.before); break;
    case OWN_STRICT: l->fence.strict = true; break;
    case OWN_NEGATIVE: l->extra |= WANT_NXDOMAIN | WANT_NODATA; break;
    case OWN_OUTSIDE: l->extra |= WANT_OUTSIDE; break;
    case OWN_LIMIT: options_count(o, "limit", &l->limit); break;
    case OWN_OFFSET: options_count(o, "offset", &l->offset); break;
    case OWN_SORT: set_sort(l); break;
    case OWN_REVERSE: l->reverse = true; break;
    case OWN_BATCH: l->batch = optarg; break;
    case OWN_RAW: l->raw = true; break;
    case OWN_VERBOSE: l->present.verbose = true; break;
    case OWN_TABLE: l->table = true; break;
    }
}

/* ---- one query ---- */

static int print_streamed(void *ctx, const struct rr_key *key, const struct rr_value *value)
{
    struct lookup *l = ctx;
    l->matched++;
    if (l->matched <= l->offset)
        return E_OK;
    if (l->limit != 0 && l->printed == l->limit)
        return ANSWER_STOP;
    present_record(&l->present, key, value);
    l->printed++;
    return l->present.write_errno ? ANSWER_STOP : E_OK;
}

static int collect(void *ctx, const struct rr_key *key, const struct rr_value *value)
{
    struct lookup *l = ctx;
    l->matched++;
    return pick_offer(&l->pick, key, value);
}

static void print_picked(struct lookup *l)
{
    pick_sort(&l->pick);
    for (size_t i = l->offset; i < l->pick.n && l->present.write_errno == 0; i++) {
        struct rr_key key;
        struct rr_value value;
        pick_get(&l->pick, i, &key, &value);
        present_record(&l->present, &key, &value);
        l->printed++;
    }
}

static int run_sorted(struct lookup *l, struct fault *why)
{
    uint64_t room;
    if (l->limit == 0 || __builtin_add_overflow(l->limit, l->offset, &room))
        room = SIZE_MAX;
    pick_init(&l->pick, l->order, l->reverse, room, l->options.settings.memory);
    int rc = answer_run(l->store, &l->query, &l->fence, collect, l, why);
    if (rc == E_LIMIT)
        fault_set(why, rc, "the records to sort do not fit in %" PRIu64 " bytes; use --limit",
                  l->options.settings.memory);
    else if (rc == E_NOMEM)
        fault_set(why, rc, "out of memory");
    if (rc == 0)
        print_picked(l);
    pick_release(&l->pick);
    return rc;
}

static int run_query(struct lookup *l, struct fault *why)
{
    l->matched = l->printed = 0;
    int rc = l->order == PICK_KEY_ORDER ? answer_run(l->store, &l->query, &l->fence, print_streamed, l, why)
                                        : run_sorted(l, why);
    if (rc == 0 && l->limit != 0 && l->matched > l->offset + l->printed)
        command_say("more than %" PRIu64 " records; raise --limit (0 = all) or use --offset", l->limit);
    return rc;
}

/* ---- nothing found ---- */

static int stop_at_first(void *ctx, const struct rr_key *key, const struct rr_value *value)
{
    (void)key;
    (void)value;
    *(bool *)ctx = true;
    return ANSWER_STOP;
}

/* Has the query in l->query an answer at any time? */
static bool any_ever(struct lookup *l)
{
    const struct answer_fence always = { 0 };
    struct fault why = { 0 };
    bool found = false;
    return answer_run(l->store, &l->query, &always, stop_at_first, &found, &why) == 0 && found;
}

static bool any_of(struct lookup *l, char *name, char *type)
{
    char rrset[] = "rrset", *words[] = { rrset, name, type };
    struct fault why = { 0 };
    return query_parse(&l->query, words, type ? 3 : 2, 0, &why) == 0 && any_ever(l);
}

/* What is there instead, for people. */
static void note_nothing(struct lookup *l, char *const *words, size_t n)
{
    char below[NAME_TEXT_MAX + 2], nxdomain[] = "NXDOMAIN", nodata[] = "NODATA", *name = words[1];
    if ((l->fence.after || l->fence.before) && any_ever(l))
        command_say("no records in this time, but there are at other times");
    else if (strcmp(words[0], "rrset") != 0 || strchr(name, '*') != NULL)
        command_say("no records");
    else if (any_of(l, name, nxdomain))
        command_say("no records: this name was answered NXDOMAIN (--negative)");
    else if (n > 2 && any_of(l, name, NULL))
        command_say("no records of this type, but of others");
    else if (any_of(l, name, nodata))
        command_say("no records: this name was answered NODATA (--negative)");
    else if (snprintf(below, sizeof below, "*.%s", name) < (int)sizeof below && any_of(l, below, NULL))
        command_say("no records of this name, but of names below it (*.%s)", name);
    else
        command_say("no records");
}

/* ---- words of a query ---- */

static int parse_words(struct lookup *l, char **words, size_t n, struct fault *why)
{
    char raw[LINE_MAX_BYTES];
    if (!l->raw || n < 2 || strcmp(words[0], "rdata") != 0 || strncmp(words[1], "raw:", 4) == 0)
        return query_parse(&l->query, words, n, l->extra, why);
    char *with[3] = { words[0], raw, n > 2 ? words[2] : NULL };
    snprintf(raw, sizeof raw, "raw:%s", words[1]);
    return query_parse(&l->query, with, n, l->extra, why);
}

static int run_single(struct lookup *l, char **words, size_t n, struct fault *why)
{
    int rc = parse_words(l, words, n, why);
    if (rc == 0)
        rc = run_query(l, why);
    if (rc == 0)
        rc = present_flush(&l->present, why);
    if (rc == 0 && l->matched == 0 && isatty(STDERR_FILENO))
        note_nothing(l, words, n);
    return rc;
}

/* ---- batch ---- */

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t n = 0;
    char *rest = line;
    for (char *word; n < WORDS_MAX && (word = strtok_r(n ? NULL : line, " \t\r\n", &rest)) != NULL;)
        words[n++] = word;
    return n;
}

static void end_of_answer(struct lookup *l, char **words, size_t n, const char *wrong)
{
    struct buffer *to = &l->present.out;
    if (!l->options.json) {
        present_text(&l->present, "--\n");
        return;
    }
    char text[LINE_MAX_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "", words[i]);
    present_text(&l->present, "{\"query\":");
    present_json_string(to, text, len);
    present_text(&l->present, ",\"results\":");
    present_number(to, l->printed);
    if (wrong != NULL) {
        present_text(&l->present, ",\"error\":");
        present_json_string(to, wrong, strlen(wrong));
    }
    present_text(&l->present, "}\n");
}

/* A wrong line is reported and answered by its end alone; the batch goes on. */
static int batch_line(struct lookup *l, char *line, uint64_t number, bool *any_wrong, struct fault *why)
{
    char *words[WORDS_MAX];
    size_t n = split(line, words);
    if (n == 0 || words[0][0] == '#')
        return E_OK;
    l->printed = 0;
    int rc = parse_words(l, words, n, why);
    if (rc == E_USAGE) {
        command_say("line %" PRIu64 ": %s", number, why->text);
        *any_wrong = true;
        end_of_answer(l, words, n, why->text);
        return E_OK;
    }
    if (rc == 0)
        rc = run_query(l, why);
    if (rc == 0)
        end_of_answer(l, words, n, NULL);
    return rc;
}

static int batch_lines(struct lookup *l, FILE *file, struct fault *why)
{
    char line[LINE_MAX_BYTES];
    bool any_wrong = false, live = isatty(fileno(file)) || fileno(file) == STDIN_FILENO;
    int rc = E_OK;
    for (uint64_t number = 1; rc == 0 && fgets(line, sizeof line, file) != NULL; number++) {
        if (strchr(line, '\n') == NULL && !feof(file))
            return fault_set(why, E_USAGE, "line %" PRIu64 " is too long", number);
        rc = batch_line(l, line, number, &any_wrong, why);
        if (rc == 0 && (live || l->present.write_errno))
            rc = present_flush(&l->present, why);
    }
    if (rc == 0 && ferror(file))
        rc = fault_errno(why, errno, "%s", l->batch);
    if (rc == 0)
        rc = present_flush(&l->present, why);
    if (rc == 0 && any_wrong)
        rc = fault_set(why, E_USAGE, "some lines were not queries");
    return rc;
}

static int run_batch(struct lookup *l, struct fault *why)
{
    if (strcmp(l->batch, "-") == 0)
        return batch_lines(l, stdin, why);
    FILE *file = fopen(l->batch, "re");
    if (file == NULL)
        return fault_errno(why, errno, "%s", l->batch);
    int rc = batch_lines(l, file, why);
    fclose(file);
    return rc;
}

/* ---- the command ---- */

static int run(struct lookup *l, int n, char **words, struct fault *why)
{
    /* Words first: a wrong query is wrong usage, whatever the database. */
    int rc = l->batch ? E_OK : parse_words(l, words, (size_t)n, why);
    if (rc == 0)
        rc = options_open_store(&l->options, STORE_READ, &l->store, why);
    if (rc != 0)
        return rc;
    for (uint8_t bit = 1; bit < PRESENT_SENSORS; bit++)
        l->present.sensors[bit] = store_sensor_name(l->store, bit);
    rc = l->batch ? run_batch(l, why) : run_single(l, words, (size_t)n, why);
    store_close(&l->store);
    return rc;
}

static void take_options(struct lookup *l, int argc, char **argv)
{
    struct options *o = &l->options;
    int c;
    options_start(o, usage, longs, argc, argv);
    while ((c = options_next(o)) > 0)
        set_option(l, c);
    if (o->exit < 0 && l->batch != NULL && optind < argc)
        options_wrong(o, "--batch takes its queries from the file, not from the command line");
    if (o->exit < 0 && l->batch == NULL && argc - optind < 2)
        options_wrong(o, "rrset NAME [TYPE] or rdata NAME|ADDRESS|raw:HEX [TYPE] is missing");
    if (o->exit < 0 && l->reverse && l->order == PICK_KEY_ORDER)
        l->order = PICK_NAME;
    if (l->table || (!o->json && isatty(STDOUT_FILENO)))
        l->present.style = PRESENT_TABLE;
}

int cmd_lookup(int argc, char **argv)
{
    static struct lookup l;
    struct fault why = { 0 };
    l.limit = 10000;
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&l, argc, argv);
    if (l.options.exit < 0) {
        query_init(&l.query);
        if (run(&l, argc - optind, argv + optind, &why) != 0)
            l.options.exit = command_fail(&why);
        query_release(&l.query);
    }
    present_release(&l.present);
    return options_end(&l.options);
}
