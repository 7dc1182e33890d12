/* Every file under $DNSMON_SHARED/data/logs through whichever log reader takes it: no
 * crash, and the counts to look at. Skipped with a message where there is no such folder. */
#include "harness.h"

#include "input/dnstap.h"
#include "input/reader.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static const struct reader_ops *const readers[] = { &reader_dnstap, &reader_zeek, &reader_eve,
                                                    &reader_sensor };

static const struct reader_ops *probe(struct stream *stream, const char *path)
{
    size_t have;
    const uint8_t *head = stream_peek(stream, READER_PROBE, &have);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (readers[i]->probe(head, have < READER_PROBE ? have : READER_PROBE, path))
            return readers[i];
    return NULL;
}

static void read_all(struct harness *h, const struct reader_ops *ops, struct stream *stream,
                     const char *name)
{
    char damage[READER_DAMAGE] = "";
    struct fault why;
    void *reader;
    bool more = true;
    uint64_t packets = 0, messages = 0;
    assert_int_equal(ops->open(&reader, stream, &h->options, NULL, &why), 0);
    for (harness_clear(h); more; message_batch_clear(&h->batch)) {
        assert_int_equal(ops->read(reader, stream, &h->batch, &h->tally, &packets, &more, damage,
                                   &why), 0);
        if (getenv("DNSMON_VERBOSE"))
            for (uint32_t i = 0; i < h->batch.count; i++) {
                struct harness one = { .batch = { .messages = &h->batch.messages[i], .count = 1 } };
                if (ops != &reader_dnstap && ops != &reader_sensor)
                    print_message("#   %s\n", harness_text(&one));
            }
        messages += h->batch.count;
    }
    ops->close(reader);
    print_message("# %s: %s, %llu records, %llu messages; %s %s\n", name, ops->name,
                  (unsigned long long)packets, (unsigned long long)messages, harness_counts(h), damage);
}

/* Whole files as single frames: some are dnstap without framing. */
static void as_one_frame(struct harness *h, struct stream *stream, const char *name)
{
    size_t have;
    const uint8_t *p = stream_peek(stream, STREAM_PEEK_MAX, &have);
    harness_clear(h);
    assert_int_equal(dnstap_event((struct slice){ p, have }, &h->sink), 0);
    print_message("# %s: unframed, %u messages; %s\n", name, h->batch.count, harness_counts(h));
}

static void read_folder(struct harness *h, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct fault why;
        struct stream *stream;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && entries[i]->d_type == DT_DIR) {
            read_folder(h, path);
        } else if (entries[i]->d_type == DT_REG && stream_open(&stream, path, &why) == 0) {
            const struct reader_ops *ops = probe(stream, path);
            if (ops)
                read_all(h, ops, stream, entries[i]->d_name);
            else if (strstr(path, ".dnstap"))
                as_one_frame(h, stream, entries[i]->d_name);
            stream_close(&stream);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static char folder[3000];

static bool find_folder(void)
{
    const char *shared = getenv("DNSMON_SHARED");
    if (shared == NULL)
        shared = getenv("DNSMON_SHARED_DEFAULT");
    snprintf(folder, sizeof folder, "%.2000s/data/logs", shared ? shared : "../shared");
    return access(folder, R_OK) == 0;
}

static void test_corpus(void **state)
{
    (void)state;
    static struct harness h;
    harness_init(&h);
    read_folder(&h, folder);
    harness_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };
    if (!find_folder()) {
        printf("1..0 # SKIP no %s\n", folder); /* of TAP: the whole program */
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
