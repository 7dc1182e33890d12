/* suricata: a rule a name on what clients ask for (dns.query), and on traffic to addresses.
 *
 * A rule's number (sid) stays with its name: 2^31 plus 31 bits of the hash of trigger and name, far from the ranges that are
 * given out. Two that would have the same are told apart by hashing anew the one that comes later in the feed, until it
 * is free. So a number changes only when such a twin, which comes earlier, joins or leaves: of 100,000 rules some two have a twin, of a
 * million some 230. Rules always say rev:1: what they match never changes, and a new score is no new rule.
 */
#include "base/hash.h"
#include "base/hashset.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <inttypes.h>

#define LEAST_SID UINT32_C(0x80000000)

/* `given`: the numbers that are. */
static int give(struct hashset *given, const struct feed_entry *e, uint32_t *ret)
{
    char identity[NAME_TEXT_MAX + 32];
    feed_identity(e, identity);
    uint64_t hash = hash_stable(identity, strlen(identity));
    int added;
    while ((added = hashset_add(given, LEAST_SID | (uint32_t)hash)) == 0)
        hash = hash_mix(hash + 1);
    *ret = LEAST_SID | (uint32_t)hash;
    return added < 0 ? added : E_OK;
}

static void put_match(struct buffer *to, const struct feed_entry *e)
{
    if (e->p->trigger == TRIGGER_DOMAIN)
        buffer_printf(to, "dns.query; dotprefix; content:\".%s\"; nocase; endswith; ", e->name);
    else if (e->p->trigger == TRIGGER_HOST)
        buffer_printf(to, "dns.query; content:\"%s\"; nocase; startswith; endswith; ", e->name);
}

enum { WORDS_BYTES = 64 }; /* a rule has at most 8192 */

/* A value of metadata is a word. */
static void put_words(struct buffer *to, const char *json)
{
    struct buffer words;
    buffer_init(&words, KNOWLEDGE_TEXT_MAX);
    feed_categories(&words, json, "_");
    if (words.len == 0)
        feed_put(&words, "none");
    for (size_t i = 0; i < words.len && i < WORDS_BYTES; i++) {
        uint8_t c = words.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        buffer_u8(to, good ? c : '_');
    }
    buffer_release(&words);
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    struct buffer *to = &f->out;
    uint32_t sid;
    if (give(f->state, e, &sid) != 0)
        return fault_set(why, E_NOMEM, "no memory for the numbers of rules");
    if (e->p->trigger == TRIGGER_ADDRESS)
        buffer_printf(to, "alert ip any any -> %s any (", e->name);
    else
        buffer_printf(to, "alert dns any any -> any any (");
    buffer_printf(to, "msg:\"DNSMon %s %s\"; ", verdict_level_text(e->p->level), e->name);
    put_match(to, e);
    buffer_printf(to, "metadata:dnsmon_level %s, dnsmon_score %.3f, dnsmon_category ", verdict_level_text(e->p->level), e->p->score);
    put_words(to, e->p->categories);
    buffer_printf(to, "; sid:%" PRIu32 "; rev:1;)\n", sid);
    return E_OK;
}

static void release(struct feed *f)
{
    hashset_release(f->state);
}

const struct feed_format feed_suricata = {
    .name = "suricata",
    .file = "suricata.rules",
    .media = "text/plain; charset=utf-8",
    .says = "rules alert, whatever a resolver does with the name;\n"
            "name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "#",
    .triggers = FEED_NAMES | 1 << TRIGGER_ADDRESS,
    .actions = FEED_ALL_ACTIONS,
    .state_bytes = sizeof(struct hashset),
    .item = item,
    .release = release,
};
