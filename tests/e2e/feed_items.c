/* feed_items FORMAT PATH [ZONE]: a feed of items that no command has yet, a line each on the input:
 *
 *     host nxdomain bad.example
 *     address garden 192.0.2.0/24 192.0.2.66 2001:db8::66
 *     domain allow www.bad.example bad.example nxdomain
 */
#include "protect/feed/cover.h"

#include <inttypes.h>
#include <stdio.h>

struct line {
    char text[1024];
    char *trigger, *action, *name, *garden;
};

static const char *const triggers[TRIGGERS] = { "domain", "host", "address", "nameserver" };
static const char *const actions[FEED_ACTIONS] = { "nxdomain", "nodata", "garden", "drop", "passthru" };

static int index_of(const char *const *words, int count, const char *word)
{
    int i = 0;
    while (i < count && (word == NULL || strcmp(words[i], word) != 0))
        i++;
    if (i == count)
        exit(2);
    return i;
}

static bool next(struct line *l)
{
    char *rest;
    if (fgets(l->text, sizeof l->text, stdin) == NULL)
        return false;
    l->text[strcspn(l->text, "\n")] = '\0';
    l->trigger = strtok_r(l->text, " ", &rest);
    l->action = strtok_r(NULL, " ", &rest);
    l->name = strtok_r(NULL, " ", &rest);
    l->garden = rest;
    return l->name != NULL;
}

static struct publication publication_of(const struct line *l)
{
    return (struct publication){
        .name = l->name, .trigger = (enum trigger)index_of(triggers, TRIGGERS, l->trigger), .stage = STAGE_PUBLISHED, .since = 1700000000,
        .approved_by = "dnsmon", .reason = "a test", .level = VERDICT_MALICIOUS, .score = .9, .categories = "[\"malware\"]", .family = "",
        .valid_until = 1800000000,
    };
}

/* `garden` of the line is the domain above and its action. */
static int put_exception(struct feed_cover *cover, struct feed *f, const struct line *l, struct fault *why)
{
    struct publication p = { .name = l->name, .trigger = (enum trigger)index_of(triggers, TRIGGERS, l->trigger), .reason = "", .categories = "[]" };
    char *action = l->garden;
    const struct feed_above above = { .domain = strsep(&action, " "), .action = (enum feed_action)index_of(actions, FEED_ACTIONS, action), .garden = "" };
    const struct feed_item item = { .p = &p, .action = FEED_PASSTHRU, .garden = "", .campaign = "", .evidence = "", .above = &above };
    return f == NULL ? feed_cover_except(cover, p.trigger, p.name, why) : feed_item(f, &item, why);
}

static int walk(struct feed_cover *cover, struct feed *f, struct fault *why)
{
    struct line l;
    int rc = 0;
    rewind(stdin);
    while (rc == 0 && next(&l)) {
        if (strcmp(l.action, "allow") == 0) {
            rc = put_exception(cover, f, &l, why);
            continue;
        }
        const struct publication p = publication_of(&l);
        const struct feed_item item = { .p = &p, .action = (enum feed_action)index_of(actions, FEED_ACTIONS, l.action), .garden = l.garden,
                                        .campaign = "", .evidence = "" };
        rc = f == NULL ? feed_cover_add(cover, &p, item.action, why) : feed_item(f, &item, why);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct feed_cover cover = { .names = { .count = 0 } };
    struct feed_about about = { .publisher = "tests", .zone = argc > 3 ? argv[3] : "", .serial = 1, .ttl_s = 30, .cover = &cover, .link = "" };
    struct feed_result result;
    struct feed *f = NULL;
    struct fault why;
    if (argc < 3 || feed_format_of(argv[1]) == NULL)
        return 2;
    int rc = walk(&cover, NULL, &why);
    if (rc == 0)
        rc = feed_open(&f, feed_format_of(argv[1]), &about, argv[2], NULL, &why);
    if (rc == 0)
        rc = walk(&cover, f, &why);
    if (rc == 0)
        rc = feed_commit(&f, &result, &why);
    if (rc == 0)
        printf("%" PRIu64 "\n", result.counts.items);
    else
        fprintf(stderr, "%s\n", why.text);
    feed_abandon(&f);
    feed_cover_release(&cover);
    return rc != 0;
}
