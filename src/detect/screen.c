#include "detect/screen.h"

static const char *const texts[SCREENS] = {
#define XX(id, text) text,
    SCREEN_MAP(XX)
#undef XX
};

const char *screen_text(enum screen s)
{
    return texts[s];
}

bool screen_name(const struct suffix_list *suffixes, struct slice owner)
{
    return suffix_find(suffixes, owner.ptr, owner.len).registered != 0 && suffix_tld(suffixes, owner.ptr, owner.len);
}

static bool is_recent(uint32_t when, uint32_t hour, uint32_t span)
{
    return when != 0 && hour - when < span;
}

/* It does not exist, and did not an hour ago. */
static bool is_missing(const struct profile *p, uint32_t hour)
{
    return is_recent(p->missing_last, hour, 24) && p->missing_last > p->exists_last;
}

/* A new host where hosts are known, and few. */
static bool has_news(const struct profile *p, uint32_t hour)
{
    return is_recent(p->new_hosts_last, hour, SCREEN_NEWS) && p->new_hosts_last - p->first >= SCREEN_HOSTS_KNOWN;
}

enum screen screen(const struct profile *p, uint32_t carried, uint32_t hour, uint32_t first)
{
    if (carried >= CHANNEL_BYTES)
        return SCREEN_CANDIDATE;
    bool learned = p->first - first >= SCREEN_LEARNING;
    bool young = learned && hour - p->first < SCREEN_YOUNG;
    if (p->hours < SCREEN_HOURS || p->queries < SCREEN_QUERIES)
        return SCREEN_LITTLE;
    if (p->broad_days >= SCREEN_BROAD_DAYS && !is_missing(p, hour) && !has_news(p, hour))
        return SCREEN_POPULAR;
    if (young || is_missing(p, hour) || is_recent(p->returned, hour, SCREEN_NEWS) || has_news(p, hour))
        return SCREEN_CANDIDATE;
    return learned || hour - first >= SCREEN_YOUNG ? SCREEN_ESTABLISHED : SCREEN_YOUNG_DATABASE;
}
