#include "cmd/note.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/present.h"
#include "cmd/spark.h"

enum { SAY_BYTES = 8192, SHORT_LIST = 8, DEPTH = 3, HOUR_S = 3600 };

void note_init(struct note *n, struct buffer *to, unsigned columns)
{
    *n = (struct note){ .to = to, .columns = columns > NOTE_COLUMNS_MAX ? NOTE_COLUMNS_MAX : columns };
}

/* ---- words ---- */

static unsigned width_of(const char *ptr, size_t len)
{
    unsigned columns = 0;
    for (size_t i = 0; i < len; i++)
        columns += ((uint8_t)ptr[i] & 0xc0) != 0x80; /* not within a character */
    return columns;
}

static void new_line(struct note *n)
{
    n->blank = n->at == 0;
    buffer_u8(n->to, '\n');
    n->at = 0;
}

/* `glued`: no space in front of it. */
static void put_word(struct note *n, const char *ptr, size_t len, bool glued)
{
    unsigned width = width_of(ptr, len);
    if (n->at > n->indent && !glued && n->at + 1 + width > n->columns)
        new_line(n);
    if (n->at == 0)
        for (; n->at < n->indent; n->at++)
            buffer_u8(n->to, ' ');
    else if (!glued) {
        buffer_u8(n->to, ' ');
        n->at++;
    }
    buffer_append(n->to, ptr, len);
    n->at += width;
}

void note_say(struct note *n, const char *format, ...)
{
    char raw[SAY_BYTES];
    struct buffer plain;
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    buffer_init(&plain, 4 * SAY_BYTES);
    present_plain(&plain, raw);
    bool glued = raw[0] != ' ';
    for (size_t at = 0, len; at < plain.len; at += len, glued = false) {
        const char *word = (const char *)plain.ptr + at;
        for (len = 0; at + len < plain.len && word[len] != ' '; len++)
            continue;
        if (len != 0)
            put_word(n, word, len, glued);
        len += at + len < plain.len;
    }
    buffer_release(&plain);
}

void note_end(struct note *n)
{
    if (n->at != 0 || !n->blank)
        new_line(n);
}

void note_head(struct note *n, const char *text)
{
    unsigned indent = n->indent;
    if (n->at != 0)
        new_line(n);
    note_end(n);
    n->indent = 0;
    note_say(n, "%s", text);
    new_line(n);
    n->indent = indent;
}

const char *note_time(const json_t *seconds, char text[NOTE_TIME])
{
    json_int_t s = json_integer_value(seconds);
    present_time(s > 0 ? (uint64_t)s : 0, text);
    text[strlen("2026-01-31 12:00")] = '\0';
    return text;
}

/* ---- facts ---- */

static bool is_series(const json_t *value)
{
    return json_is_integer(json_object_get(value, "from")) && json_is_array(json_object_get(value, "values"));
}

static bool is_flat(const json_t *list)
{
    size_t i;
    json_t *v;
    json_array_foreach (list, i, v)
        if (json_is_object(v) || json_is_array(v))
            return false;
    return true;
}

/* Our words have '_' for spaces. */
static void say_name(struct note *n, const char *name, size_t len, bool glued)
{
    char text[64];
    snprintf(text, sizeof text, "%s%.*s", glued ? "" : " ", (int)len, name);
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : *c;
    note_say(n, "%s", text);
}

static void say_object(struct note *n, const json_t *object, unsigned depth);

static void say_scalar(struct note *n, const json_t *value)
{
    double number = json_number_value(value);
    if (json_is_string(value))
        note_say(n, " %s", json_string_value(value));
    else if (json_is_number(value) && fabs(number) < 1e15 && number == floor(number))
        note_say(n, " %.0f", number);
    else if (json_is_number(value))
        note_say(n, " %.4g", number);
    else
        note_say(n, json_is_true(value) ? " yes" : json_is_false(value) ? " no" : " unknown");
}

/* ---- units, which names of facts end with ---- */

static void say_duration(struct note *n, double s)
{
    if (s < 120)
        note_say(n, " %.3g s", s);
    else if (s < 2 * HOUR_S)
        note_say(n, " %.3g minutes", s / 60);
    else if (s < 48 * HOUR_S)
        note_say(n, " %.3g hours", s / HOUR_S);
    else
        note_say(n, " %.3g days", s / (24 * HOUR_S));
}

static void say_moment(struct note *n, double s)
{
    char text[NOTE_TIME];
    json_t *seconds = json_integer((json_int_t)s);
    note_say(n, s > 0 ? " %s" : " never", note_time(seconds, text));
    json_decref(seconds);
}

enum { LONGEST_DURATION_S = 1000000000 }; /* longer ones are times */

static void say_seconds(struct note *n, double s)
{
    (s < LONGEST_DURATION_S ? say_duration : say_moment)(n, s);
}

static void say_hour(struct note *n, double hour)
{
    say_moment(n, hour * HOUR_S);
}

static void say_hours(struct note *n, double hours)
{
    note_say(n, " %.4g hours", hours);
}

static void say_share(struct note *n, double share)
{
    note_say(n, " %.3g %%", 100 * share);
}

