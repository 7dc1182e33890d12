/* A scenario file. Property: what loads has a campaign count within bounds and ids that need no escaping, and what
 * passes the check can be simulated for a moment. */
#include "cmd/scenario.h"
#include "must.h"
#include "scratch.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int swallow(void *ctx, const void *bytes, size_t len, struct fault *why)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    (void)why;
    return E_OK;
}

static bool is_small(const struct scenario *s)
{
    bool small = s->clients <= 100 && s->days <= 1 && s->activity <= 2 && s->mix.sites <= 500;
    for (unsigned i = 0; i < s->n_campaigns; i++)
        small = small && s->campaigns[i].domains <= 50 && s->campaigns[i].period_s >= 60;
    return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scenario s;
    struct fault why = { 0 };
    struct simulate_counts counts;
    int rc = scenario_load(&s, scratch_file("scenario.yaml", data, size), &why);
    must(rc == 0 || why.text[0] != '\0');
    if (rc != 0)
        return 0;
    must(s.n_campaigns <= SCENARIO_CAMPAIGNS_MAX);
    for (unsigned i = 0; i < s.n_campaigns; i++)
        must(strpbrk(s.campaigns[i].id, "\"\\") == NULL && s.campaigns[i].kind < CAMPAIGN_KINDS);
    if (scenario_check(&s, &why) == 0 && is_small(&s))
        must(simulate(&s, CAPTURE_DNSTAP, &(struct sink){ swallow, NULL }, &(struct sink){ swallow, NULL }, &counts, &why) == 0);
    return 0;
}
