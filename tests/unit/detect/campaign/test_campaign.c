/* Campaigns, told as stories: each period a line of links, and after it what the set looks like and what changed, as text.
 *
 * Names are single letters (domains a.t, b.t, ...). A link is FROM TO GROUP STRENGTH in four characters and more: "abC6" says that a is
 * connected with b by cohort, 6 nats; C cohort, U curve, L labels, I infrastructure, R rhythm. Marks: "-x" x stands apart, "!x" x is blocked,
 * "~x" x was silent. The set is told as "abc+de": campaigns in order of age, members in order; changes, campaigns
 * told by their first member, as "a<0" created, "c<a" split from a, "a+c" joined, "a-c" left, "a>c" merged into c. Ties: "b5h", h for harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "detect/campaign/campaign.h"

enum { LETTERS = 26, LINKS = 64, TEXT = 512, START = 6005 };

static uint8_t keys[LETTERS][8];

static struct slice key_of(char letter)
{
    uint8_t *key = keys[letter - 'a'];
    memcpy(key, "t\0a\0\0", 5);
    key[2] = (uint8_t)letter;
    return (struct slice){ key, 5 };
}

static char letter_of(struct slice key)
{
    return (char)key.ptr[2];
}

static enum group group_of(char c)
{
    switch (c) {
    case 'C': return GROUP_COHORT;
    case 'U': return GROUP_CURVE;
    case 'L': return GROUP_LABELS;
    case 'I': return GROUP_INFRASTRUCTURE;
    default: return GROUP_RHYTHM;
    }
}

struct told {
    struct campaign_name names[LETTERS];
    struct campaign_link links[LINKS];
    struct campaign_period period;
};

static void tell(struct told *t, const char *story, uint32_t step)
{
    *t = (struct told){ .period = { .step = step, .names = t->names, .n_names = LETTERS, .links = t->links } };
    for (int i = 0; i < LETTERS; i++)
        t->names[i] = (struct campaign_name){ key_of((char)('a' + i)), true, false, false };
    for (const char *at = story; *at;) {
        char *end = (char *)at + 2;
        if (*at == ' ') {
            at++;
            continue;
        }
        struct campaign_name *name = &t->names[at[1] - 'a'];
        if (*at == '-')
            name->apart = true;
        else if (*at == '!')
            name->blocked = true;
        else if (*at == '~')
            name->active = false;
        else
            t->links[t->period.n_links++] = (struct campaign_link){ key_of(at[0]), key_of(at[1]), group_of(at[2]), strtod(at + 3, &end) };
        at = end;
    }
}

static void show_set(const struct campaign_set *set, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < set->n; i++) {
        text += sprintf(text, i ? "+" : "");
        for (size_t m = 0; m < set->bodies[i].n; m++)
            text += sprintf(text, "%c", letter_of(set->bodies[i].parts[m].name));
    }
}

/* Which of the two sets' campaigns it is, by its smallest member. */
static char first_of(const struct campaign_set *now, const struct campaign_set *before, uint64_t identity)
{
    for (const struct campaign_set *set = now; set != NULL; set = set == now ? before : NULL)
        for (size_t i = 0; i < set->n; i++)
            if (set->bodies[i].identity == identity)
                return letter_of(set->bodies[i].parts[0].name);
    return identity ? '?' : '0';
}

static void show_changes(const struct campaign_set *now, const struct campaign_set *before, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < now->n_changes; i++) {
        const struct campaign_change *c = &now->changes[i];
        text += sprintf(text, "%s%c", i ? " " : "", first_of(now, before, c->campaign));
        switch (c->kind) {
        case CAMPAIGN_CREATED: text += sprintf(text, "<%c", first_of(now, before, c->other)); break;
        case CAMPAIGN_MERGED: text += sprintf(text, ">%c", first_of(now, before, c->other)); break;
        case CAMPAIGN_JOINED: text += sprintf(text, "+%c", letter_of(c->name)); break;
        default: text += sprintf(text, "-%c", letter_of(c->name)); break;
        }
    }
}

