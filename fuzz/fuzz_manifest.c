/* A MANIFEST in a folder of its own, opened by a reader and by fsck. An input that starts
 * with a record's magic is the file as it stands; else each line becomes the payload of a
 * record with right checksums and numbers. Property: a payload that parses prints to one that
 * parses and prints the same. */
#include <stdlib.h>

#include "base/hash.h"
#include "must.h"
#include "scratch.h"
#include "store/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 32 };

static void record(struct buffer *file, struct slice payload, uint32_t sequence)
{
    uint8_t header[HEADER_BYTES];
    memcpy(header, "DNSMREC1", 8);
    put_le32(header + 8, (uint32_t)payload.len);
    put_le32(header + 12, sequence);
    put_le64(header + 16, hash_stable(payload.ptr, payload.len));
    put_le64(header + 24, hash_stable(header, 24));
    buffer_append(file, header, sizeof header);
    buffer_append(file, payload.ptr, payload.len);
}

static void print_again(struct slice payload)
{
    struct delta first = {0}, second = {0};
    struct fault why;
    if (catalog_delta_parse(&first, (const char *)payload.ptr, payload.len, &why) != 0)
        return;
    char *text = catalog_delta_json(&first);
    must(text != NULL && catalog_delta_parse(&second, text, strlen(text), &why) == 0);
    char *again = catalog_delta_json(&second);
    must(again != NULL && strcmp(text, again) == 0);
    free(text);
    free(again);
    catalog_delta_release(&first);
    catalog_delta_release(&second);
}

static void build(struct buffer *file, const uint8_t *data, size_t size)
{
    uint32_t sequence = 0;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        print_again((struct slice){data + at, len});
        record(file, (struct slice){data + at, len}, sequence++);
        at += len + 1;
    }
}

static void ignore(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void look(struct store *s)
{
    const struct store_table *tables;
    const struct store_source *sources;
    struct fault why;
    struct buffer state;
    struct store_scan *scan = NULL;
    struct store_range range = {.kind = KIND_RR};
    struct slice key, value;
    buffer_init(&state, 1 << 20);
    for (size_t i = store_tables(s, &tables); i-- > 0;)
        must(tables[i].kind < KINDS && tables[i].tier < TIERS);
    for (size_t i = store_sources(s, &sources); i-- > 0;)
        must(memchr(sources[i].name, 0, sizeof sources[i].name) != NULL);
    must(store_totals(s) != NULL);
    (void)!store_state(s, &state, &why);
    (void)!store_refresh(s, &why);
    if (store_scan_open(&scan, s, &range, &why) == 0)
        (void)!store_scan_next(scan, &key, &value, &why);
    store_scan_close(&scan);
    buffer_release(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_options options = {0};
    struct store *s = NULL;
    struct fault why;
    struct buffer file;
    uint64_t damages = 0;
    buffer_init(&file, 4 << 20);
    if (size >= 8 && memcmp(data, "DNSMREC1", 8) == 0)
        buffer_append(&file, data, size);
    else
        build(&file, data, size);
    if (file.failed) {
        buffer_release(&file);
        return 0;
    }
    (void)scratch_file("MANIFEST", file.ptr, file.len);
    if (store_open(&s, scratch_folder(), STORE_READ, &options, &why) == 0)
        look(s);
    store_close(&s);
    (void)!store_fsck(scratch_folder(), ignore, NULL, &damages, &why);
    buffer_release(&file);
    return 0;
}
