#include "protect/receipt.h"

const char *receipt_kind_text(enum receipt_kind kind)
{
    static const char *const texts[RECEIPT_KINDS] = { "soa", "axfr", "ixfr", "notify" };
    return texts[kind];
}

const char *receipt_outcome_text(enum receipt_outcome outcome)
{
    static const char *const texts[OUTCOMES] = { "done", "current", "whole", "use tcp", "cut", "slow", "unwanted" };
    return texts[outcome];
}