static const struct unit {
    const char *suffix;
    bool said; /* it stays in the name */
    void (*say)(struct note *n, double number);
} units[] = { { "_s", false, say_seconds }, { "_hour", false, say_hour }, { "_hours", false, say_hours }, { "_share", true, say_share } };

/* The unit of a number, and how long its name is without; NULL: it has none. */
static const struct unit *unit_of(const char *name, const json_t *value, size_t *ret_len)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t of = strlen(units[i].suffix);
        if (len > of && strcmp(name + len - of, units[i].suffix) == 0 && json_is_number(value) && json_number_value(value) >= 0) {
            *ret_len = units[i].said ? len : len - of;
            return &units[i];
        }
    }
    return NULL;
}

static void say_list(struct note *n, const json_t *list, unsigned depth)
{
    size_t size = json_array_size(list), shown = is_flat(list) ? SHORT_LIST : SHORT_LIST / 2;
    for (size_t i = 0; i < size && i < shown; i++) {
        const json_t *v = json_array_get(list, i);
        if (json_is_object(v))
            say_object(n, v, depth + 1);
        else if (json_is_array(v))
            note_say(n, " (%zu)", json_array_size(v));
        else
            say_scalar(n, v);
        if (i + 1 < size && i + 1 < shown)
            note_say(n, ",");
    }
    if (size > shown)
        note_say(n, " and %zu more", size - shown);
    if (size == 0)
        note_say(n, " none");
}

static void say_value(struct note *n, const json_t *value, unsigned depth)
{
    char from[NOTE_TIME];
    if (is_series(value)) {
        json_t *seconds = json_integer(json_integer_value(json_object_get(value, "from")) * HOUR_S);
        note_say(n, " a curve of %zu hours from %s", json_array_size(json_object_get(value, "values")), note_time(seconds, from));
        json_decref(seconds);
    } else if (json_is_object(value)) {
        say_object(n, value, depth + 1);
    } else if (json_is_array(value)) {
        say_list(n, value, depth);
    } else {
        say_scalar(n, value);
    }
}

static void say_members(struct note *n, const json_t *object, unsigned depth)
{
    const char *name;
    json_t *value;
    bool any = false;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (any)
            note_say(n, depth ? "," : ";");
        size_t len = strlen(name);
        const struct unit *unit = unit_of(name, value, &len);
        say_name(n, name, len, !any && depth != 0);
        if (unit != NULL)
            unit->say(n, json_number_value(value));
        else
            say_value(n, value, depth);
        any = true;
    }
}

static void say_object(struct note *n, const json_t *object, unsigned depth)
{
    if (depth > DEPTH) {
        note_say(n, " ...");
        return;
    }
    note_say(n, " (");
    say_members(n, object, depth);
    note_say(n, ")");
}

void note_facts(struct note *n, const json_t *facts)
{
    if (json_object_size(facts) == 0)
        return;
    say_members(n, facts, 0);
    note_say(n, ".");
}

/* ---- curves ---- */

static void draw(struct note *n, const char *name, const json_t *series)
{
    const json_t *values = json_object_get(series, "values");
    json_int_t from = json_integer_value(json_object_get(series, "from"));
    size_t hours = json_array_size(values);
    struct buffer points;
    char cell[32], begin[NOTE_TIME];
    if (hours == 0 || hours > NOTE_CURVE_HOURS || from < 0 || from > (json_int_t)(UINT32_MAX - hours))
        return;
    buffer_init(&points, hours * sizeof(struct spark_point));
    for (size_t i = 0; i < hours; i++) {
        double v = json_number_value(json_array_get(values, i));
        struct spark_point p = { v > 0 && v < 1e18 ? (uint64_t)v : 0, (uint32_t)from + (uint32_t)i };
        buffer_append(&points, &p, sizeof p);
    }
    struct spark_axis axis = spark_axis((uint64_t)from, (uint64_t)from + hours, n->columns - n->indent);
    struct buffer line;
    buffer_init(&line, 8 * NOTE_COLUMNS_MAX);
    uint64_t most = points.failed ? 0 : spark_draw(&line, &axis, (const struct spark_point *)(const void *)points.ptr, hours);
    spark_cell_text(&axis, cell);
    json_t *seconds = json_integer((json_int_t)axis.from * HOUR_S);
    say_name(n, name, strlen(name), false);
    note_say(n, " from %s UTC on, a block %s, the fullest %llu:", note_time(seconds, begin), cell, (unsigned long long)most);
    note_end(n);
    if (most != 0)
        put_word(n, (const char *)line.ptr, line.len, true);
    note_end(n);
    json_decref(seconds);
    buffer_release(&line);
    buffer_release(&points);
}

static void find_curves(struct note *n, const json_t *object, unsigned depth, unsigned *left)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (*left == 0)
            return;
        if (is_series(value)) {
            draw(n, name, value);
            --*left;
        } else if (json_is_object(value) && depth < DEPTH) {
            find_curves(n, value, depth + 1, left);
        }
    }
}

void note_curves(struct note *n, const json_t *facts)
{
    unsigned left = NOTE_CURVES;
    find_curves(n, facts, 0, &left);
}
