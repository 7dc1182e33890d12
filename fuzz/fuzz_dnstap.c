/* A Frame Streams file: framing and events. Property: what is taken is within the
 * input, and every data frame is one message or one count. */
#include "input/dnstap.h"
#include "input/frames.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input_options options = { 0 };
    struct message_batch batch;
    struct tally tally = { 0 };
    struct log_sink sink = { &options, &batch, &tally };
    uint64_t frames = 0, counted = 0;
    if (message_batch_init(&batch, 16) != 0)
        return 0;
    for (size_t at = 0; at < size;) {
        struct frame f = frames_next(data + at, size - at);
        if (f.kind == FRAMES_CONTROL)
            (void)frames_control(f.payload);
        else if (f.kind == FRAMES_DATA && dnstap_event(f.payload, &sink) == 0)
            frames++;
        if (f.kind != FRAMES_CONTROL && f.kind != FRAMES_DATA)
            break;
        if (f.size > size - at)
            abort();
        at += f.size;
    }
    for (int i = 0; i < TALLY_CAUSES; i++)
        counted += tally.n[i];
    if (frames != batch.count + counted)
        abort();
    message_batch_release(&batch);
    return 0;
}
