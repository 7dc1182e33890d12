/* Any file, through decompression, readers and transport. */
#include "input/source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int fd = -1;
    static char path[64];
    const struct input_options options = { .keep_multicast = true, .transport_limit = 1 << 20 };
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
        abort();
    struct message_batch batch;
    struct tally tally = { 0 };
    struct fault why = { 0 };
    struct source *source = NULL;
    struct transport *transport = transport_create(&options);
    if (transport == NULL || message_batch_init(&batch, 16) < 0)
        abort();
    if (source_open(&source, path, &options, transport, &why) == 0) {
        uint64_t decoded = 0;
        for (bool more = true; more && decoded < 16 << 20;) {
            struct source_position position;
            if (source_read(source, &batch, &tally, &more, &why) < 0)
                break;
            source_position(source, &position);
            decoded = position.offset;
            message_batch_clear(&batch);
        }
    }
    source_close(&source);
    message_batch_release(&batch);
    transport_destroy(&transport);
    return 0;
}
