/* cdb: a constant database for dnsdist's newCDBKVStore, which reads it anew when it changes.
 *
 * Keys are lower case. A domain's is its name in wire form, which KeyValueLookupKeySuffix(1, true) looks for label by label; a
 * single host's is its name as text without a final dot, which KeyValueLookupKeyQName(false) looks for and a suffix never is: one
 * ends in 00, the other does not. So one file holds both. The value is the action.
 */
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

#include <cdb.h>
#include <errno.h>

static int begin(struct feed *f, struct fault *why)
{
    if (cdb_make_start(f->state, f->fd) != 0)
        return fault_errno(why, errno, "%s: cannot write", f->path);
    return E_OK;
}

static int put(struct feed *f, const void *key, size_t len, enum feed_action action, struct fault *why)
{
    static const char *const words[FEED_ACTIONS] = { "nxdomain", "nodata", "garden", "drop", "passthru" };
    if (cdb_make_add(f->state, key, (unsigned)len, words[action], (unsigned)strlen(words[action])) != 0)
        return fault_errno(why, errno, "%s: cannot write", f->path);
    return E_OK;
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    if (e->p->trigger == TRIGGER_DOMAIN)
        return put(f, e->wire, e->wire_len, e->item->action, why);
    return put(f, e->name, strlen(e->name), e->item->action, why);
}

static int end(struct feed *f, struct fault *why)
{
    int rc = cdb_make_finish(f->state);
    return rc == 0 ? E_OK : fault_errno(why, errno, "%s: cannot write", f->path);
}

const struct feed_format feed_cdb = {
    .name = "cdb",
    .file = "dnsdist.cdb",
    .media = "application/octet-stream",
    .place = FEED_FILE,
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .enforces = true,
    .state_bytes = sizeof(struct cdb_make),
    .begin = begin,
    .item = item,
    .end = end,
};
