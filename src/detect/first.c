#include "detect/first.h"

#include "dns/name.h"
#include "record/rr.h"

#include <string.h>

enum { STOP = 1 };

static int take(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct name_value v;
    (void)key;
    if (!name_value_get(value, &v))
        return fault_set(why, E_CORRUPT, "a record in a name table does not parse; run dnsmon fsck");
    *(uint64_t *)ctx = v.first;
    return STOP;
}

int first_seen(struct store *store, struct slice owner, bool domain, uint64_t before_s, uint64_t *ret_s, struct fault *why)
{
    uint8_t key[NAME_KEY_MAX + 2], end[NAME_KEY_MAX + 2];
    size_t name = name_key_reverse(owner.ptr, owner.len, key), len = name + domain;
    key[name] = 1; /* of a domain's entry */
    memcpy(end, key, len);
    end[len] = 0; /* the next possible key */
    struct store_range range = { .kind = KIND_NAME, .start = { key, len }, .end = { end, len + 1 }, .exact = { key, name } };
    uint64_t first = UINT64_MAX;
    range.before = before_s <= INT64_MAX ? (int64_t)before_s : 0;
    int rc = store_scan_each(store, &range, take, &first, why);
    if (rc >= 0)
        *ret_s = first < before_s ? first : before_s;
    return rc == STOP ? E_OK : rc;
}
