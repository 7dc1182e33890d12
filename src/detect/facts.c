#include "detect/facts.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char cut_mark[] = ",\"cut\":true";

/* What may be written up to: behind it is room to close everything, and one bracket more. */
static size_t limit(const struct facts *f)
{
    return sizeof f->text - sizeof cut_mark - f->depth - 1;
}

static void raw(struct facts *f, const char *ptr, size_t len)
{
    if (f->cut || f->len + len > limit(f)) {
        f->cut = true;
        return;
    }
    memcpy(f->text + f->len, ptr, len);
    f->len += len;
}

static void nest(struct facts *f, enum facts_nest kind)
{
    assert(f->depth < FACTS_DEPTH);
    raw(f, kind == FACTS_LIST ? "[" : "{", 1);
    f->kind[f->depth] = (uint8_t)kind;
    f->shown[f->depth++] = !f->cut;
    f->first = true;
}

void facts_begin(struct facts *f)
{
    f->cut = false;
    f->depth = 0;
    f->len = 0;
    nest(f, FACTS_OBJECT);
}

/* A member is there whole or not at all: `member_end` takes back one that did not fit. */
static size_t member_begin(struct facts *f, const char *name)
{
    size_t start = f->len;
    assert((name == NULL) == (f->kind[f->depth - 1] == FACTS_LIST));
    if (!f->first)
        raw(f, ",", 1);
    if (name != NULL) {
        raw(f, "\"", 1);
        raw(f, name, strlen(name));
        raw(f, "\":", 2);
    }
    return start;
}

static void member_end(struct facts *f, size_t start)
{
    if (f->cut)
        f->len = start;
    else
        f->first = false;
}

__attribute__((format(printf, 3, 4))) static void member(struct facts *f, const char *name, const char *format, ...)
{
    if (f->cut)
        return;
    char text[32];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(n > 0 && (size_t)n < sizeof text);
    size_t start = member_begin(f, name);
    raw(f, text, (size_t)n);
    member_end(f, start);
}

void facts_number(struct facts *f, const char *name, double value)
{
    if (isfinite(value))
        member(f, name, "%.6g", value);
    else
        member(f, name, "null");
}

void facts_count(struct facts *f, const char *name, uint64_t value)
{
    member(f, name, "%" PRIu64, value);
}

void facts_flag(struct facts *f, const char *name, bool value)
{
    member(f, name, "%s", value ? "true" : "false");
}

static void character(struct facts *f, uint8_t c)
{
    char text[8] = { '\\', (char)c };
    if (c < 0x20 || c >= 0x7f)
        snprintf(text, sizeof text, "\\u%04x", c);
    if (c == '"' || c == '\\')
        raw(f, text, 2);
    else if (c < 0x20 || c >= 0x7f)
        raw(f, text, 6);
    else
        raw(f, text + 1, 1);
}

void facts_text(struct facts *f, const char *name, const char *text, size_t len)
{
    if (f->cut)
        return;
    size_t start = member_begin(f, name);
    raw(f, "\"", 1);
    for (size_t i = 0; i < len && !f->cut; i++)
        character(f, (uint8_t)text[i]);
    raw(f, "\"", 1);
    member_end(f, start);
}

void facts_series(struct facts *f, const char *name, uint32_t from, const uint32_t *values, size_t n)
{
    facts_open(f, name, FACTS_OBJECT);
    facts_count(f, "from", from);
    facts_open(f, "values", FACTS_LIST);
    for (size_t i = 0; i < n && !f->cut; i++)
        facts_count(f, NULL, values[i]);
    facts_close(f);
    facts_close(f);
}

/* One that did not fit is open for the caller, and has no bracket in the text. */
void facts_open(struct facts *f, const char *name, enum facts_nest kind)
{
    size_t start = member_begin(f, name);
    nest(f, kind);
    if (f->cut)
        f->len = start;
}

void facts_close(struct facts *f)
{
    assert(f->depth > 1);
    f->depth--;
    if (f->shown[f->depth])
        f->text[f->len++] = f->kind[f->depth] == FACTS_LIST ? ']' : '}';
    f->first = false;
}

const char *facts_end(struct facts *f)
{
    while (f->depth > 1)
        facts_close(f);
    if (f->cut) {
        const char *mark = f->len > 1 ? cut_mark : cut_mark + 1;
        memcpy(f->text + f->len, mark, strlen(mark));
        f->len += strlen(mark);
    }
    f->text[f->len++] = '}';
    f->text[f->len] = '\0';
    return f->text;
}
