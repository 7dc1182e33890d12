/* flip: turns one bit of each byte of a database over, in place, and looks what comes of it.
 *
 *     flip DATABASE [STEP]
 *
 * With a bit turned, fsck must name the file and no offset behind the byte, and a reader's every
 * answer must be the one that the undamaged files gave, or an error. Asked are all keys of each
 * kind in order, some by their filters, some that are not there, the open state, and all that the
 * manifest says. Then the bit goes back. STEP: only every STEP-th byte, for a sample.
 *
 * Prints the problems and at the end a line of what was tried; exit 1 when there was a problem. A
 * crash leaves its bit turned, so whoever has the original sees which it was.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/store.h"

enum { FILES = 256, PER_KIND = 12, QUESTIONS = KINDS * (1 + 2 * PER_KIND), ANSWER_LIMIT = 64 << 20, PROBLEMS_TOLD = 40 };
enum { WRONG = 1 }; /* beside 0 and the negative codes */

static const char *folder;
static unsigned problems;

static void __attribute__((format(printf, 1, 2))) problem(const char *format, ...)
{
    va_list words;
    if (problems++ >= PROBLEMS_TOLD)
        return;
    va_start(words, format);
    vprintf(format, words);
    va_end(words);
    putchar('\n');
}

static void __attribute__((noreturn)) give_up(const char *what)
{
    fprintf(stderr, "flip: %s\n", what);
    exit(2);
}

/* ---- what is asked ---- */

struct question {
    struct store_range range;
    struct buffer key;    /* range.exact, when that is set */
    struct buffer answer; /* of the undamaged files: keys and values, each behind its length */
};

static struct question questions[QUESTIONS];
static unsigned n_questions;
static struct buffer facts; /* the manifest's, and the open state */

static struct question *question_new(uint8_t kind, struct slice exact)
{
    if (n_questions == QUESTIONS)
        give_up("too many questions");
    struct question *q = &questions[n_questions++];
    buffer_init(&q->key, 65536);
    buffer_init(&q->answer, ANSWER_LIMIT);
    buffer_append(&q->key, exact.ptr, exact.len);
    q->range = (struct store_range){.kind = kind, .exact = {q->key.ptr, q->key.len}};
    return q;
}

static void put(struct buffer *to, struct slice bytes)
{
    buffer_varint(to, bytes.len);
    buffer_append(to, bytes.ptr, bytes.len);
}

/* Does `got` stand at `*at` of what was answered then? */
static bool same_at(const struct buffer *then, size_t *at, struct slice got)
{
    struct cursor c = cursor_over(then->ptr + *at, then->len - *at);
    uint64_t len = cursor_varint(&c);
    if (c.failed || len != got.len || cursor_left(&c) < len || memcmp(c.ptr, got.ptr, len) != 0)
        return false;
    *at = (size_t)(c.ptr + len - then->ptr);
    return true;
}

/* What comes before an error must be right too. */
static int ask(struct store *s, const struct question *q)
{
    struct store_scan *scan;
    struct slice key, value;
    struct fault why;
    size_t at = 0;
    int r = store_scan_open(&scan, s, &q->range, &why);
    if (r < 0)
        return r;
    while ((r = store_scan_next(scan, &key, &value, &why)) == 0 && key.ptr != NULL)
        if (!same_at(&q->answer, &at, key) || !same_at(&q->answer, &at, value)) {
            r = WRONG;
            break;
        }
    store_scan_close(&scan);
    return r == 0 && at < q->answer.len ? WRONG : r;
}

static void ask_first(struct store *s, struct question *q)
{
    struct store_scan *scan;
    struct slice key, value;
    struct fault why;
    if (store_scan_open(&scan, s, &q->range, &why) < 0)
        give_up(why.text);
    for (;;) {
        if (store_scan_next(scan, &key, &value, &why) < 0)
            give_up(why.text);
        if (key.ptr == NULL)
            break;
        put(&q->answer, key);
        put(&q->answer, value);
    }
    store_scan_close(&scan);
    if (q->answer.failed)
        give_up("too much in this database");
}

/* Some of the keys of all, by what their filter has; and as many that are not there. */
static void question_some(struct store *s, const struct question *all)
{
    const struct record_kind *kind = &record_kinds[all->range.kind];
    struct cursor c = cursor_over(all->answer.ptr, all->answer.len);
    unsigned n = 0;
    while (cursor_left(&c) > 0 && n < PER_KIND) {
        size_t lens[KIND_FILTER_KEYS], skip = all->answer.len / PER_KIND * n;
        struct slice key;
        key.len = cursor_varint(&c);
        key.ptr = cursor_take(&c, key.len);
        uint64_t value_len = cursor_varint(&c);
        (void)cursor_take(&c, value_len);
        if (c.failed)
            give_up("its own answer does not parse");
        if (all->answer.len - cursor_left(&c) < skip || kind->filter_keys(key, lens) == 0)
            continue;
        struct question *there = question_new(all->range.kind, (struct slice){key.ptr, lens[0]});
        ask_first(s, there);
        struct question *absent = question_new(all->range.kind, (struct slice){key.ptr, lens[0]});
        absent->key.ptr[0] ^= 0x15;
        ask_first(s, absent);
        n++;
    }
}

static void put_table(struct buffer *to, const struct store_table *t)
{
    const uint64_t numbers[] = {t->id, t->kind, t->tier, t->open, (uint64_t)t->slot, (uint64_t)t->from,
                                (uint64_t)t->to, t->entries, t->bytes, t->filter_bytes, t->trailer_hash};
    put(to, (struct slice){(const uint8_t *)numbers, sizeof numbers});
}

