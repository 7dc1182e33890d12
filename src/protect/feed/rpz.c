/* rpz: a response policy zone as a zone file (draft-vixie-dnsop-dns-rpz; RFC 1035, 5): for Knot Resolver, which reads only files, and for
 * any server that would rather load than transfer. Names are relative to $ORIGIN, or without it to the name that the zone is loaded as.
 *
 * A name that is let through below `bad.example` takes itself and the names between the two out of `*.bad.example` (RFC 4592, 3.3.1). So
 * each of these is listed as the domain is, with its own wildcard, once; and a host that is let through has a wildcard of that kind.
 */
#include "protect/feed/cover.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"
#include "protect/rpz/owner.h"

#include <sys/socket.h>

enum { REFRESH_S = 60, EXPIRE_S = 30 * 86400, ANY_ZONE = 64 /* bytes left for a name that is not known */ };

struct zone {
    size_t len; /* of its name in wire form */
    struct feed_cover between; /* names between exceptions and domains that have been listed */
};

/* Of letters, digits, '-' and '_'; all else as \\DDD: Knot Resolver reads no further than to a name with, say, a bare '#'. */
static void name_text(const uint8_t *wire, char text[NAME_TEXT_MAX])
{
    char *to = text;
    for (size_t at = 0; wire[at] != 0; at += 1u + wire[at]) {
        for (size_t i = at + 1; i <= at + wire[at]; i++) {
            uint8_t c = wire[i];
            bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            to += snprintf(to, 5, plain ? "%c" : "\\%03u", c);
        }
        *to++ = '.';
    }
    to[-(to > text)] = '\0';
}

static int begin(struct feed *f, struct fault *why)
{
    struct zone *z = f->state;
    uint8_t wire[NAME_WIRE_MAX];
    char text[NAME_TEXT_MAX];
    z->len = ANY_ZONE;
    if (f->about->zone[0] != '\0') {
        z->len = name_from_text(f->about->zone, strlen(f->about->zone), wire);
        if (z->len == 0)
            return fault_set(why, E_USAGE, "'%s' is no name for a zone", f->about->zone);
        name_lower_copy(wire, wire, z->len);
        name_text(wire, text);
        buffer_printf(&f->out, "$ORIGIN %s.\n", text);
    }
    buffer_printf(&f->out, "$TTL %u\n@ SOA localhost. root.localhost. %u %u %u %u %u\n@ NS localhost.\n", f->about->ttl_s,
                  f->about->serial, REFRESH_S, REFRESH_S, EXPIRE_S, f->about->ttl_s);
    return E_OK;
}

static void put_garden(struct buffer *to, const char *owner, const char *below, const char *garden)
{
    uint8_t wire[NAME_WIRE_MAX];
    char address[64], text[NAME_TEXT_MAX];
    const char *at = garden;
    int family;
    if (feed_garden_address(&at, address, &family)) {
        do
            buffer_printf(to, "%s%s %s %s\n", below, owner, family == AF_INET ? "A" : "AAAA", address);
        while (feed_garden_address(&at, address, &family));
        return;
    }
    text[0] = '\0'; /* a garden that is no name blocks */
    size_t len = name_from_text(garden, strlen(garden), wire);
    if (len != 0) {
        name_lower_copy(wire, wire, len);
        name_text(wire, text);
    }
    buffer_printf(to, "%s%s CNAME %s.\n", below, owner, text);
}

static void put_rule(struct buffer *to, const struct feed_item *item, const char *below, const char *owner)
{
    static const char *const targets[FEED_ACTIONS] = {
        [FEED_NXDOMAIN] = ".", [FEED_NODATA] = "*.", [FEED_DROP] = "rpz-drop.", [FEED_PASSTHRU] = "rpz-passthru.",
    };
    if (item->action == FEED_GARDEN)
        put_garden(to, owner, below, item->garden);
    else
        buffer_printf(to, "%s%s CNAME %s\n", below, owner, targets[item->action]);
}

/* ---- names ---- */

/* Such a name would be a trigger of another kind. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = { "rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(dot != NULL ? dot + 1 : name, words[i]) == 0)
            return true;
    return false;
}

/* ---- exceptions ---- */