static void show_ties(const struct campaign_set *set, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < set->n_ties; i++)
        text += sprintf(text, "%s%c%g%s", i ? " " : "", letter_of(set->ties[i].name), set->ties[i].strength, set->ties[i].harm ? "h" : "");
}

struct period {
    unsigned times; /* the same again; what is expected is of the last time */
    const char *story, *set, *changes, *ties;
};

struct tale {
    const char *what;
    struct period periods[6];
};

static const struct tale tales[] = {
    { "one group of automation does not join", { { 1, "abC6 bcU6", "", "", "" } } },
    { "two do", { { 1, "abC3 abU3", "ab", "a<0 a+a a+b", "" } } },
    { "two that are weak do not", { { 1, "abC3 abU2.9", "", "", "" } } },
    { "what two ends say of one group is not two groups", { { 1, "abC6 baC6", "", "", "" } } },
    { "two ends may say different things", { { 1, "abC3 baU3", "ab", "a<0 a+a a+b", "" } } },
    { "a group gives 6 at most", { { 1, "abC12 abU1 cdC12 cdR12", "ab", "a<0 a+a a+b", "" } } },
    { "one of harm joins alone", { { 1, "abL4 efL3.9", "ab", "a<0 a+a a+b", "" }, { 1, "cdI4", "ab+cd", "c<0 c+c c+d", "" } } },
    { "rhythm connects nothing", { { 1, "abR12 abC3", "", "", "" } } },
    { "nobody is tied to himself", { { 1, "aaL9", "", "", "" } } },
    { "who stands apart is no bridge", { { 1, "abL6 bcL6 -b", "", "", "" } } },
    { "names join", { { 1, "abL6", "ab", "a<0 a+a a+b", "" }, { 1, "bcL6 abL6", "abc", "a+c", "" } } },
    { "also when the old ones are not seen", { { 1, "abL6", "ab", "a<0 a+a a+b", "" }, { 1, "bcL6", "abc", "a+c", "" } } },
    { "members stay without edges", { { 1, "abL6", "ab", "a<0 a+a a+b", "" }, { 55, "", "ab", "", "" }, { 1, "", "", "a-a a-b", "" } } },
    { "silent ones for ever", { { 1, "abL6", "ab", "a<0 a+a a+b", "" }, { 200, "~a ~b", "ab", "", "" } } },
    { "one edge in time starts anew", { { 1, "abL6", "ab", "a<0 a+a a+b", "" }, { 55, "", "ab", "", "" }, { 1, "abL6", "ab", "", "" },
                                        { 55, "", "ab", "", "" }, { 1, "", "", "a-a a-b", "" } } },
    { "an edge to others is none to the core", { { 1, "abL6 bcL6", "abc", "", "" }, { 55, "abL6", "abc", "", "" }, { 1, "abL6 cdL6", "ab+cd", "a-c c<a c+c c+d", "" } } },
    { "one leaves", { { 1, "abL6 bcL6", "abc", "", "" }, { 55, "abL6", "abc", "", "" }, { 1, "abL6", "ab", "a-c", "" } } },
    { "some split", { { 1, "abL6 bcL6 cdL6", "abcd", "", "" }, { 55, "abL6 cdL6", "abcd", "", "" }, { 1, "abL6 cdL6", "ab+cd", "a-c a-d c<a c+c c+d", "" } } },
    { "the larger part is the core", { { 1, "abL6 bcL6 cdL6 deL6", "abcde", "", "" }, { 55, "abL6 cdL6 deL6", "abcde", "", "" },
                                       { 1, "abL6 cdL6 deL6", "cde+ab", "c-a c-b a<c a+a a+b", "" } } },
    { "who comes to stand apart leaves at once", { { 1, "abL6 bcL6", "abc", "", "" }, { 1, "abL6 bcL6 -b", "ac", "a-b", "" } } },
    { "two become one, the larger goes on", { { 1, "abL6", "ab", "", "" }, { 1, "cdL6 deL6", "ab+cde", "", "" },
                                              { 1, "bcL6", "abcde", "a>a", "" } } },
    { "of equals the older", { { 1, "cdL6", "cd", "", "" }, { 1, "abL6", "cd+ab", "", "" }, { 1, "bcL6", "abcd", "a>a", "" } } },
    { "an edge merges at once, however idle", { { 1, "abL6 bcL6", "abc", "", "" }, { 1, "xyL6", "abc+xy", "", "" }, { 50, "abL6 xyL6", "abc+xy", "", "" },
                                               { 1, "abL6 cxL6", "abcxy", "x>a", "" } } },
    { "one goes over to others", { { 1, "abL6 bcL6", "abc", "", "" }, { 1, "abL6 xyL6", "abc+xy", "", "" }, { 54, "abL6 xyL6", "abc+xy", "", "" },
                                   { 1, "abL6 xyL6 cxL6", "ab+cxy", "a-c c+c", "" } } },
    { "tied to a blocked name", { { 1, "abL5 bcC4 bcU4 !a", "abc", "a<0 a+a a+b a+c", "b5h" } } },
    { "automation ties without harm, 6 at most", { { 1, "abC5 abU5 !a", "ab", "a<0 a+a a+b", "b6" } } },
    { "a blocked name needs no tie", { { 1, "abL5 !a !b", "ab", "a<0 a+a a+b", "" } } },
};

