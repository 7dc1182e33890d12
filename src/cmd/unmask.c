#include "cmd/unmask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/value.h"
#include "store/secret.h"

enum { ADDRESS = 16, MAPPED_AT = 12, LINE_MAX_BYTES = 256 };

struct unmask {
    struct client_key key;
    const uint64_t *ids;
    size_t n;
    uint8_t (*addresses)[ADDRESS]; /* of each id; all zero, which no client has: not found */
    size_t found;
    uint64_t tried;
};

_Static_assert((int)SECRET_BYTES == (int)CLIENT_KEY_BYTES, "the secret is the key");

int unmask_create(struct unmask **ret, const char *dir, const uint64_t *ids, size_t n, struct fault *why)
{
    struct unmask *u = calloc(1, sizeof *u);
    if (u == NULL || (u->addresses = calloc(n ? n : 1, ADDRESS)) == NULL) {
        unmask_destroy(&u);
        return fault_set(why, E_NOMEM, "out of memory");
    }
    u->ids = ids;
    u->n = n;
    int rc = secret_read(dir, u->key.bytes, why);
    if (rc != 0) {
        unmask_destroy(&u);
        return rc;
    }
    *ret = u;
    return E_OK;
}

void unmask_destroy(struct unmask **u)
{
    if (*u == NULL)
        return;
    explicit_bzero(&(*u)->key, sizeof (*u)->key);
    free((*u)->addresses);
    free(*u);
    *u = NULL;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void try_address(struct unmask *u, const uint8_t address[ADDRESS])
{
    static const uint8_t none[ADDRESS];
    uint64_t id = client_id(&u->key, address);
    const uint64_t *at = bsearch(&id, u->ids, u->n, sizeof id, compare_ids);
    u->tried++;
    if (at == NULL)
        return;
    uint8_t *to = u->addresses[at - u->ids];
    u->found += memcmp(to, none, ADDRESS) == 0;
    memcpy(to, address, ADDRESS);
}

/* How many, UINT64_MAX when it is that or more. */
static uint64_t net_size(const uint8_t lo[ADDRESS], const uint8_t hi[ADDRESS])
{
    uint64_t high = get_be64(hi) - get_be64(lo), low = get_be64(hi + 8) - get_be64(lo + 8);
    high -= get_be64(hi + 8) < get_be64(lo + 8);
    return high != 0 || low == UINT64_MAX ? UINT64_MAX : low + 1;
}

static int try_net(struct unmask *u, const struct value_net *net, const char *text, struct fault *why)
{
    uint8_t lo[ADDRESS] = { [10] = 0xff, 0xff }, hi[ADDRESS] = { [10] = 0xff, 0xff };
    size_t at = net->len == ADDRESS ? 0 : MAPPED_AT;
    memcpy(lo + at, net->lo, net->len);
    memcpy(hi + at, net->hi, net->len);
    uint64_t n = net_size(lo, hi);
    if (n > UNMASK_ADDRESSES - u->tried)
        return fault_set(why, E_LIMIT, "--resolve: %s: more than %d addresses; name smaller networks, or a file of addresses", text,
                         UNMASK_ADDRESSES);
    for (; n > 0; n--) {
        try_address(u, lo);
        for (size_t i = ADDRESS; i > 0 && ++lo[i - 1] == 0; i--)
            continue;
    }
    return E_OK;
}

/* The line's word, or "" when it has none. */
static char *word_of(char *line)
{
    line[strcspn(line, "#\r\n")] = '\0';
    line += strspn(line, " \t");
    line[strcspn(line, " \t")] = '\0';
    return line;
}

static int try_lines(struct unmask *u, FILE *f, const char *path, struct fault *why)
{
    char line[LINE_MAX_BYTES];
    struct value_net net;
    for (unsigned number = 1; fgets(line, sizeof line, f) != NULL; number++) {
        const char *word = word_of(line);
        if (*word == '\0')
            continue;
        if (!value_net(word, &net))
            return fault_set(why, E_USAGE, "%s: line %u: '%s' is no address or network", path, number, word);
        int rc = try_net(u, &net, word, why);
        if (rc != 0)
            return rc;
    }
    return ferror(f) ? fault_errno(why, errno, "%s: cannot read", path) : E_OK;
}

int unmask_try(struct unmask *u, const char *what, struct fault *why)
{
    struct value_net net;
    if (value_net(what, &net))
        return try_net(u, &net, what, why);
    FILE *f = fopen(what, "re");
    if (f == NULL && errno == ENOENT)
        return fault_set(why, E_USAGE, "--resolve: '%s' is no address, no network and no file", what);
    if (f == NULL)
        return fault_errno(why, errno, "%s: cannot open", what);
    int rc = try_lines(u, f, what, why);
    fclose(f);
    return rc;
}

bool unmask_text(const struct unmask *u, size_t i, char text[UNMASK_TEXT])
{
    static const uint8_t none[ADDRESS], mapped[MAPPED_AT] = { [10] = 0xff, 0xff };
    const uint8_t *address = u->addresses[i];
    if (memcmp(address, none, ADDRESS) == 0)
        return false;
    if (memcmp(address, mapped, MAPPED_AT) == 0)
        return inet_ntop(AF_INET, address + MAPPED_AT, text, UNMASK_TEXT) != NULL;
    return inet_ntop(AF_INET6, address, text, UNMASK_TEXT) != NULL;
}

size_t unmask_found(const struct unmask *u)
{
    return u->found;
}

uint64_t unmask_tried(const struct unmask *u)
{
    return u->tried;
}
