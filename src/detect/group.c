#include "detect/group.h"

static const struct {
    const char *text;
    enum family family;
} groups[GROUPS] = {
#define XX(id, text, family) { text, FAMILY_##family },
    GROUP_MAP(XX)
#undef XX
};

const char *group_text(enum group group)
{
    return groups[group].text;
}

enum family group_family(enum group group)
{
    return groups[group].family;
}
