/* zeek: data for Zeek's intelligence framework (Intel::read_files): fields separated by tabs, named in the first line. Its DOMAIN
 * is one name exactly, so a domain stands for its own name alone.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

static int begin(struct feed *f, struct fault *why)
{
    (void)why;
    feed_put(&f->out, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n");
    return E_OK;
}

static const char *type_of(const struct feed_entry *e)
{
    if (e->p->trigger != TRIGGER_ADDRESS)
        return "Intel::DOMAIN";
    return e->address.prefix < e->address.bits ? "Intel::SUBNET" : "Intel::ADDR";
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    (void)why;
    buffer_printf(&f->out, "%s\t%s\tDNSMon\t", e->name, type_of(e));
    feed_remark(&f->out, e, "\\");
    if (f->about->link[0] != '\0')
        buffer_printf(&f->out, "\t%s%s\n", f->about->link, e->name);
    else
        feed_put(&f->out, "\t-\n");
    return E_OK;
}

const struct feed_format feed_zeek = {
    .name = "zeek",
    .file = "zeek.intel",
    .media = "text/tab-separated-values; charset=utf-8",
    .says = "a domain is here without the names below it, which the framework cannot say;\n"
            "name servers, and names of other bytes than letters, digits, '-' and '_' are left out",
    .sign = "#",
    .triggers = FEED_NAMES | 1 << TRIGGER_ADDRESS,
    .actions = FEED_ALL_ACTIONS,
    .no_below = true,
    .begin = begin,
    .item = item,
};
