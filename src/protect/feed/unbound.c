/* unbound: local zones for include: (unbound.conf(5)), for an Unbound without its respip module; RPZ is the better way.
 *
 * A domain is a zone of a type that blocks all of it. A single host is data alone: a zone of its own would free what lies
 * below it from the domain above. Data that is only a TXT record leaves every other type without an answer, and tells why. A garden for
 * a domain would be a zone of type redirect, and one host of data below that keeps Unbound from starting: so it is blocked instead.
 * A domain that is allowed is a transparent zone; a host alone cannot be, for its zone would free what is below it.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <sys/socket.h>

static int begin(struct feed *f, struct fault *why)
{
    (void)why;
    feed_put(&f->out, "server:\n");
    return E_OK;
}

static void put_domain(struct buffer *to, const struct feed_entry *e)
{
    static const char *const types[FEED_ACTIONS] = {
        [FEED_NXDOMAIN] = "always_nxdomain", [FEED_NODATA] = "always_nodata", [FEED_GARDEN] = "always_nxdomain",
        [FEED_DROP] = "always_deny", [FEED_PASSTHRU] = "transparent",
    };
    buffer_printf(to, "local-zone: \"%s.\" %s\n", e->name, types[e->item->action]);
}

static void put_host(struct buffer *to, const struct feed_entry *e)
{
    const char *at = e->item->garden;
    char address[64];
    int family;
    while (e->item->action == FEED_GARDEN && feed_garden_address(&at, address, &family))
        buffer_printf(to, "local-data: \"%s. %s %s\"\n", e->name, family == AF_INET ? "A" : "AAAA", address);
    buffer_printf(to, "local-data: '%s. TXT \"blocked: %s\"'\n", e->name, verdict_level_text(e->p->level));
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    (void)why;
    if (e->p->trigger == TRIGGER_DOMAIN)
        put_domain(&f->out, e);
    else
        put_host(&f->out, e);
    return E_OK;
}

const struct feed_format feed_unbound = {
    .name = "unbound",
    .file = "unbound.conf",
    .media = "text/plain; charset=utf-8",
    .says = "a single host has no data; a domain's walled garden is not said: it does not exist;\n"
            "a single host that is allowed below a domain is not said;\n"
            "addresses, name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "#",
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .excepts = 1 << TRIGGER_DOMAIN,
    .enforces = true,
    .begin = begin,
    .item = item,
};