static void put_source(struct buffer *to, const struct store_source *source)
{
    const uint64_t numbers[] = {source->head, source->at.offset, source->at.digest[0], source->at.digest[1]};
    put(to, (struct slice){(const uint8_t *)numbers, sizeof numbers});
    put(to, (struct slice){(const uint8_t *)source->id, strlen(source->id)});
    put(to, (struct slice){(const uint8_t *)source->name, strlen(source->name)});
}

/* All that a reader tells without a scan; an error when the state is damaged. */
static int take_facts(struct store *s, struct buffer *to)
{
    const struct store_table *tables;
    const struct store_source *sources;
    const struct store_former *formers;
    struct fault why;
    const char *totals = store_totals(s);
    buffer_clear(to);
    for (size_t i = 0, n = store_tables(s, &tables); i < n; i++)
        put_table(to, &tables[i]);
    for (size_t i = 0, n = store_sources(s, &sources); i < n; i++)
        put_source(to, &sources[i]);
    for (size_t i = 0, n = store_formers(s, &formers); i < n; i++)
        put(to, (struct slice){(const uint8_t *)&formers[i], sizeof formers[i]});
    for (unsigned bit = 0; bit < 64; bit++)
        put(to, (struct slice){(const uint8_t *)store_sensor_name(s, (uint8_t)bit), strlen(store_sensor_name(s, (uint8_t)bit))});
    put(to, (struct slice){(const uint8_t *)totals, strlen(totals)});
    buffer_varint(to, (uint64_t)store_watermark(s));
    return store_state(s, to, &why);
}

static void learn(void)
{
    struct store *s;
    struct fault why;
    if (store_open(&s, folder, STORE_READ, NULL, &why) < 0)
        give_up(why.text);
    buffer_init(&facts, ANSWER_LIMIT);
    if (take_facts(s, &facts) < 0 || facts.failed)
        give_up("the open state cannot be read");
    for (uint8_t kind = 0; kind < KINDS; kind++) {
        struct question *all = question_new(kind, (struct slice){NULL, 0});
        ask_first(s, all);
        question_some(s, all);
    }
    store_close(&s);
}

/* ---- what a damage does ---- */

struct place {
    const char *name;
    size_t at;
};

static bool look(const struct place *p)
{
    static struct buffer now;
    struct store *s;
    struct fault why;
    unsigned before = problems;
    if (store_open(&s, folder, STORE_READ, NULL, &why) < 0)
        return true;
    if (now.limit == 0)
        buffer_init(&now, ANSWER_LIMIT);
    if (take_facts(s, &now) == 0 && (now.len != facts.len || memcmp(now.ptr, facts.ptr, now.len) != 0))
        problem("%s, byte %zu: the manifest or the state says something else", p->name, p->at);
    for (unsigned i = 0; i < n_questions; i++)
        if (ask(s, &questions[i]) == WRONG)
            problem("%s, byte %zu: a wrong answer to question %u", p->name, p->at, i);
    store_close(&s);
    return problems == before;
}

struct finding {
    struct place place;
    bool named;
};

static void note_damage(void *ctx, const char *line)
{
    struct finding *f = ctx;
    const char *told = strstr(line, f->place.name);
    uint64_t offset;
    if (told == NULL)
        return;
    f->named = true;
    if (sscanf(told + strlen(f->place.name), ": offset %" SCNu64, &offset) == 1 && offset > f->place.at)
        problem("%s, byte %zu: fsck tells a place behind it: %s", f->place.name, f->place.at, line);
}

static void check(const struct place *p)
{
    struct finding f = {.place = *p};
    struct fault why;
    uint64_t damages = 0;
    if (store_fsck(folder, note_damage, &f, &damages, &why) < 0)
        problem("%s, byte %zu: fsck fails: %s", p->name, p->at, why.text);
    else if (damages == 0 || !f.named)
        problem("%s, byte %zu: fsck does not find it", p->name, p->at);
    (void)look(p);
}

static size_t flip_file(const char *name, size_t step)
{
    char path[4096];
    struct stat st;
    size_t tried = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        give_up(path);
    size_t len = (size_t)st.st_size;
    uint8_t *bytes = len ? mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : NULL;
    close(fd);
    if (bytes == MAP_FAILED)
        give_up(path);
    for (size_t at = 0; at < len; at += step, tried++) {
        uint8_t bit = (uint8_t)(1u << hash_mix(at) % 8);
        bytes[at] ^= bit;
        check(&(struct place){name, at});
        bytes[at] ^= bit;
    }
    if (len)
        munmap(bytes, len);
    return tried;
}

static unsigned list_files(char names[FILES][256])
{
    unsigned n = 0;
    DIR *d = opendir(folder);
    if (d == NULL)
        give_up(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') {
            if (n == FILES)
                give_up("too many files");
            snprintf(names[n++], 256, "%s", e->d_name);
        }
    closedir(d);
    return n;
}

int main(int argc, char **argv)
{
    static char names[FILES][256];
    if (argc < 2 || argc > 3)
        give_up("usage: flip DATABASE [STEP]");
    folder = argv[1];
    size_t step = argc > 2 ? strtoul(argv[2], NULL, 10) : 1, tried = 0;
    if (step == 0)
        give_up("STEP begins at 1");
    learn();
    unsigned n = list_files(names);
    for (unsigned i = 0; i < n; i++)
        tried += flip_file(names[i], step);
    if (!look(&(struct place){"none", 0}))
        give_up("the files are not as they were");
    printf("%u files, %zu damages, %u questions each, %u problems\n", n, tried, n_questions, problems);
    return problems != 0;
}
