/* Feeds of anything. A line an item: a byte for its trigger, one for its action, then name, reason, categories, family, campaign
 * and garden with tabs between them. Properties: what a format writes is of its alphabet and shape, whatever the texts are: no item adds a line,
 * a field, or a comment of its own. */
#include "cmd/policy_file.h"
#include "must.h"
#include "protect/feed/cover.h"

#include <ctype.h>
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS = 6, ITEMS = 64 };

struct line {
    enum trigger trigger;
    enum feed_action action;
    const char *texts[TEXTS]; /* name, reason, categories, family, campaign, garden */
};

static struct publication publication_of(const struct line *l)
{
    return (struct publication){
        .name = l->texts[0], .trigger = l->trigger, .stage = STAGE_PUBLISHED, .since = 1700000000, .approved_by = "dnsmon", .reason = l->texts[1],
        .level = VERDICT_MALICIOUS, .score = .5, .categories = l->texts[2], .family = l->texts[3], .campaign = 1, .valid_until = 1800000000,
    };
}

/* Cuts `text` up; it has a NUL at its end, and none in it. */
static size_t cut(char *text, struct line lines[ITEMS])
{
    size_t count = 0;
    for (char *at = text, *end; *at != '\0' && count < ITEMS; at = end) {
        end = at + strcspn(at, "\n");
        if (*end != '\0')
            *end++ = '\0';
        if (at[0] == '\0' || at[1] == '\0')
            continue;
        struct line *l = &lines[count++];
        l->trigger = (enum trigger)((uint8_t)at[0] % TRIGGERS);
        l->action = (enum feed_action)((uint8_t)at[1] % FEED_ACTIONS);
        at += 2;
        for (size_t i = 0; i < TEXTS; i++) {
            l->texts[i] = at;
            at += strcspn(at, "\t");
            if (*at != '\0')
                *at++ = '\0';
        }
    }
    return count;
}

static int collect(void *to, const void *ptr, size_t len, struct fault *why)
{
    (void)why;
    buffer_append(to, ptr, len);
    return 0;
}

static struct feed_result write_feed(struct buffer *to, const struct feed_format *format, const struct feed_about *about,
                                     const struct line *lines, size_t count)
{
    struct feed *f;
    struct feed_result result;
    struct fault why;
    must(feed_open_stream(&f, format, about, collect, to, NULL, &why) == 0);
    for (size_t i = 0; i < count; i++) {
        const struct publication p = publication_of(&lines[i]);
        const struct feed_item item = { .p = &p, .action = lines[i].action, .garden = lines[i].texts[5], .campaign = lines[i].texts[4], .evidence = "" };
        must(feed_item(f, &item, &why) == 0);
    }
    must(feed_commit(&f, &result, &why) == 0);
    uint64_t all = result.counts.items;
    for (int i = 0; i < FEED_LEFTS; i++)
        all += result.counts.left[i];
    must(all == count && !to->failed);
    buffer_u8(to, '\0');
    return result;
}

static size_t count_of(const char *line, size_t len, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += line[i] == c;
    return count;
}

/* blanks; tabs; what the line begins with, or NULL; what it ends with, or NULL */
static const struct shape {
    const char *format;
    size_t blanks, tabs;
    const char *first, *last;
} shapes[] = {
    { "rpz", 2, 0, "abcdefghijklmnopqrstuvwxyz0123456789-_*\\", NULL },
    { "hosts", 1, 0, "0123456789abcdef:", NULL },
    { "adblock", 0, 0, "|", "^" },
    { "dnsmasq", 0, 0, "ah", NULL },
    { "unbound", SIZE_MAX, 0, "l", NULL },
    { "suricata", SIZE_MAX, 0, "a", ")" },
    { "zeek", SIZE_MAX, 4, NULL, NULL },
    { "policy", 0, 0, NULL, NULL },
};

static void check_line(const struct shape *s, const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        must(isprint((unsigned char)line[i]) || line[i] == '\t');
    must(len != 0 && (s->blanks == SIZE_MAX || count_of(line, len, ' ') == s->blanks) && count_of(line, len, '\t') == s->tabs);
    must(s->first == NULL || strchr(s->first, line[0]) != NULL);
    must(s->last == NULL || strchr(s->last, line[len - 1]) != NULL);
}

/* Behind the head, which is that of an empty feed. */
static void check_lines(const struct shape *s, const char *text, size_t head, const struct feed_result *result)
{
    const struct feed_format *format = feed_format_of(s->format);
    size_t lines = 0;
    for (text += head; *text != format->sign[0] || strncmp(text + 1, " items: ", 8) != 0; lines++) {
        size_t len = strcspn(text, "\n");
        must(text[len] == '\n');
        check_line(s, text, len);
        text += len + 1;
    }
    must(lines >= result->counts.items && strchr(text, '\n')[1] == '\0');
}

static size_t head_of(const struct buffer *b)
{
    const char *foot = strstr((const char *)b->ptr, " items: ");
    must(foot != NULL);
    return (size_t)(foot - 1 - (const char *)b->ptr);
}

static void check_shape(const struct shape *s, const struct feed_about *about, const struct line *lines, size_t count)
{
    struct buffer none, some;
    buffer_init(&none, 1 << 20);
    buffer_init(&some, 16 << 20);
    write_feed(&none, feed_format_of(s->format), about, NULL, 0);
    const struct feed_result result = write_feed(&some, feed_format_of(s->format), about, lines, count);
    check_lines(s, (const char *)some.ptr, head_of(&none), &result);
    if (strcmp(s->format, "policy") == 0) {
        struct policy *policy;
        struct fault why;
        must(policy_parse(&policy, (struct slice){ some.ptr, some.len - 1 }, "policy", &why) == 0);
        policy_destroy(&policy);
    }
    buffer_release(&none);
    buffer_release(&some);
}

static void check_stix(const struct feed_about *about, const struct line *lines, size_t count)
{
    struct buffer b;
    buffer_init(&b, 16 << 20);
    write_feed(&b, feed_format_of("stix"), about, lines, count);
    json_t *bundle = json_loads((const char *)b.ptr, JSON_REJECT_DUPLICATES, NULL);
    must(bundle != NULL);
    json_decref(bundle);
    buffer_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line lines[ITEMS];
    struct feed_cover cover = { .names = { .count = 0 } };
    struct feed_about about = { .publisher = "a \"fuzzer\"", .zone = "rpz.test", .serial = 1, .ttl_s = 30, .cover = &cover, .link = "" };
    struct fault why;
    char *text = calloc(1, size + 1);
    must(text != NULL);
    if (size != 0)
        memcpy(text, data, size);
    size_t count = cut(text, lines);
    for (size_t i = 0; i < count; i++) {
        const struct publication p = publication_of(&lines[i]);
        must(feed_cover_add(&cover, &p, lines[i].action, &why) == 0);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_shape(&shapes[i], &about, lines, count);
    check_stix(&about, lines, count);
    feed_cover_release(&cover);
    free(text);
    return 0;
}
