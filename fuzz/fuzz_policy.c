/* The text of a policy. Properties: parses or says why; each line that is a name is in it, and of a subtree what
 * is below. */
#include <string.h>

#include "cmd/policy_file.h"
#include "dns/name.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_have(const struct policy *policy, const char *text, size_t len)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t n = name_from_text(text, len, wire);
    if (n != 0)
        must(policy_has_name(policy, (struct slice){key, name_owner_key(wire, n, key)}));
}

static void look_up(const struct policy *policy, const char *line, size_t len)
{
    char below[NAME_TEXT_MAX];
    bool subtree = len > 2 && line[0] == '*' && line[1] == '.';
    if (len == 0 || len + 2 > sizeof below || strchr("#@ \t\r", line[0]) || strchr(" \t\r", line[len - 1]))
        return;
    must_have(policy, line + 2 * subtree, len - 2 * subtree);
    if (!subtree)
        return;
    memcpy(below, line, len);
    below[0] = 'x';
    must_have(policy, below, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault why = {0};
    struct policy *policy;
    if (policy_parse(&policy, (struct slice){data, size}, "policy", &why) != E_OK) {
        must(why.text[0] != '\0');
        return 0;
    }
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        look_up(policy, (const char *)data + at, len);
        at += len + 1;
    }
    policy_destroy(&policy);
    return 0;
}
