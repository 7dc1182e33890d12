/* adblock: filter rules as AdGuard Home and browsers' blockers read them. ||name^ is the name and all below it; |name^ is
 * the name alone to filters of DNS, where a rule is held against the name that is asked for; to browsers, which hold it against an
 * address with its scheme, that matches nothing. @@ lets through, whatever blocks; what is listed below such a name needs $important.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    (void)why;
    buffer_printf(&f->out, "%s%s%s^%s\n", e->item->above != NULL ? "@@" : "", e->p->trigger == TRIGGER_DOMAIN ? "||" : "|", e->name,
                  e->in_exception ? "$important" : "");
    return E_OK;
}

const struct feed_format feed_adblock = {
    .name = "adblock",
    .file = "adblock.txt",
    .media = "text/plain; charset=utf-8",
    .says = "Title: DNSMon\n"
            "how a name is blocked is not said; single hosts (|name^) are for filters of DNS;\n"
            "addresses, name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "!",
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .excepts = FEED_NAMES,
    .enforces = true,
    .item = item,
};
