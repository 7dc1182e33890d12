/* answer: what the answers themselves say: scattered and growing addresses, name servers that change, parking, sinkholes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "detect/answer/spread.h"
#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/parts.h"
#include "detect/youth.h"

enum {
    NETWORKS_MIN = 8, /* for one host within 14 days */
    DAYS_MIN = 3,
    NS_MIN = 3,
};

#define SINKHOLED 4.0
#define PARKED (-1.5)

static void tell(const struct subject *s, const struct spread *p, double nats, const char *summary, struct findings *to)
{
    struct facts f;
    char host[NAME_TEXT_MAX] = "";
    facts_begin(&f);
    if (p->host.len)
        parts_text(p->host, host);
    facts_text(&f, "host", host, strlen(host));
    facts_count(&f, "addresses", p->addresses);
    facts_count(&f, "networks", p->networks);
    facts_count(&f, "days_with_new", p->days);
    facts_count(&f, "new_ns_domains", p->ns_domains);
    facts_flag(&f, "parked", p->parked);
    facts_flag(&f, "sinkholed", p->sinkholed);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = nats, .summary = summary, .facts = facts_end(&f) });
}

/* One host in many unrelated networks, ever new ones: machines that their owners do not know to serve it. */
static double scatter_nats(const struct spread *p)
{
    if (p->networks < NETWORKS_MIN || p->days < DAYS_MIN)
        return 0;
    return log(p->networks / 4.0) + 0.4 * log(p->days) + (p->ns_domains >= NS_MIN ? log(p->ns_domains) : 0);
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct spread p;
    char summary[FINDING_SUMMARY];
    spread_of(s, &p);
    if (p.sinkholed || p.parked) {
        snprintf(summary, sizeof summary, p.sinkholed ? "its name servers are those of a sinkhole, %.100s: it was taken over from its holder"
                                                      : "its name servers, %.100s, are those of parked domains", p.ns);
        tell(s, &p, p.sinkholed ? SINKHOLED : PARKED, summary, to);
        return E_OK;
    }
    double nats = scatter_nats(&p) * youth(scene, s->first_s, &s->profile);
    if (nats < FINDING_MIN)
        return E_OK;
    snprintf(summary, sizeof summary, "one host with %u addresses in %u networks within 14 days, new ones on %u days, and %u new domains of name servers",
             p.addresses, p.networks, p.days, p.ns_domains);
    tell(s, &p, nats, summary, to);
    return E_OK;
}

const struct detector detector_answer = {
    .name = "answer",
    .group = GROUP_ANSWER,
    .about = "scattered and growing addresses, changing name servers, parking, sinkholes",
    .examine = examine,
};
