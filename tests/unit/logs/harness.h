/* harness: a batch to parse into, and messages as one readable line each.
 *
 *     1.000000000 10.0.0.1:1024>10.0.0.2:53 udp id=7 flags=0100 known=13f example A; www A 60 1.2.3.4
 *
 * Names are not compressed here, since ours are not. Rdata other than addresses and
 * names is in hex. Value type.
 */
#ifndef DNSMON_TESTS_LOGS_HARNESS_H
#define DNSMON_TESTS_LOGS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "input/log.h"

#include <arpa/inet.h>
#include <stdio.h>

struct harness {
    struct input_options options;
    struct message_batch batch;
    struct tally tally;
    struct log_sink sink;
    char text[65536];
};

static inline void harness_init(struct harness *h)
{
    memset(h, 0, sizeof *h);
    assert_int_equal(message_batch_init(&h->batch, 1000), 0);
    h->sink = (struct log_sink){ &h->options, &h->batch, &h->tally };
}

static inline void harness_release(struct harness *h)
{
    message_batch_release(&h->batch);
}

static inline void harness_clear(struct harness *h)
{
    message_batch_clear(&h->batch);
    memset(&h->tally, 0, sizeof h->tally);
}

static inline void print_endpoint(char *to, const struct endpoint *e)
{
    char text[INET6_ADDRSTRLEN];
    if (memcmp(e->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0)
        inet_ntop(AF_INET, e->address + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, e->address, text, sizeof text);
    sprintf(to + strlen(to), "%s:%u", text, e->port);
}

static inline void print_name(char *to, struct cursor *c)
{
    uint8_t len = cursor_u8(c);
    to += strlen(to);
    if (len == 0)
        to += sprintf(to, ".");
    for (bool first = true; len && !c->failed; len = cursor_u8(c), first = false) {
        if (!first)
            to += sprintf(to, ".");
        for (const uint8_t *p = cursor_take(c, len); p && len--; p++)
            to += sprintf(to, *p > ' ' && *p < 127 && *p != '.' && *p != '\\' ? "%c" : "\\%03u", *p);
    }
}

static inline void print_rdata(char *to, uint16_t type, const uint8_t *p, uint16_t len)
{
    char address[INET6_ADDRSTRLEN];
    struct cursor c = cursor_over(p, len);
    to += strlen(to);
    if ((type == 1 && len == 4) || (type == 28 && len == 16)) {
        sprintf(to, "%s", inet_ntop(type == 1 ? AF_INET : AF_INET6, p, address, sizeof address));
    } else if (type == 2 || type == 5 || type == 12 || type == 39) {
        print_name(to, &c);
        assert_true(!c.failed && cursor_left(&c) == 0);
    } else {
        for (uint16_t i = 0; i < len; i++)
            to += sprintf(to, "%02x", p[i]);
    }
}

static inline const char *print_type(uint16_t type)
{
    static char other[16];
    switch (type) {
#define XX(name, number) \
    case number:         \
        return #name;
        WIRE_TYPE_MAP(XX)
#undef XX
    }
    sprintf(other, "TYPE%u", type);
    return other;
}

static inline void print_wire(char *to, const uint8_t *wire, uint32_t len)
{
    struct cursor c = cursor_over(wire, len);
    uint16_t id = cursor_be16(&c), flags = cursor_be16(&c), counts[4];
    for (int i = 0; i < 4; i++)
        counts[i] = cursor_be16(&c);
    sprintf(to + strlen(to), " id=%u flags=%04x", id, flags);
    for (int section = 0; section < 4; section++) {
        for (int i = 0; i < counts[section] && !c.failed; i++) {
            strcat(to, section == 0 ? " " : section == 1 ? "; " : section == 2 ? "; ns " : "; ar ");
            print_name(to, &c);
            uint16_t type = cursor_be16(&c);
            assert_int_equal(cursor_be16(&c), 1);
            sprintf(to + strlen(to), " %s", print_type(type));
            if (section == 0)
                continue;
            sprintf(to + strlen(to), " %u ", cursor_be32(&c));
            uint16_t rdlen = cursor_be16(&c);
            const uint8_t *rdata = cursor_take(&c, rdlen);
            assert_non_null(rdata);
            print_rdata(to, type, rdata, rdlen);
        }
    }
    assert_false(c.failed);
    assert_int_equal(cursor_left(&c), 0);
}

/* All messages of the batch, a line each, without the known mask where wire is raw. */
static inline const char *harness_text(struct harness *h)
{
    static const char *const transports[] = { "udp", "tcp", "other" };
    char *to = h->text;
    *to = '\0';
    for (uint32_t i = 0; i < h->batch.count; i++) {
        const struct message *m = &h->batch.messages[i];
        if (i)
            strcat(to, "\n");
        sprintf(to + strlen(to), "%lld.%09lld ", (long long)(m->ts_ns / 1000000000),
                (long long)(m->ts_ns % 1000000000));
        print_endpoint(to, &m->from);
        strcat(to, ">");
        print_endpoint(to, &m->to);
        sprintf(to + strlen(to), " %s known=%03x", transports[m->transport], m->known);
        print_wire(to, m->wire, m->wire_len);
    }
    return to;
}

/* What was counted, as "cause=n cause=n". */
static inline const char *harness_counts(struct harness *h)
{
    char *to = h->text;
    *to = '\0';
    for (int i = 0; i < TALLY_CAUSES; i++)
        if (h->tally.n[i])
            sprintf(to + strlen(to), "%s%s=%llu", *to ? " " : "", tally_text((enum tally_cause)i),
                    (unsigned long long)h->tally.n[i]);
    return to;
}

static inline struct slice text_slice(const char *text)
{
    return (struct slice){ (const uint8_t *)text, strlen(text) };
}

/* One row of a table of lines. */
struct line_case {
    const char *line;
    const char *messages; /* "" for none */
    const char *counts;
};

typedef int case_fn(void *parser, struct slice line, struct log_sink *sink);

static inline void check_lines(struct harness *h, void *parser, case_fn *parse,
                               const struct line_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        harness_clear(h);
        /* A copy without anything behind it, for the sanitizers. */
        size_t len = strlen(cases[i].line);
        uint8_t *copy = test_malloc(len + 1);
        memcpy(copy, cases[i].line, len);
        assert_int_equal(parse(parser, (struct slice){ copy, len }, &h->sink), 0);
        test_free(copy);
        const char *text = harness_text(h);
        if (strcmp(text, cases[i].messages) != 0)
            print_message("row %zu: %s\n", i, cases[i].line);
        assert_string_equal(text, cases[i].messages);
        assert_string_equal(harness_counts(h), cases[i].counts);
    }
}

#endif
