#include "protect/rpz/peer.h"

#include <arpa/inet.h>

static const struct sockaddr_in *v4(const struct sockaddr_storage *p)
{
    return (const struct sockaddr_in *)p;
}

static const struct sockaddr_in6 *v6(const struct sockaddr_storage *p)
{
    return (const struct sockaddr_in6 *)p;
}

/* Digits alone, up to `max`. */
static bool parse_number(const char *text, unsigned max, unsigned *ret)
{
    unsigned n = 0;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        n = n * 10 + (unsigned)(*text - '0');
        if (n > max)
            return false;
    }
    *ret = n;
    return true;
}

int network_parse(const char *text, struct network *ret, struct fault *why)
{
    struct network n = { 0 };
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    unsigned bits = 0, length;
    if (len < sizeof address) {
        memcpy(address, text, len);
        address[len] = '\0';
        bits = inet_pton(AF_INET, address, n.bytes) == 1 ? 32 : inet_pton(AF_INET6, address, n.bytes) == 1 ? 128 : 0;
    }
    length = bits;
    if (bits == 0 || (text[len] == '/' && !parse_number(text + len + 1, bits, &length)))
        return fault_set(why, E_USAGE, "%.256s: neither an address nor ADDRESS/LENGTH", text);
    n.family = bits == 32 ? AF_INET : AF_INET6;
    n.length = (uint8_t)length;
    *ret = n;
    return 0;
}

bool network_has(const struct network *network, const struct sockaddr_storage *peer)
{
    size_t len;
    const uint8_t *bytes = peer_address(peer, &len);
    unsigned whole = network->length / 8, rest = network->length % 8;
    if (peer->ss_family != network->family || memcmp(bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

int peer_parse(const char *text, uint16_t port, struct sockaddr_storage *ret, struct fault *why)
{
    struct sockaddr_storage p = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&p;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&p;
    char host[INET6_ADDRSTRLEN];
    bool bracket = text[0] == '[';
    const char *colon = strchr(text, ':'), *end = text + strlen(text);
    unsigned number = port;
    text += bracket;
    if (bracket)
        end = strchr(text, ']');
    else if (colon != NULL && strchr(colon + 1, ':') == NULL)
        end = colon; /* one colon: a port's, not of an IPv6 address */
    if (end == NULL || (size_t)(end - text) >= sizeof host)
        return fault_set(why, E_USAGE, "%.256s: not an address", text);
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
    end += bracket;
    if ((*end == '\0' && port == 0) || (*end != '\0' && (*end != ':' || !parse_number(end + 1, UINT16_MAX, &number))))
        return fault_set(why, E_USAGE, "%.256s: an address and a port are needed", text);
    if (!bracket && inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)number);
    } else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)number);
    } else {
        return fault_set(why, E_USAGE, "%.256s: not an address", text);
    }
    *ret = p;
    return 0;
}

socklen_t peer_len(const struct sockaddr_storage *peer)
{
    return peer->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

uint16_t peer_port(const struct sockaddr_storage *peer)
{
    return ntohs(peer->ss_family == AF_INET ? v4(peer)->sin_port : v6(peer)->sin6_port);
}

const uint8_t *peer_address(const struct sockaddr_storage *peer, size_t *ret_len)
{
    *ret_len = peer->ss_family == AF_INET ? 4 : 16;
    return peer->ss_family == AF_INET ? (const uint8_t *)&v4(peer)->sin_addr : (const uint8_t *)&v6(peer)->sin6_addr;
}

bool peer_is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    size_t len;
    const uint8_t *bytes = peer_address(a, &len);
    return a->ss_family == b->ss_family && peer_port(a) == peer_port(b) && memcmp(bytes, peer_address(b, &len), len) == 0;
}

const char *peer_text(const struct sockaddr_storage *peer, char text[PEER_TEXT_MAX])
{
    size_t len;
    if (inet_ntop(peer->ss_family, peer_address(peer, &len), text, PEER_TEXT_MAX) == NULL)
        text[0] = '\0';
    return text;
}
