/* hosts: /etc/hosts (hosts(5)), for whatever reads such: names at the address of nobody. It has no wildcards, so a domain stands for its
 * own name alone; nor has it an answer other than an address.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    const char *at = e->item->garden;
    char address[64];
    int family;
    (void)why;
    if (e->item->action == FEED_GARDEN && feed_garden_address(&at, address, &family)) {
        do
            buffer_printf(&f->out, "%s %s\n", address, e->name);
        while (feed_garden_address(&at, address, &family));
        return E_OK;
    }
    buffer_printf(&f->out, "0.0.0.0 %s\n:: %s\n", e->name, e->name);
    return E_OK;
}

const struct feed_format feed_hosts = {
    .name = "hosts",
    .file = "hosts.txt",
    .media = "text/plain; charset=utf-8",
    .says = "a domain is here without the names below it, which hosts files cannot say;\n"
            "addresses, name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "#",
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .enforces = true,
    .no_below = true,
    .item = item,
};
