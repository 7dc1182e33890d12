/* suricata: a rule a name on what clients ask for (dns.query), and on traffic to addresses.
 *
 * A rule's number (sid) stays with its name: 2^31 plus 31 bits of the hash of trigger and name, far from the ranges that are
 * given out. Two that would have the same are told apart by hashing anew the one that comes later in the feed, until it
 * is free. So a number changes only when such a twin, which comes earlier, joins or leaves: of 100,000 rules some two have a twin, of a
 * million some 230. Rules always say rev:1: what they match never changes, and a new score is no new rule.
 */
#include "base/hash.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEAST_SID UINT32_C(0x80000000)

/* The numbers that have been given; a power of two of slots, at most half full; 0 = free. */
struct sids {
    uint32_t *slots;
    size_t count, size;
};

static size_t slot_of(const struct sids *s, uint32_t sid)
{
    size_t at = hash_mix(sid) & (s->size - 1);
    while (s->slots[at] != 0 && s->slots[at] != sid)
        at = (at + 1) & (s->size - 1);
    return at;
}

static int grow(struct sids *s)
{
    struct sids larger = { .size = s->size ? 2 * s->size : 1024, .count = s->count };
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < s->size; i++)
        if (s->slots[i] != 0)
            larger.slots[slot_of(&larger, s->slots[i])] = s->slots[i];
    free(s->slots);
    *s = larger;
    return E_OK;
}

static int give(struct sids *s, const struct feed_entry *e, uint32_t *ret)
{
    char identity[NAME_TEXT_MAX + 32];
    feed_identity(e, identity);
    uint64_t hash = hash_stable(identity, strlen(identity));
    if (s->count >= s->size / 2 && grow(s) != 0)
        return E_NOMEM;
    size_t slot = slot_of(s, LEAST_SID | (uint32_t)hash);
    while (s->slots[slot] != 0) {
        hash = hash_mix(hash + 1);
        slot = slot_of(s, LEAST_SID | (uint32_t)hash);
    }
    *ret = s->slots[slot] = LEAST_SID | (uint32_t)hash;
    s->count++;
    return E_OK;
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
    free(((struct sids *)f->state)->slots);
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
    .state_bytes = sizeof(struct sids),
    .item = item,
    .release = release,
};
