#include "cmd/query.h"

#include <libknot/descriptor.h>
#include <strings.h>

enum { ABOUT = 0, FIRST_TYPE = 1 };

void query_init(struct query *q)
{
    *q = (struct query){ .type = QUERY_ANY };
    arena_init(&q->memory, 16384);
}

void query_release(struct query *q)
{
    arena_release(&q->memory);
    q->n_ranges = 0;
}

bool query_type(const char *text, uint16_t *ret)
{
    return knot_rrtype_from_string(text, ret) == 0 && *ret != 0;
}

/* A key in the making, at most one owner and some. */
struct piece {
    uint8_t bytes[RR_INVERSE_MAX];
    size_t len;
};

static void piece_type(struct piece *p, uint16_t type)
{
    put_be16(p->bytes + p->len, type);
    p->len += 2;
}

static void piece_bytes(struct piece *p, const void *bytes, size_t len)
{
    memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

/* The least key above all that start with p; empty (no end) when there is none. */
static void piece_step(struct piece *p)
{
    while (p->len > 0 && p->bytes[p->len - 1] == 0xff)
        p->len--;
    if (p->len > 0)
        p->bytes[p->len - 1]++;
}

static bool keep(struct query *q, const uint8_t *bytes, size_t len, struct slice *ret)
{
    uint8_t *copy = arena_alloc(&q->memory, len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, len);
    *ret = (struct slice){ copy, len };
    return true;
}

/* [start, end), and the filter key when len is not 0. */
static int add_range(struct query *q, uint8_t kind, const struct piece *start, const struct piece *end,
                     const uint8_t *exact, size_t exact_len, struct fault *why)
{
    struct store_range *r = &q->ranges[q->n_ranges];
    if (q->n_ranges == QUERY_RANGES_MAX)
        return fault_set(why, E_LIMIT, "too many ranges");
    *r = (struct store_range){ .kind = kind };
    if (!keep(q, start->bytes, start->len, &r->start) || !keep(q, end->bytes, end->len, &r->end))
        return fault_set(why, E_NOMEM, "out of memory");
    if (exact_len > 0 && !keep(q, exact, exact_len, &r->exact))
        return fault_set(why, E_NOMEM, "out of memory");
    q->n_ranges++;
    return E_OK;
}

/* All keys that start with p. */
static int add_prefix(struct query *q, uint8_t kind, const struct piece *p, size_t exact_len, struct fault *why)
{
    struct piece end = *p;
    piece_step(&end);
    return add_range(q, kind, p, &end, p->bytes, exact_len, why);
}

/* All keys that start with p and go on inside the name: p ends with a label's 00, so the
 * name itself goes on with 00 and the names below it with anything above. */
static int add_below(struct query *q, uint8_t kind, const struct piece *p, size_t exact_len, struct fault *why)
{
    struct piece start = *p, end = *p;
    start.bytes[start.len++] = 1;
    piece_step(&end);
    return add_range(q, kind, &start, &end, p->bytes, exact_len, why);
}

/* ---- rrset ---- */

/* Two ranges at most: what is said about the owner, and its records. */
static int add_owner(struct query *q, struct slice owner, struct fault *why)
{
    struct piece p = { .len = 0 }, end;
    int rc = E_OK;
    piece_bytes(&p, owner.ptr, owner.len);
    piece_type(&p, ABOUT);
    if (q->want & ~WANT_RECORDS)
        rc = add_prefix(q, KIND_RR, &p, owner.len, why);
    if (rc != 0 || !(q->want & WANT_RECORDS))
        return rc;
    p.len = owner.len;
    piece_type(&p, q->type == QUERY_ANY ? FIRST_TYPE : q->type);
    if (q->type != QUERY_ANY)
        return add_prefix(q, KIND_RR, &p, owner.len, why);
    end = p;
    end.len = owner.len;
    piece_step(&end);
    return add_range(q, KIND_RR, &p, &end, p.bytes, owner.len, why);
}

int query_owner(struct query *q, const struct query *like, struct slice owner, struct fault *why)
{
    arena_reset(&q->memory);
    q->n_ranges = 0;
    q->want = like->want;
    q->type = like->type;
    q->inverse = q->forward = q->every_type = false;
    q->net.len = 0;
    q->raw = (struct slice){ NULL, 0 };
    return add_owner(q, owner, why);
}

enum shape { SHAPE_EXACT, SHAPE_BELOW, SHAPE_PREFIX };

/* Takes the wildcard off the text. An escaped star is a label like any other. */
static enum shape take_shape(const char **text, size_t *len)
{
    const char *t = *text;
    size_t n = *len;
    if (n >= 2 && t[0] == '*' && t[1] == '.') {
        *text = n == 2 ? t + 1 : t + 2;
        *len = n == 2 ? 1 : n - 2;
        return SHAPE_BELOW;
    }
    size_t dot = n > 1 && t[n - 1] == '.' ? n - 1 : n; /* prefix.*. is prefix.* */
    if (dot < 3 || t[dot - 1] != '*' || t[dot - 2] != '.')
        return SHAPE_EXACT;
    size_t escapes = 0;
    while (escapes < dot - 2 && t[dot - 3 - escapes] == '\\')
        escapes++;
    if (escapes % 2 != 0)
        return SHAPE_EXACT;
    *len = dot - 2;
    return SHAPE_PREFIX;
}

static int parse_name(const char *text, size_t len, uint8_t *wire, size_t *ret_len, struct fault *why)
{
    *ret_len = name_from_text(text, len, wire);
    if (*ret_len == 0)
        return fault_set(why, E_USAGE, "'%.*s' is not a domain name", (int)len, text);
    return E_OK;
}

static int rrset_ranges(struct query *q, const char *text, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    struct piece p;
    size_t len = strlen(text), wire_len;
    enum shape shape = take_shape(&text, &len);
    int rc = parse_name(text, len, wire, &wire_len, why);
    if (rc != 0)
        return rc;
    if (shape == SHAPE_PREFIX) {
        q->forward = true;
        p.len = name_forward_key(wire, wire_len, p.bytes) - 1;
        return add_below(q, KIND_NAME, &p, 0, why);
    }
    p.len = name_owner_key(wire, wire_len, p.bytes);
    if (shape == SHAPE_EXACT)
        return add_owner(q, (struct slice){ p.bytes, p.len }, why);
    size_t known = name_key_labels(p.bytes, p.len) >= 2 ? name_key_prefix(p.bytes, p.len, 2) : 0;
    p.len--;
    return add_below(q, KIND_RR, &p, known, why);
}

/* ---- rdata ---- */

/* The addresses behind what `head` says they are. */
static int add_addresses(struct query *q, const struct piece *head, struct fault *why)
{
    struct piece start = *head, end = *head;
    piece_bytes(&start, q->net.lo, q->net.len);
    piece_bytes(&end, q->net.hi, q->net.len);
    piece_step(&end);
    bool one = memcmp(q->net.lo, q->net.hi, q->net.len) == 0;
    return add_range(q, KIND_INVERSE, &start, &end, start.bytes, one ? start.len : 0, why);
}

/* As hints, whose keys come first, and as data. */
static int net_ranges(struct query *q, struct fault *why)
{
    uint16_t type = q->net.len == 4 ? TYPE_A : TYPE_AAAA;
    struct piece head = { .len = 0 };
    int rc = E_OK;
    if (q->type != QUERY_ANY && q->type != type && !rdata_may_hint(q->type))
        return fault_set(why, E_USAGE, "addresses of this family are in %s, HTTPS and SVCB records only",
                         type == TYPE_A ? "A" : "AAAA");
    piece_type(&head, 0);
    piece_type(&head, type);
    if (q->type != type)
        rc = add_addresses(q, &head, why);
    head.len = 0;
    piece_type(&head, type);
    if (rc == 0 && (q->type == type || q->type == QUERY_ANY))
        rc = add_addresses(q, &head, why);
    return rc;
}

static int name_range(struct query *q, uint16_t type, const uint8_t *wire, size_t wire_len, enum shape shape,
                      struct fault *why)
{
    struct piece p = { .len = 0 };
    piece_type(&p, type);
    p.len += name_owner_key(wire, wire_len, p.bytes + p.len);
    if (shape == SHAPE_EXACT)
        return add_prefix(q, KIND_INVERSE, &p, p.len, why);
    p.len--;
    return add_below(q, KIND_INVERSE, &p, 0, why);
}

/* A range for each type that holds names; the ones there are have numbers below 256. */
static int rdata_name_ranges(struct query *q, const char *text, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = strlen(text), wire_len;
    enum shape shape = take_shape(&text, &len);
    if (shape == SHAPE_PREFIX)
        return fault_set(why, E_USAGE, "prefix.* is for rrset; rdata takes a name or *.name");
    int rc = parse_name(text, len, wire, &wire_len, why);
    if (rc == 0 && q->type != QUERY_ANY) {
        if (rdata_layout(q->type).names == 0)
            return fault_set(why, E_USAGE, "records of this type are not indexed by name; use raw:HEX");
        return name_range(q, q->type, wire, wire_len, shape, why);
    }
    for (uint16_t type = 1; rc == 0 && type < 256; type++)
        if (rdata_layout(type).names > 0)
            rc = name_range(q, type, wire, wire_len, shape, why);
    return rc;
}

int query_raw(struct query *q, uint16_t type, struct fault *why)
{
    struct piece p = { .len = 0 };
    q->n_ranges = 0;
    piece_type(&p, type);
    size_t n = rdata_searchable(type, 0, q->raw.ptr, q->raw.len, p.bytes + p.len);
    if (n == 0 && q->raw.len != 0)
        return E_OK;
    p.len += n;
    size_t exact = p.len;
    if (rdata_layout(type).names > 0)
        exact = 2 + name_key_length(p.bytes + 2, p.len - 2);
    return add_prefix(q, KIND_INVERSE, &p, exact, why);
}

static int raw_ranges(struct query *q, const char *hex, struct fault *why)
{
    uint8_t *raw = arena_alloc(&q->memory, RR_KEY_MAX);
    if (raw == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    q->raw.ptr = raw;
    if (!value_hex(hex, raw, RR_KEY_MAX, &q->raw.len))
        return fault_set(why, E_USAGE, "'%.80s' is not hexadecimal data of at most %d bytes", hex, RR_KEY_MAX);
    q->every_type = q->type == QUERY_ANY;
    return q->every_type ? E_OK : query_raw(q, q->type, why);
}

static int rdata_ranges(struct query *q, const char *what, struct fault *why)
{
    if (q->want != WANT_RECORDS)
        return fault_set(why, E_USAGE, "rdata finds ordinary records only");
    if (strncmp(what, "raw:", 4) == 0)
        return raw_ranges(q, what + 4, why);
    if (value_net(what, &q->net))
        return net_ranges(q, why);
    if (strchr(what, '/') != NULL || strchr(what, ':') != NULL)
        return fault_set(why, E_USAGE, "'%s' is not an address or a network", what);
    return rdata_name_ranges(q, what, why);
}

/* ---- words ---- */

static int parse_type(struct query *q, const char *word, unsigned extra, struct fault *why)
{
    static const struct {
        const char *name;
        unsigned want;
    } pseudo[] = { { "NXDOMAIN", WANT_NXDOMAIN }, { "NODATA", WANT_NODATA }, { "COLLAPSED", WANT_COLLAPSED } };
    q->want = WANT_RECORDS | extra;
    q->type = QUERY_ANY;
    if (word == NULL)
        return E_OK;
    for (size_t i = 0; i < sizeof pseudo / sizeof pseudo[0]; i++)
        if (strcasecmp(word, pseudo[i].name) == 0) {
            q->want = pseudo[i].want;
            return E_OK;
        }
    if (!query_type(word, &q->type))
        return fault_set(why, E_USAGE, "'%s' is not a record type", word);
    return E_OK;
}

int query_parse(struct query *q, char *const *words, size_t n, unsigned extra, struct fault *why)
{
    arena_reset(&q->memory);
    q->n_ranges = 0;
    q->forward = q->every_type = false;
    q->net.len = 0;
    q->raw = (struct slice){ NULL, 0 };
    if (n < 2 || n > 3)
        return fault_set(why, E_USAGE, "a look-up is: rrset NAME [TYPE], or rdata NAME|ADDRESS|raw:HEX [TYPE]");
    int rc = parse_type(q, n == 3 ? words[2] : NULL, extra, why);
    if (rc != 0)
        return rc;
    q->inverse = strcmp(words[0], "rdata") == 0;
    if (q->inverse)
        return rdata_ranges(q, words[1], why);
    if (strcmp(words[0], "rrset") != 0)
        return fault_set(why, E_USAGE, "'%s' is neither rrset nor rdata", words[0]);
    return rrset_ranges(q, words[1], why);
}

/* ---- the test ---- */

static bool wants_about(const struct query *q, const struct rr_key *key)
{
    bool type = q->type == QUERY_ANY || q->type == key->subtype;
    switch (key->about) {
    case RR_NXDOMAIN:
        return q->want & WANT_NXDOMAIN;
    case RR_NODATA:
        return type && q->want & WANT_NODATA;
    case RR_OUT_OF_BAILIWICK:
        return type && q->want & WANT_OUTSIDE;
    case RR_COLLAPSED_NAMES:
        return q->want & WANT_COLLAPSED;
    case RR_COLLAPSED_RDATA:
        return type && q->want & WANT_COLLAPSED;
    default:
        return false;
    }
}

/* Of a record with two names that a query finds by both, only the key that has the first in front
 * counts. */
static bool is_found_by_first_name(const struct query *q, const struct rr_key *key)
{
    uint8_t first[2 + NAME_KEY_MAX];
    size_t lead = rdata_layout(key->type).lead;
    const uint8_t *name = key->rdata.ptr + lead;
    put_be16(first, key->type);
    size_t len = 2 + name_owner_key(name, name_wire_length(name, key->rdata.len - lead), first + 2);
    for (size_t i = 0; i < q->n_ranges; i++)
        if (slice_compare((struct slice){ first, len }, q->ranges[i].start) >= 0 &&
            slice_compare((struct slice){ first, len }, q->ranges[i].end) < 0)
            return true;
    return false;
}

static bool is_in_net(const struct query *q, struct slice address)
{
    return address.len == q->net.len && memcmp(address.ptr, q->net.lo, q->net.len) >= 0 &&
           memcmp(address.ptr, q->net.hi, q->net.len) <= 0;
}

/* Of a record with several hints in the network only the key of the first one counts. */
static bool has_address(const struct query *q, const struct rr_key *key)
{
    struct slice hints[RDATA_HINTS];
    if (key->turn < rdata_turns(key->type))
        return is_in_net(q, key->rdata);
    unsigned n = rdata_hints(key->type, key->rdata, hints), first = 0;
    while (first < n && !is_in_net(q, hints[first]))
        first++;
    return key->turn == rdata_turns(key->type) + first;
}

bool query_wants(const struct query *q, const struct rr_key *key)
{
    if (key->type == 0)
        return wants_about(q, key);
    if (!(q->want & WANT_RECORDS) || (q->type != QUERY_ANY && q->type != key->type))
        return false;
    if (q->net.len != 0)
        return has_address(q, key);
    if (key->turn != 0 && is_found_by_first_name(q, key))
        return false;
    return q->raw.ptr == NULL || slice_compare(key->rdata, q->raw) == 0;
}
