#include "cmd/published.h"

#include "protect/feed/format.h"

/* ---- formats ---- */

static struct indicator indicator_of(const struct publication *p)
{
    return (struct indicator){
        .name = p->name, .scope = p->trigger == TRIGGER_DOMAIN ? SCOPE_DOMAIN : SCOPE_HOST, .level = p->level, .score = p->score,
        .categories = p->categories, .family = p->family, .campaign = p->campaign, .first_seen = p->first_seen,
        .decided_at = p->since / KNOWLEDGE_HOUR_S, .valid_until = p->valid_until, .state = INDICATOR_ACTIVE, .reason = p->reason,
    };
}

/* Where it comes from, with the word for what it is. */
static struct finding_from from_of(const struct feed *f, const struct publication *p)
{
    struct finding_from from = *(const struct finding_from *)f->ctx;
    if (p->trigger == TRIGGER_ADDRESS)
        from.kind = "address";
    else if (p->trigger == TRIGGER_NAMESERVER)
        from.kind = "nameserver";
    return from;
}

static int jsonl_item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    const struct indicator i = indicator_of(e->p);
    const struct finding_from from = from_of(f, e->p);
    int rc = finding_of_indicator(&f->out, &from, &i, why);
    feed_put(&f->out, "\n");
    return rc;
}

static int csv_begin(struct feed *f, struct fault *why)
{
    (void)why;
    feed_put(&f->out, FINDING_CSV_HEADER);
    return E_OK;
}

static int csv_item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    const struct indicator i = indicator_of(e->p);
    const struct finding_from from = from_of(f, e->p);
    return finding_csv(&f->out, &from, &i, why);
}

const struct feed_format published_jsonl = {
    .name = "jsonl",
    .file = "indicators.jsonl",
    .media = "application/x-ndjson",
    .tells = true,
    .item = jsonl_item,
};

const struct feed_format published_csv = {
    .name = "csv",
    .file = "indicators.csv",
    .media = "text/csv; charset=utf-8",
    .tells = true,
    .begin = csv_begin,
    .item = csv_item,
};

const struct feed_format *const published_formats[] = { &published_jsonl, &published_csv, NULL };

const struct feed_format *published_format(const char *name)
{
    for (size_t i = 0; published_formats[i] != NULL; i++)
        if (strcmp(published_formats[i]->name, name) == 0)
            return published_formats[i];
    return feed_format_of(name);
}

/* ---- items ---- */

void published_init(struct published *p, const struct finding_from *from)
{
    p->from = *from;
    buffer_init(&p->campaign, KNOWLEDGE_TEXT_MAX);
    buffer_init(&p->evidence, KNOWLEDGE_TEXT_MAX);
}

void published_release(struct published *p)
{
    buffer_release(&p->campaign);
    buffer_release(&p->evidence);
}

static const char *text_of(struct buffer *b)
{
    buffer_u8(b, '\0');
    return b->failed ? "" : (const char *)b->ptr;
}

int published_item(struct published *p, const struct publication *publication, const struct feed_format *format, struct feed_item *ret,
                   struct fault *why)
{
    const enum scope scope = publication->trigger == TRIGGER_DOMAIN ? SCOPE_DOMAIN : SCOPE_HOST;
    const bool tells = format != NULL && format->tells;
    int rc = E_OK;
    buffer_clear(&p->campaign);
    buffer_clear(&p->evidence);
    if (!tells)
        rc = finding_campaign(&p->campaign, p->from.k, publication->campaign, false, why);
    if (rc == 0 && !tells && publication->trigger != TRIGGER_ADDRESS)
        rc = finding_evidence(&p->evidence, p->from.k, publication->name, scope, KNOWLEDGE_NOW, why);
    if (rc == 0)
        *ret = (struct feed_item){ .p = publication, .action = FEED_NXDOMAIN, .garden = "", .campaign = text_of(&p->campaign),
                                   .evidence = text_of(&p->evidence), .changed_at = publication->changed };
    return rc;
}

int published_indicator(const struct finding_from *from, const struct indicator *i, struct publication *ret, struct fault *why)
{
    int64_t since;
    int rc = finding_since(from, i, &since, why);
    if (rc == 0)
        *ret = (struct publication){
            .name = i->name, .trigger = i->scope == SCOPE_DOMAIN ? TRIGGER_DOMAIN : TRIGGER_HOST, .stage = STAGE_PUBLISHED,
            .since = since * KNOWLEDGE_HOUR_S, .approved_by = "", .reason = i->reason, .level = i->level, .score = i->score,
            .categories = i->categories, .family = i->family, .campaign = i->campaign, .first_seen = i->first_seen,
            .valid_until = i->valid_until, .changed = i->decided_at * KNOWLEDGE_HOUR_S,
        };
    return rc;
}
