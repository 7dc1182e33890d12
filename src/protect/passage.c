#include "protect/passage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400 };

#define BLOCKED_BY "blocked by "
#define APPROVED_BY "approved by "

static void say(struct passage *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct passage *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->reason, sizeof p->reason, format, args);
    va_end(args);
}

void passage_approved(const char *author, const char *words, char reason[PASSAGE_REASON_MAX])
{
    snprintf(reason, PASSAGE_REASON_MAX, APPROVED_BY "%.128s: %.1100s", author, words);
}

static bool is_person(const char *author)
{
    return author[0] != '\0' && strcmp(author, PASSAGE_AUTHOR) != 0;
}

static bool is_operators(const struct indicator *i)
{
    return strcmp(i->categories, PASSAGE_OPERATOR) == 0;
}

static bool is_word(const struct passage_case *c, enum decision_action action)
{
    return c->word != NULL && c->word->action == action;
}

/* ---- gone ---- */

/* Analysis' own end by the data's clock, operators' by the wall's, and not while the word holds. */
static bool has_ended(const struct passage_case *c)
{
    const struct indicator *i = c->indicator;
    return !is_word(c, DECISION_BLOCK) && i->valid_until != 0 && i->valid_until <= (is_operators(i) ? c->now : c->data_time);
}

static bool find_gone(const struct passage_case *c, struct passage *p)
{
    const struct indicator *i = c->indicator;
    if (is_word(c, DECISION_ALLOW)) {
        p->by_word = true;
        p->author = c->word->author;
        say(p, "allowed by %.128s: %.1100s", c->word->author, c->word->reason);
    } else if (i->state != INDICATOR_ACTIVE) {
        if (is_person(c->author))
            p->author = c->author;
        say(p, "%s: %.1100s", indicator_state_text(i->state), i->reason);
    } else if (has_ended(c)) {
        say(p, is_operators(i) ? "the operator's word has come to its end" : "its time has passed, and nothing renewed it");
    } else {
        return false;
    }
    p->stage = STAGE_OUT;
    return true;
}

/* ---- by an operator ---- */

static bool find_never(const struct passage_case *c, struct passage *p)
{
    if (c->guard != GUARD_NEVER)
        return false;
    p->stage = STAGE_REVIEW;
    say(p, "never: %s", c->guard_why);
    return true;
}

static bool find_blocked(const struct passage_case *c, struct passage *p)
{
    const struct indicator *i = c->indicator;
    bool covered = is_word(c, DECISION_BLOCK);
    if (!covered && !is_operators(i))
        return false;
    const char *who = covered ? c->word->author : is_person(c->author) ? c->author : c->before ? c->before->approved_by : "";
    p->stage = STAGE_PUBLISHED;
    p->by_word = true;
    p->approved_by = p->author = is_person(who) ? who : "operator";
    p->due = covered ? c->word->until : i->valid_until;
    say(p, BLOCKED_BY "%.128s: %.1100s", p->approved_by, covered ? c->word->reason : i->reason);
    return true;
}

/* ---- by policy ---- */

/* Approval ends when a trigger is out, and that by a block with the block. */
static bool is_approved(const struct passage_case *c)
{
    const struct publication *b = c->before;
    if (b == NULL || b->stage == STAGE_OUT || b->approved_by[0] == '\0' || strncmp(b->reason, BLOCKED_BY, sizeof BLOCKED_BY - 1) == 0)
        return false;
    return is_person(b->approved_by) || c->guard == GUARD_FREE;
}

static void enter(const struct passage_case *c, struct passage *p)
{
    p->approved_by = PASSAGE_AUTHOR;
    p->stage = c->policy->shadow_s > 0 ? STAGE_SHADOW : STAGE_PUBLISHED;
    say(p, APPROVED_BY "policy");
}

static void go_on(const struct passage_case *c, struct passage *p)
{
    const struct publication *b = c->before;
    bool over = b->stage == STAGE_SHADOW && c->now >= b->since + c->policy->shadow_s;
    if (b->stage == STAGE_REVIEW) { /* a jump held it */
        enter(c, p);
        return;
    }
    p->approved_by = b->approved_by;
    p->stage = over ? STAGE_PUBLISHED : b->stage;
    say(p, "%s%s", b->reason, over ? ", and was shadow before" : "");
}

/* The next day has room again. */
static bool find_cap(const struct passage_case *c, struct passage *p)
{
    if (!c->capped)
        return false;
    p->due = (c->now / DAY_S + 1) * DAY_S;
    say(p, "policy approves %" PRIu64 " a day, and no more today", c->policy->approve.per_day);
    return true;
}

/* What keeps policy from approving it; false: nothing. */
static bool find_objection(const struct passage_case *c, struct passage *p)
{
    const struct protection_approve *a = &c->policy->approve;
    const char *category = protection_category(c->indicator->categories, &a->not);
    if (c->withdrawal != NULL)
        say(p, "withdrawn by %.128s: %.1100s", c->withdrawal->author, c->withdrawal->reason);
    else if (c->guard != GUARD_FREE)
        say(p, "%s", c->guard_why);
    else if (c->indicator->level < a->least)
        say(p, "%s is less than %s", verdict_level_text(c->indicator->level), verdict_level_text(a->least));
    else if (category != NULL)
        say(p, "%.200s needs a person's word", category);
    else if (c->clients > a->clients)
        say(p, "%" PRIu64 " clients would have been hit, more than %" PRIu64, c->clients, a->clients);
    else
        return find_cap(c, p);
    return true;
}

static void find_by_policy(const struct passage_case *c, struct passage *p)
{
    if (is_approved(c)) {
        go_on(c, p);
    } else if (!find_objection(c, p)) {
        enter(c, p);
        p->approves = true;
    }
}

/* ---- the stage ---- */

/* In the same stage since it came to it. */
static void set_since(const struct passage_case *c, struct passage *p)
{
    const struct publication *b = c->before;
    p->since = b != NULL && b->stage == p->stage ? b->since : c->now;
    if (p->stage == STAGE_SHADOW)
        p->due = p->since + c->policy->shadow_s;
}

static void stay(const struct passage_case *c, struct passage *p)
{
    const struct publication *b = c->before;
    *p = (struct passage){ .nothing = b == NULL, .stage = STAGE_OUT, .approved_by = "", .author = PASSAGE_AUTHOR };
    if (b == NULL)
        return;
    p->stage = b->stage;
    p->since = b->since;
    p->due = 0;
    p->approved_by = b->approved_by;
    say(p, "%s", b->reason);
}

void passage_find(const struct passage_case *c, struct passage *ret)
{
    *ret = (struct passage){ .stage = STAGE_REVIEW, .approved_by = "", .author = PASSAGE_AUTHOR };
    if (c->indicator == NULL) {
        stay(c, ret);
        return;
    }
    ret->by_word = is_person(c->author) || is_operators(c->indicator);
    if (find_gone(c, ret)) {
        if (c->before == NULL || c->before->stage == STAGE_OUT)
            stay(c, ret);
        else
            set_since(c, ret);
        return;
    }
    if (!find_never(c, ret) && !find_blocked(c, ret))
        find_by_policy(c, ret);
    set_since(c, ret);
}
