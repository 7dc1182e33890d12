/* The campaigns in the state of analysis. Properties: what is read is written as the same bytes, unless a number was longer than it need
 * be; and a period goes over it. */
#include "detect/campaign/campaign.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void go_on(const struct campaign_set *set)
{
    struct campaign_set next;
    struct campaign_period period = { .step = 6005 };
    size_t before = 0, after = 0;
    campaign_set_init(&next);
    must(campaign_update(set, &period, &next, NULL) == 0);
    for (size_t i = 0; i < set->n; i++)
        before += set->bodies[i].n;
    for (size_t i = 0; i < next.n; i++)
        after += next.bodies[i].n;
    must(after == before); /* silent members stay */
    campaign_set_release(&next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct campaign_set set, again;
    struct buffer bytes, twice;
    campaign_set_init(&set);
    campaign_set_init(&again);
    buffer_init(&bytes, size + 64);
    buffer_init(&twice, size + 64);
    if (campaign_set_get(&set, (struct slice){ data, size }, NULL) == 0) {
        campaign_set_put(&set, &bytes);
        must(!bytes.failed && bytes.len <= size);
        must(campaign_set_get(&again, (struct slice){ bytes.ptr, bytes.len }, NULL) == 0);
        campaign_set_put(&again, &twice);
        must(twice.len == bytes.len && memcmp(bytes.ptr, twice.ptr, twice.len) == 0);
        go_on(&set);
    }
    buffer_release(&bytes);
    buffer_release(&twice);
    campaign_set_release(&set);
    campaign_set_release(&again);
    return 0;
}
