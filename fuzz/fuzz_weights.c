/* The weights of verdicts, from a file. Properties: what parses has weights that are none below zero, levels that rise, and a digest; and
 * a judgement with them is a probability. */
#include "detect/verdict/judge.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct verdict_weights w;
    struct judgement j;
    static const uint8_t domain[] = "com\0bad\0";
    struct standing_row rows[] = { { "d", GROUP_LABELS, 12, 5, { domain, sizeof domain } }, { "d", GROUP_STANDING, -12, 5, { domain, sizeof domain } } };
    if (weights_parse((const char *)data, size, &w, NULL) != 0)
        return 0;
    for (unsigned g = 0; g < JUDGED_GROUPS; g++)
        must(w.weight[g] >= 0 && w.cap[g] >= 0);
    must(0 < w.level[VERDICT_WATCH] && w.level[VERDICT_WATCH] < w.level[VERDICT_HIGH_RISK]);
    must(w.n_conclusive <= WEIGHTS_CONCLUSIVE && strlen(w.digest) == WEIGHTS_DIGEST - 1);
    struct standing s = { .domain = { domain, sizeof domain }, .step = 1000, .rows = rows, .n_rows = 2 };
    verdict_judge(&s, &w, &j);
    must(j.score >= 0 && j.score <= 1);
    return 0;
}
