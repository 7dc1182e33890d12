/* reader: what each kind of source file provides; source.c picks one by `probe`.
 *
 * A reader parses the bytes of one `struct stream` and appends messages to a
 * batch. All its memory hangs on the state that `open` makes.
 */
#ifndef DNSMON_INPUT_READER_H
#define DNSMON_INPUT_READER_H

#include "input/source.h"
#include "input/stream.h"

enum {
    READER_PROBE = 4096,  /* bytes that a probe may see (fewer in a short file) */
    READER_DAMAGE = 256,
};

struct reader_ops {
    const char *name; /* what `source_format` says, and options.format selects */

    /* Whether `head`, the first bytes of the stream, looks like this format. */
    bool (*probe)(const uint8_t *head, size_t len, const char *path);

    /* Called once with the stream at offset 0; consumes the file header, if any.
     * `stream`, `options` and `transport` are lent for the life of the state.
     * Log readers ignore `transport`. */
    int (*open)(void **ret_state, struct stream *stream, const struct input_options *options,
                struct transport *transport, struct fault *why);

    /* Appends messages until message_batch_is_full, or the stream ends: then sets
     * *ret_more = false. Adds records read to *packets. May return with few or no
     * messages and more to come. On return the stream stands on a record border.
     * A format that cannot go on counts TALLY_BAD_RECORD, writes one line (file,
     * offset, reason) to `damage` and ends with *ret_more = false, returning 0. */
    int (*read)(void *state, struct stream *stream, struct message_batch *batch,
                struct tally *tally, uint64_t *packets, bool *ret_more,
                char damage[READER_DAMAGE], struct fault *why);

    /* Goes forward to `offset` (of the stream, a record border at or beyond where
     * `open` left it) without making messages. NULL: bytes between do not matter,
     * and source.c skips them. */
    int (*skip)(void *state, struct stream *stream, uint64_t offset, struct fault *why);

    void (*close)(void *state); /* accepts NULL */
};

extern const struct reader_ops reader_pcap;
extern const struct reader_ops reader_pcapng;
extern const struct reader_ops reader_dnstap;
extern const struct reader_ops reader_zeek;
extern const struct reader_ops reader_eve;
extern const struct reader_ops reader_sensor;

#endif