static void play(const struct tale *tale, bool reversed, bool stored)
{
    struct campaign_set sets[2];
    static struct told told;
    unsigned now = 0, step = START;
    campaign_set_init(&sets[0]);
    campaign_set_init(&sets[1]);
    for (const struct period *p = tale->periods; p->story != NULL; p++) {
        char set[TEXT], changes[TEXT], ties[TEXT];
        for (unsigned i = 0; i < p->times; i++, step += 6) {
            tell(&told, p->story, step);
            for (size_t a = 0, b = told.period.n_links; reversed && a + 1 < b; a++, b--) {
                struct campaign_link swap = told.links[a];
                told.links[a] = told.links[b - 1];
                told.links[b - 1] = swap;
            }
            assert_int_equal(campaign_update(&sets[now], &told.period, &sets[!now], NULL), 0);
            now = !now;
            show_set(&sets[now], set);
            show_changes(&sets[now], &sets[!now], changes);
            show_ties(&sets[now], ties);
            if (stored) { /* what is written and read again goes on alike */
                struct buffer bytes;
                buffer_init(&bytes, 1 << 16);
                campaign_set_put(&sets[now], &bytes);
                assert_int_equal(campaign_set_get(&sets[now], (struct slice){ bytes.ptr, bytes.len }, NULL), 0);
                buffer_release(&bytes);
            }
        }
        bool tells_changes = p->changes[0] != '\0' || p->set[0] == '\0' || p->times > 1;
        if (strcmp(set, p->set) != 0 || (tells_changes && strcmp(changes, p->changes) != 0) || strcmp(ties, p->ties) != 0)
            fail_msg("%s: period %d: \"%s\" changed \"%s\" ties \"%s\"", tale->what, (int)(p - tale->periods), set, changes, ties);
    }
    campaign_set_release(&sets[0]);
    campaign_set_release(&sets[1]);
}

static void test_tales(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tales / sizeof tales[0]; i++)
        for (int way = 0; way < 4; way++)
            play(&tales[i], way & 1, way & 2);
}

/* The strongest edges make the campaign, what would make it too large is refused and counted. */
static void test_size(void **state)
{
    (void)state;
    enum { N = 1500 };
    static uint8_t many[N][16];
    static struct campaign_name names[N];
    static struct campaign_link links[N];
    struct campaign_set none, set;
    for (unsigned i = 0; i < N; i++) {
        snprintf((char *)many[i], sizeof many[i], "t%cn%04u", 0, i);
        names[i] = (struct campaign_name){ { many[i], 9 }, true, false, false };
        if (i)
            links[i] = (struct campaign_link){ names[i - 1].name, names[i].name, GROUP_LABELS, i < 1200 ? 6 : 5 };
    }
    struct campaign_period period = { START, names, N, links + 1, N - 1 };
    campaign_set_init(&none);
    campaign_set_init(&set);
    assert_int_equal(campaign_update(&none, &period, &set, NULL), 0);
    assert_int_equal(set.refused, 1);
    assert_int_equal(set.n, 2);
    assert_int_equal(set.bodies[0].n + set.bodies[1].n, N);
    const struct campaign_body *first = campaign_with(&set, names[0].name);
    assert_int_equal(first->n, CAMPAIGN_PARTS_MAX);
    assert_ptr_not_equal(first, campaign_with(&set, names[CAMPAIGN_PARTS_MAX].name));
    assert_null(campaign_with(&set, (struct slice){ (const uint8_t *)"t\0x\0", 5 }));
    campaign_set_release(&none);
    campaign_set_release(&set);
}

