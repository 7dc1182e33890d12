/* log_lines: a log as a fuzz input, line by line. Property: each message has a DNS
 * header, more than that unless it is a response, and a bounded length; a line that gives none
 * is counted. */
#ifndef DNSMON_FUZZ_LOG_LINES_H
#define DNSMON_FUZZ_LOG_LINES_H

#include "input/log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline uint64_t all_counts(const struct tally *tally)
{
    uint64_t n = 0;
    for (int i = 0; i < TALLY_CAUSES; i++)
        n += tally->n[i];
    return n;
}

static inline void log_lines(const uint8_t *data, size_t size, void *parser, bool check_header,
                             int (*parse)(void *parser, struct slice line, struct log_sink *sink))
{
    struct input_options options = { .keep_multicast = size & 1 };
    struct message_batch batch;
    struct tally tally = { 0 };
    struct log_sink sink = { &options, &batch, &tally };
    if (message_batch_init(&batch, 16) != 0)
        return;
    while (size) {
        const uint8_t *lf = memchr(data, '\n', size);
        size_t len = lf ? (size_t)(lf - data) : size;
        uint64_t before = batch.count + all_counts(&tally);
        if (parse(parser, (struct slice){ data, len }, &sink) != 0)
            break;
        if (batch.count + all_counts(&tally) == before)
            abort();
        data += lf ? len + 1 : len;
        size -= lf ? len + 1 : len;
    }
    for (uint32_t i = 0; check_header && i < batch.count; i++) {
        const struct message *m = &batch.messages[i];
        if (m->wire_len < WIRE_HEADER || m->wire_len > WIRE_MAX)
            abort();
        if (m->wire_len == WIRE_HEADER && !(get_be16(m->wire + 2) & WIRE_QR))
            abort();
    }
    message_batch_release(&batch);
}

#endif