/* What holds where nothing is let through. */
static void put_above(struct buffer *to, const struct feed_above *above, const char *below, const char *owner)
{
    const struct feed_item item = { .action = above->action, .garden = above->garden };
    put_rule(to, &item, below, owner);
}

/* A host that is let through there is an exception of its own. */
static bool is_excepted_host(const struct feed *f, const uint8_t *wire, size_t len)
{
    return f->about->cover != NULL && feed_cover_excepts(f->about->cover, TRIGGER_HOST, wire, len);
}

/* Up to the domain, or to where another exception has begun. */
static int put_between(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    struct zone *z = f->state;
    uint8_t domain[NAME_WIRE_MAX];
    char name[NAME_TEXT_MAX];
    const size_t end = e->wire_len - name_from_text(e->item->above->domain, strlen(e->item->above->domain), domain);
    for (size_t at = 1u + e->wire[0]; at < end; at += 1u + e->wire[at]) {
        const uint8_t *wire = e->wire + at;
        size_t len = e->wire_len - at;
        if (feed_cover_has(&z->between, TRIGGER_DOMAIN, wire, len))
            break;
        int rc = feed_cover_add_name(&z->between, TRIGGER_DOMAIN, wire, len, why);
        if (rc != 0)
            return rc;
        if (is_excepted_host(f, wire, len))
            continue;
        name_text(wire, name);
        put_above(&f->out, e->item->above, "", name);
        put_above(&f->out, e->item->above, "*.", name);
    }
    return E_OK;
}

static int put_exception(struct feed *f, const struct feed_entry *e, const char *owner, struct fault *why)
{
    if (!e->item->above->host_listed)
        put_rule(&f->out, e->item, "", owner);
    if (e->p->trigger == TRIGGER_DOMAIN)
        put_rule(&f->out, e->item, "*.", owner);
    else
        put_above(&f->out, e->item->above, "*.", owner);
    return put_between(f, e, why);
}

/* ---- items ---- */

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    const struct zone *z = f->state;
    const bool is_nameserver = e->p->trigger == TRIGGER_NAMESERVER;
    char owner[NAME_TEXT_MAX + 16], name[NAME_TEXT_MAX];
    struct owner address;
    if (e->p->trigger == TRIGGER_ADDRESS) {
        owner_of_network(e->address.bytes, e->address.bits, e->address.prefix, &address);
        address.labels[address.len] = 0;
        name_text(address.labels, owner);
        put_rule(&f->out, e->item, "", owner);
        return E_OK;
    }
    const bool below = is_nameserver || e->p->trigger == TRIGGER_DOMAIN || e->item->above != NULL;
    const size_t more = (below ? sizeof "*" : 0) + (is_nameserver ? sizeof "rpz-nsdname" : 0);
    if (e->wire_len - 1 + more + z->len > NAME_WIRE_MAX)
        return feed_leave(f, FEED_LEFT_LONG);
    if (is_reserved(e->name))
        return feed_leave(f, FEED_LEFT_NAME);
    name_text(e->wire, name);
    snprintf(owner, sizeof owner, "%s%s", name, is_nameserver ? ".rpz-nsdname" : "");
    if (e->item->above != NULL)
        return put_exception(f, e, owner, why);
    put_rule(&f->out, e->item, "", owner);
    if (below)
        put_rule(&f->out, e->item, "*.", owner);
    return E_OK;
}

static void release(struct feed *f)
{
    struct zone *z = f->state;
    feed_cover_release(&z->between);
}

const struct feed_format feed_rpz = {
    .name = "rpz",
    .file = "rpz.zone",
    .media = "text/dns; charset=utf-8",
    .says = "names that are too long with the zone's name are left out",
    .sign = ";",
    .triggers = FEED_ALL_TRIGGERS,
    .actions = FEED_ALL_ACTIONS,
    .excepts = FEED_NAMES,
    .enforces = true,
    .odd_names = true,
    .state_bytes = sizeof(struct zone),
    .begin = begin,
    .item = item,
    .release = release,
};
