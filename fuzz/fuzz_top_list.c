/* An imported top list. Properties: parses or says why; a line that is a plain name, and what is above it, is never free to be blocked by itself. */
#include <string.h>

#include "must.h"
#include "protect/guard.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_ask(const struct guard *guard, const char *line, size_t len)
{
    char text[NAME_TEXT_MAX], name[NAME_TEXT_MAX], why[GUARD_REASON_MAX];
    if (len == 0 || len >= sizeof text || line[0] == '#' || memchr(line, ',', len) || memchr(line, '\r', len) || memchr(line, '\0', len))
        return;
    memcpy(text, line, len);
    text[len] = '\0';
    if (knowledge_name_from_text(text, name) == 0)
        return;
    for (const char *above = name; above != NULL; above = knowledge_parent(above)) {
        must(guard_check(guard, TRIGGER_DOMAIN, above, why) != GUARD_FREE);
        must(why[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char psl[] = "com\nexample\n";
    static struct suffix_list *suffixes;
    struct fault why = { 0 };
    struct guard *guard;
    char path[200];
    if (suffixes == NULL)
        must(suffix_parse(&suffixes, psl, sizeof psl - 1, &why) == 0);
    snprintf(path, sizeof path, "%s", scratch_file("top", data, size));
    struct protection policy = { .top_list = { .file = path } };
    if (guard_create(&guard, suffixes, &policy, &why) != E_OK) {
        must(why.text[0] != '\0');
        return 0;
    }
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        must_ask(guard, (const char *)data + at, len);
        at += len + 1;
    }
    guard_destroy(&guard);
    return 0;
}
