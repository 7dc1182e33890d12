#include "protect/rpz/delivery.h"

const char *delivery_kind_text(enum delivery_kind kind)
{
    static const char *const texts[DELIVERY_KINDS] = { "soa", "axfr", "ixfr", "notify" };
    return texts[kind];
}

const char *delivery_outcome_text(enum delivery_outcome outcome)
{
    static const char *const texts[OUTCOMES] = { "done", "current", "whole", "use tcp", "cut", "slow", "unwanted" };
    return texts[outcome];
}
