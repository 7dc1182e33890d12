/* dnsmasq: lines for conf-file= (dnsmasq(8)). address=/name/ is the name and all below it, as not existing or, with an
 * address, there; a name alone is a host-record, which has addresses and nothing else, so it gets that of nobody. server=/name/# lets a domain
 * through to the usual servers, all below it with it, so that a host alone cannot be: the longest name that is listed counts.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

static void put_garden(struct buffer *to, const struct feed_entry *e)
{
    const char *at = e->item->garden;
    char address[64];
    int family;
    while (feed_garden_address(&at, address, &family))
        if (e->p->trigger == TRIGGER_DOMAIN)
            buffer_printf(to, "address=/%s/%s\n", e->name, address);
        else
            buffer_printf(to, "host-record=%s,%s\n", e->name, address);
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    size_t before = f->out.len;
    (void)why;
    if (e->item->action == FEED_GARDEN)
        put_garden(&f->out, e);
    if (f->out.len != before)
        return E_OK;
    if (e->item->above != NULL)
        buffer_printf(&f->out, "server=/%s/#\n", e->name);
    else if (e->p->trigger == TRIGGER_DOMAIN)
        buffer_printf(&f->out, "address=/%s/\n", e->name);
    else
        buffer_printf(&f->out, "host-record=%s,0.0.0.0,::\n", e->name);
    return E_OK;
}

const struct feed_format feed_dnsmasq = {
    .name = "dnsmasq",
    .file = "dnsmasq.conf",
    .media = "text/plain; charset=utf-8",
    .says = "a domain does not exist; a single host has the address of nobody, and its other types are resolved;\n"
            "walled gardens that are a name are not said: it is blocked;\n"
            "a single host that is allowed below a domain is not said;\n"
            "addresses, name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "#",
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .excepts = 1 << TRIGGER_DOMAIN,
    .enforces = true,
    .item = item,
};
