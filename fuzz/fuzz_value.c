/* Words of options, of the configuration and of files of networks. Properties: a network's first address is not above its
 * last and both are told apart from nothing; what is printed of it parses to the same; numbers keep to their bounds. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/value.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void net(const char *text)
{
    struct value_net n, again;
    char lo[INET6_ADDRSTRLEN], hi[INET6_ADDRSTRLEN], both[2 * INET6_ADDRSTRLEN + 2];
    if (!value_net(text, &n))
        return;
    must((n.len == 4 || n.len == 16) && memcmp(n.lo, n.hi, n.len) <= 0);
    int family = n.len == 4 ? AF_INET : AF_INET6;
    must(inet_ntop(family, n.lo, lo, sizeof lo) != NULL && inet_ntop(family, n.hi, hi, sizeof hi) != NULL);
    snprintf(both, sizeof both, "%s-%s", lo, hi);
    must(value_net(both, &again) && again.len == n.len);
    must(memcmp(again.lo, n.lo, n.len) == 0 && memcmp(again.hi, n.hi, n.len) == 0);
}

static void hexadecimal(const char *text)
{
    uint8_t bytes[64], again[sizeof bytes];
    char printed[2 * sizeof bytes + 1];
    size_t len, same;
    if (!value_hex(text, bytes, sizeof bytes, &len))
        return;
    must(len <= sizeof bytes && 2 * len == strlen(text));
    for (size_t i = 0; i < len; i++)
        snprintf(printed + 2 * i, 3, "%02x", bytes[i]);
    printed[2 * len] = '\0';
    must(value_hex(printed, again, sizeof again, &same) && same == len && memcmp(again, bytes, len) == 0);
}

static void numbers(const char *text)
{
    const int64_t now = 1700000000;
    uint64_t n;
    int64_t at, earlier;
    uint16_t port;
    (void)value_size(text, &n);
    (void)value_duration(text, &n);
    must(!value_count(text, &n) || strspn(text, "0123456789") == strlen(text));
    must(!value_port(text, &port) || port != 0);
    must(value_time(text, now, &at) == value_time(text, now, &earlier));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    net(text);
    hexadecimal(text);
    numbers(text);
    free(text);
    return 0;
}
