/* count_messages: FILE... -> packets, messages, queries, responses and what was set
 * aside, one line a file. For comparing with other decoders by hand. */
#include "input/source.h"

#include <inttypes.h>
#include <stdio.h>

struct counts {
    uint64_t packets, messages, queries, responses, truncated;
    struct tally tally;
};

static void count_batch(const struct message_batch *batch, struct counts *c)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct message *m = &batch->messages[i];
        c->messages++;
        c->truncated += m->truncated;
        if (m->wire_len > 2)
            *(m->wire[2] & 0x80 ? &c->responses : &c->queries) += 1;
    }
}

static int count_file(const char *path, const struct input_options *options, struct counts *c,
                      struct fault *why)
{
    struct source *source = NULL;
    struct message_batch batch;
    struct transport *transport = transport_create(options);
    int rc = transport ? message_batch_init(&batch, 4096) : E_NOMEM;
    if (rc < 0)
        return rc;
    rc = source_open(&source, path, options, transport, why);
    for (bool more = true; rc == 0 && more;) {
        rc = source_read(source, &batch, &c->tally, &more, why);
        count_batch(&batch, c);
        message_batch_clear(&batch);
    }
    if (source) {
        c->packets = source_packets(source);
        if (source_damage(source))
            printf("# %s\n", source_damage(source));
    }
    source_close(&source);
    message_batch_release(&batch);
    transport_destroy(&transport);
    return rc;
}

int main(int argc, char **argv)
{
    int failed = 0;
    const struct input_options options = { .keep_multicast = true };
    for (int i = 1; i < argc; i++) {
        struct counts c = { 0 };
        struct fault why = { 0 };
        if (count_file(argv[i], &options, &c, &why) < 0) {
            fprintf(stderr, "%s\n", why.text);
            failed = 1;
            continue;
        }
        const char *name = argv[i];
        for (const char *p = name; *p; p++)
            name = *p == '/' ? p + 1 : name;
        printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, name, c.packets, c.messages,
               c.queries, c.responses);
        printf("\ttruncated=%" PRIu64, c.truncated);
        for (int k = 0; k < TALLY_CAUSES; k++)
            if (c.tally.n[k])
                printf(" %s=%" PRIu64, tally_text((enum tally_cause)k), c.tally.n[k]);
        printf("\n");
    }
    return failed;
}
