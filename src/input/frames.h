/* frames: the framing of Frame Streams (fstrm), as bytes in memory.
 *
 * A stream is a row of frames: a length (BE32) and that many bytes. Length 0 starts a
 * control frame: its own length (BE32), then type (BE32) and fields. A file or a
 * one-way connection is START, data frames, STOP; a two-way connection begins with
 * READY from the sender, ACCEPT from us, and ends with STOP and our FINISH.
 *
 * `frames_next` looks at the front of a buffer and never needs more than
 * FRAMES_DATA_MAX + 8 bytes of it, so a buffer of that size always moves on. A
 * dnstap frame holds at most two DNS messages and some names: 256 KiB is generous.
 */
#ifndef DNSMON_INPUT_FRAMES_H
#define DNSMON_INPUT_FRAMES_H

#include "base/bytes.h"

enum {
    FRAMES_DATA_MAX = 256 << 10,
    FRAMES_CONTROL_MAX = 512, /* as in libfstrm */
    FRAMES_WRITE_MAX = 64,    /* a control frame as we write it */
};

enum frames_kind {
    FRAMES_MORE,    /* `size` bytes are needed to say more */
    FRAMES_DATA,    /* `payload`; the frame takes `size` bytes */
    FRAMES_CONTROL, /* the same */
    FRAMES_BIG,     /* a data frame beyond the limit, of `size` bytes in all */
    FRAMES_BAD,     /* a control frame beyond the limit, or without a type */
};

enum frames_type {
    FRAMES_ACCEPT = 1,
    FRAMES_START = 2,
    FRAMES_STOP = 3,
    FRAMES_READY = 4,
    FRAMES_FINISH = 5,
};

struct frame {
    enum frames_kind kind;
    uint64_t size;
    struct slice payload;
};

struct frame frames_next(const uint8_t *ptr, size_t len);

struct frames_control {
    uint32_t type;      /* enum frames_type, or another */
    bool names_content; /* there was a content type */
    bool is_dnstap;     /* one of them is ours, or there was none */
    bool malformed;
};

struct frames_control frames_control(struct slice payload);

/* Writes a whole control frame, with our content type when `names_content`. */
size_t frames_write(uint8_t ret[FRAMES_WRITE_MAX], enum frames_type type, bool names_content);

#endif
