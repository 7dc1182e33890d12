#include "base/tally.h"

enum { SKIPPED, MALFORMED };

static const struct {
    const char *text;
    uint8_t class;
} causes[TALLY_CAUSES] = {
#define XX(name, class, text) [TALLY_##name] = { text, class },
    TALLY_CAUSE_MAP(XX)
#undef XX
};

const char *tally_text(enum tally_cause cause)
{
    return causes[cause].text;
}

bool tally_is_malformed(enum tally_cause cause)
{
    return causes[cause].class == MALFORMED;
}

void tally_add(struct tally *to, const struct tally *from)
{
    for (int i = 0; i < TALLY_CAUSES; i++)
        to->n[i] += from->n[i];
}
