#include "input/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* In the order in which they are asked: those with a magic number first. */
static const struct reader_ops *const readers[] = {
    &reader_pcap,
    &reader_pcapng,
    &reader_dnstap,
    &reader_zeek,
    &reader_eve,
    &reader_sensor,
};

/* A file without a byte: rotated while nothing happened, or about to be written. */
static int read_nothing(void *state, struct stream *stream, struct message_batch *batch, struct tally *tally,
                        uint64_t *packets, bool *ret_more, char damage[READER_DAMAGE], struct fault *why)
{
    (void)state, (void)stream, (void)batch, (void)tally, (void)packets, (void)damage, (void)why;
    *ret_more = false;
    return 0;
}

static const struct reader_ops reader_empty = { .name = "empty", .read = read_nothing };

struct source {
    struct stream *stream;
    const struct reader_ops *reader;
    void *state;
    struct input_options options;
    uint64_t packets;
    bool ended;
    bool lost; /* bytes went by that the reader had to see */
    char damage[READER_DAMAGE];
};

/* "pcap" selects pcapng too: people say pcap for both. */
static bool format_allows(const char *format, const struct reader_ops *reader)
{
    if (format == NULL || strcmp(format, "auto") == 0)
        return true;
    return strcmp(format, reader->name) == 0 ||
           (strcmp(format, "pcap") == 0 && reader == &reader_pcapng);
}

bool source_knows_format(const char *format)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (format_allows(format, readers[i]))
            return true;
    return false;
}

static const struct reader_ops *pick_reader(const char *format, const uint8_t *head, size_t len,
                                            const char *path)
{
    const struct reader_ops *named = NULL;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!format_allows(format, readers[i]))
            continue;
        if (readers[i]->probe(head, len, path))
            return readers[i];
        if (format != NULL && strcmp(format, readers[i]->name) == 0)
            named = readers[i];
    }
    return named; /* asked for by name: its `open` says what is wrong */
}

static int source_begin(struct source *source, const char *path, struct transport *transport,
                        struct fault *why)
{
    int rc = stream_open(&source->stream, path, why);
    if (rc < 0)
        return rc;
    size_t have;
    const uint8_t *head = stream_peek(source->stream, READER_PROBE, &have);
    if (have == 0) {
        source->reader = &reader_empty;
        return stream_error(source->stream, why);
    }
    if (have > READER_PROBE)
        have = READER_PROBE;
    source->reader = pick_reader(source->options.format, head, have, path);
    if (source->reader == NULL)
        return fault_set(why, E_UNSUPPORTED, "%s: no known input format (first bytes %02x %02x %02x %02x)",
                         path, head[0], have > 1 ? head[1] : 0, have > 2 ? head[2] : 0,
                         have > 3 ? head[3] : 0);
    return source->reader->open(&source->state, source->stream, &source->options, transport, why);
}

int source_open(struct source **ret, const char *path, const struct input_options *options,
                struct transport *transport, struct fault *why)
{
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return fault_set(why, E_NOMEM, "no memory for a source");
    if (options)
        source->options = *options;
    int rc = source_begin(source, path, transport, why);
    if (rc < 0)
        source_close(&source);
    else
        *ret = source;
    return rc;
}

void source_close(struct source **source)
{
    struct source *s = *source;
    *source = NULL;
    if (s == NULL)
        return;
    if (s->state)
        s->reader->close(s->state);
    stream_close(&s->stream);
    free(s);
}

/* Damaged compression looks like a cut file to a reader; the stream knows better. */
static void note_end(struct source *source, struct tally *tally)
{
    struct fault error;
    source->ended = true;
    if (stream_error(source->stream, &error) == 0)
        return;
    if (source->damage[0] == '\0')
        tally->n[TALLY_BAD_RECORD]++;
    snprintf(source->damage, sizeof source->damage, "%.255s", error.text);
}

int source_read(struct source *source, struct message_batch *batch, struct tally *tally,
                bool *ret_more, struct fault *why)
{
    bool more = false;
    int rc = 0;
    if (!source->ended)
        rc = source->reader->read(source->state, source->stream, batch, tally, &source->packets,
                                  &more, source->damage, why);
    if (rc < 0)
        return rc;
    if (!more && !source->ended)
        note_end(source, tally);
    *ret_more = more;
    return 0;
}

const char *source_damage(const struct source *source)
{
    return source->damage[0] ? source->damage : NULL;
}

bool source_is_empty(const struct source *source)
{
    return source->reader == &reader_empty;
}

const char *source_format(const struct source *source)
{
    return source->reader->name;
}

uint64_t source_packets(const struct source *source)
{
    return source->packets;
}

void source_position(const struct source *source, struct source_position *ret)
{
    ret->offset = stream_offset(source->stream);
    stream_digest(source->stream, ret->digest);
    ret->head = stream_head(source->stream);
}

void source_progress(const struct source *source, uint64_t *ret_done, uint64_t *ret_size)
{
    stream_progress(source->stream, ret_done, ret_size);
}

static int behind(const struct source *source, uint64_t offset, struct fault *why)
{
    return fault_set(why, E_USAGE, "%s: offset %" PRIu64 " is behind %" PRIu64,
                     stream_path(source->stream), offset, stream_offset(source->stream));
}

int source_skip(struct source *source, uint64_t offset, struct fault *why)
{
    uint64_t at = stream_offset(source->stream);
    if (offset < at)
        return offset == 0 ? 0 : behind(source, offset, why);
    if (source->reader->skip)
        return source->reader->skip(source->state, source->stream, offset, why);
    return stream_skip(source->stream, offset - at, why);
}

int source_pass(struct source *source, uint64_t offset, struct fault *why)
{
    uint64_t at = stream_offset(source->stream);
    if (offset < at)
        return behind(source, offset, why);
    source->lost |= source->reader->skip != NULL && offset > at;
    return stream_skip(source->stream, offset - at, why);
}

bool source_is_lost(const struct source *source)
{
    return source->lost;
}