/* Joined, idle and born are kept, and the reason names the strongest tie. */
static void test_details(void **state)
{
    (void)state;
    static struct told told;
    struct campaign_set none, one, two;
    campaign_set_init(&none);
    campaign_set_init(&one);
    campaign_set_init(&two);
    tell(&told, "abL6", START);
    assert_int_equal(campaign_update(&none, &told.period, &one, NULL), 0);
    tell(&told, "bcL5 acL4 acC3", START + 6);
    assert_int_equal(campaign_update(&one, &told.period, &two, NULL), 0);
    assert_true(two.bodies[0].identity == one.bodies[0].identity);
    assert_int_equal(two.bodies[0].born, START);
    assert_int_equal(two.bodies[0].parts[0].joined, START);
    assert_int_equal(two.bodies[0].parts[2].joined, START + 6);
    assert_int_equal(two.n_changes, 1);
    assert_int_equal(letter_of(two.changes[0].peer), 'a');
    assert_true(two.changes[0].strength == 7);
    assert_int_equal(two.changes[0].groups, 1u << GROUP_LABELS | 1u << GROUP_COHORT);
    tell(&told, "bcL5", START + 12);
    assert_int_equal(campaign_update(&two, &told.period, &one, NULL), 0);
    assert_int_equal(one.bodies[0].parts[0].idle, 1);
    assert_int_equal(one.bodies[0].parts[1].idle, 0);
    campaign_set_release(&none);
    campaign_set_release(&one);
    campaign_set_release(&two);
}

static void test_damaged(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t len; int code; } rows[] = {
#define ROW(text, code) { text, sizeof text - 1, code }
        ROW("\1\0", 0),
        ROW("\1\1\7\5\1\5t\0a\0\0\5\0", 0),
        ROW("", E_CORRUPT), ROW("\2\0", E_CORRUPT), ROW("\1\0x", E_CORRUPT),      /* nothing; version; too much */
        ROW("\1\1\7\5\1\5t\0a\0\0\5", E_CORRUPT),                                  /* cut */
        ROW("\1\1\0\5\1\5t\0a\0\0\5\0", E_CORRUPT),                                /* no identity */
        ROW("\1\1\7\5\0", E_CORRUPT),                                              /* no members */
        ROW("\1\1\7\5\1\5t\0a\0x\5\0", E_CORRUPT),                                 /* not a key */
        ROW("\1\1\7\5\1\1\0\5\0", E_CORRUPT),                                      /* the root */
        ROW("\1\1\7\5\1\5t\0a\0\0\5\x39", E_CORRUPT),                              /* too long idle */
        ROW("\1\1\7\5\2\5t\0b\0\0\5\0\5t\0a\0\0\5\0", E_CORRUPT),                  /* out of order */
        ROW("\1\2\7\5\1\5t\0a\0\0\5\0\7\5\1\5t\0b\0\0\5\0", E_CORRUPT),            /* twice the same campaign */
        ROW("\1\2\7\5\1\5t\0a\0\0\5\0\10\5\1\5t\0a\0\0\5\0", E_CORRUPT),           /* twice the same name */
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct campaign_set set;
        campaign_set_init(&set);
        int code = campaign_set_get(&set, (struct slice){ (const uint8_t *)rows[i].bytes, rows[i].len }, NULL);
        if (code != rows[i].code)
            fail_msg("row %zu: %d", i, code);
        campaign_set_release(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tales), cmocka_unit_test(test_size), cmocka_unit_test(test_details), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
