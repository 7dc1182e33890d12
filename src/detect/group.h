/* group: the independent kinds of evidence, and the families they form (docs/design/verdict.md).
 *
 * Within a group the strongest counts. One benign program can cause several groups of a family at once. */
#ifndef DNSMON_DETECT_GROUP_H
#define DNSMON_DETECT_GROUP_H

enum family {
    FAMILY_NOVELTY,
    FAMILY_AUTOMATION, /* one program, not harm */
    FAMILY_BURST,
    FAMILY_LEXICAL,    /* never blocks */
    FAMILY_HARM,       /* each group of it is a family of its own */
    FAMILY_AGAINST,    /* counter-evidence: strengths below zero */
};

/*  XX(identifier, text in ledger and output, family) */
#define GROUP_MAP(XX)                          \
    XX(NOVELTY, "novelty", NOVELTY)            \
    XX(RHYTHM, "rhythm", AUTOMATION)           \
    XX(COHORT, "cohort", AUTOMATION)           \
    XX(CURVE, "curve", AUTOMATION)             \
    XX(BURST, "burst", BURST)                  \
    XX(LEXICAL, "lexical", LEXICAL)            \
    XX(LABELS, "labels", HARM)                 \
    XX(DEMAND, "demand", HARM)                 \
    XX(LOOK_ALIKE, "look-alike", HARM)         \
    XX(ANSWER, "answer", HARM)                 \
    XX(VOLUME, "volume", HARM)                 \
    XX(INFRASTRUCTURE, "infrastructure", HARM) \
    XX(EXTERNAL, "external", HARM)             \
    XX(STANDING, "standing", AGAINST) /* age, popularity and its stability, breadth */       \
    XX(HUMAN, "human", AGAINST)       /* asked for when people are awake, by ways of people */ \
    XX(SERVICE, "service", AGAINST)   /* a well-known class of service */                    \
    XX(ANCHOR, "anchor", AGAINST)     /* an established owner's own */

#define XX(id, text, family) GROUP_##id,
enum group { GROUP_MAP(XX) GROUPS };
#undef XX

const char *group_text(enum group group);
enum family group_family(enum group group);

#endif
