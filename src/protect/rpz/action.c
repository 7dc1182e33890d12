#include "protect/rpz/action.h"

#include "base/buffer.h"
#include "protect/rpz/tail.h"

#include <arpa/inet.h>
#include <stdlib.h>

static void put_tail(struct buffer *b, uint16_t type, uint32_t ttl_s, const uint8_t *rdata, size_t len)
{
    uint8_t head[TAIL_HEAD];
    size_t head_len = tail_begin(head, type, ttl_s, len);
    buffer_be16(b, (uint16_t)(head_len + len));
    buffer_append(b, head, head_len);
    buffer_append(b, rdata, len);
}

static int put_cname(struct buffer *b, uint32_t ttl_s, const char *target, size_t target_len, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(target, target_len, wire);
    if (len == 0)
        return fault_set(why, E_MALFORMED, "%.256s: neither an address nor a name", target);
    put_tail(b, TYPE_CNAME, ttl_s, wire, len);
    return 0;
}

/* A target with a meaning of its own: it would turn the garden into another action. */
static bool has_meaning(const char *word, size_t len)
{
    while (len && word[len - 1] == '.')
        len--;
    size_t label = len;
    while (label && word[label - 1] != '.')
        label--;
    return len == 0 || (len == 1 && word[0] == '*') || (len - label >= 4 && strncasecmp(word + label, "rpz-", 4) == 0);
}

static int put_target(struct buffer *b, uint32_t ttl_s, const char *word, size_t len, struct fault *why)
{
    if (has_meaning(word, len))
        return fault_set(why, E_MALFORMED, "garden %.256s: a policy's own word is no target", word);
    return put_cname(b, ttl_s, word, len, why);
}

/* A record set has no record twice (RFC 2181, 5). */
static bool has_address(const struct buffer *b, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < b->len; at += 2u + get_be16(b->ptr + at))
        if (get_be16(b->ptr + at) == TAIL_HEAD + len && memcmp(b->ptr + at + 2 + TAIL_HEAD, bytes, len) == 0)
            return true;
    return false;
}

static int put_garden(struct buffer *b, uint32_t ttl_s, const char *words, struct fault *why)
{
    unsigned names = 0, addresses = 0;
    int e = 0;
    for (const char *at = words + strspn(words, " "); e == 0 && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        char word[INET6_ADDRSTRLEN] = "";
        uint8_t bytes[16];
        if (len < sizeof word)
            memcpy(word, at, len);
        bool is_v4 = inet_pton(AF_INET, word, bytes) == 1, is_v6 = !is_v4 && inet_pton(AF_INET6, word, bytes) == 1;
        if (is_v4 || is_v6) {
            addresses++;
            if (has_address(b, bytes, is_v4 ? 4 : 16))
                return fault_set(why, E_MALFORMED, "garden%.256s: an address twice", words);
            put_tail(b, is_v4 ? TYPE_A : TYPE_AAAA, ttl_s, bytes, is_v4 ? 4 : 16);
        } else {
            names++;
            e = put_target(b, ttl_s, at, len, why);
        }
        at += len;
    }
    if (e == 0 && (names > 1 || addresses > ACTION_GARDEN_MAX || !names == !addresses))
        e = fault_set(why, E_MALFORMED, "garden%.256s: one name, or up to %d addresses", words, ACTION_GARDEN_MAX);
    return e;
}

static int put_action(struct buffer *b, uint32_t ttl_s, const char *text, struct fault *why)
{
    static const char *const plain[][2] = { /* draft-vixie-dnsop-dns-rpz-00, 3 */
        { "nxdomain", "." }, { "nodata", "*." }, { "passthru", "rpz-passthru." }, { "drop", "rpz-drop." },
    };
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(text, plain[i][0]) == 0)
            return put_cname(b, ttl_s, plain[i][1], strlen(plain[i][1]), why);
    if (strncmp(text, "garden ", 7) == 0)
        return put_garden(b, ttl_s, text + 6, why);
    return fault_set(why, E_MALFORMED, "%.256s: not an action (nxdomain, nodata, passthru, drop, garden NAME|ADDRESS...)", text);
}

int action_make(struct action *ret, const char *text, uint32_t ttl_s, struct fault *why)
{
    struct buffer tails;
    buffer_init(&tails, 64 << 10);
    int e = put_action(&tails, ttl_s, text, why);
    char *copy = e == 0 ? strdup(text) : NULL;
    if (e == 0 && (copy == NULL || tails.failed))
        e = fault_set(why, E_NOMEM, "action: out of memory");
    if (e == 0) {
        *ret = (struct action){ copy, tails.ptr, tails.len };
        return 0;
    }
    free(copy);
    buffer_release(&tails);
    return e;
}

void action_release(struct action *action)
{
    free(action->text);
    free(action->tails);
    *action = (struct action){ 0 };
}

struct slice action_tail(const struct action *action, unsigned n)
{
    size_t at = 0;
    while (n-- && at < action->len)
        at += 2u + get_be16(action->tails + at);
    return at < action->len ? (struct slice){ action->tails + at + 2, get_be16(action->tails + at) } : (struct slice){ NULL, 0 };
}
