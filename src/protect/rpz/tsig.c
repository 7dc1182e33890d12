#include "protect/rpz/tsig.h"

#include "dns/decode.h"

#include <libdnssec/error.h>
#include <libdnssec/tsig.h>
#include <sodium.h>

enum { HEADER = 12, OTHER_TIME = 6 };

int tsig_key_make(struct tsig_key *ret, const char *name, const char *algorithm, const char *secret, struct fault *why)
{
    struct tsig_key k = { .name_len = name_from_text(name, strlen(name), k.name) };
    if (k.name_len == 0)
        return fault_set(why, E_USAGE, "key %.256s: its name is not a domain name", name);
    name_lower_copy(k.name, k.name, k.name_len);
    k.algorithm = dnssec_tsig_algorithm_from_name(algorithm);
    if (k.algorithm == DNSSEC_TSIG_UNKNOWN || k.algorithm == DNSSEC_TSIG_HMAC_MD5)
        return fault_set(why, E_USAGE, "key %.256s: %.64s is no algorithm for it (hmac-sha256, hmac-sha512)", name, algorithm);
    if (sodium_base642bin(k.secret, sizeof k.secret, secret, strlen(secret), " \t\r\n", &k.secret_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 || k.secret_len == 0)
        return fault_set(why, E_USAGE, "key %.256s: its secret is not base64 of 1 to %d bytes", name, TSIG_SECRET_MAX);
    *ret = k;
    return 0;
}

/* The parts of a digest, in order (4.3). */
struct digest {
    dnssec_tsig_ctx_t *hmac;
    bool failed;
};

static struct digest digest_begin(const struct tsig_key *key)
{
    struct digest d = { 0 };
    const dnssec_binary_t secret = { key->secret_len, (uint8_t *)(uintptr_t)key->secret };
    d.failed = dnssec_tsig_new(&d.hmac, (dnssec_tsig_algorithm_t)key->algorithm, &secret) != DNSSEC_EOK;
    return d;
}

static void digest_add(struct digest *d, const void *ptr, size_t len)
{
    const dnssec_binary_t bytes = { len, (uint8_t *)(uintptr_t)ptr };
    if (!d->failed && len)
        d->failed = dnssec_tsig_add(d->hmac, &bytes) != DNSSEC_EOK;
}

static void digest_add16(struct digest *d, uint16_t v)
{
    uint8_t bytes[2];
    put_be16(bytes, v);
    digest_add(d, bytes, sizeof bytes);
}

static void put_time(uint8_t to[6], uint64_t time_s)
{
    put_be16(to, (uint16_t)(time_s >> 32));
    put_be32(to + 2, (uint32_t)time_s);
}

static void digest_add_time(struct digest *d, uint64_t time_s, uint16_t fudge_s)
{
    uint8_t bytes[6];
    put_time(bytes, time_s);
    digest_add(d, bytes, sizeof bytes);
    digest_add16(d, fudge_s);
}

static void digest_add_former(struct digest *d, const uint8_t *mac, size_t len)
{
    digest_add16(d, (uint16_t)len);
    digest_add(d, mac, len);
}

/* 4.3.3: what the record says beside its MAC. */
static void digest_add_variables(struct digest *d, struct slice name, struct slice algorithm, uint64_t time_s, uint16_t fudge_s,
                                 uint16_t error, struct slice other)
{
    static const uint8_t class_ttl[] = { 0, CLASS_ANY, 0, 0, 0, 0 };
    digest_add(d, name.ptr, name.len);
    digest_add(d, class_ttl, sizeof class_ttl);
    digest_add(d, algorithm.ptr, algorithm.len);
    digest_add_time(d, time_s, fudge_s);
    digest_add16(d, error);
    digest_add16(d, (uint16_t)other.len);
    digest_add(d, other.ptr, other.len);
}

/* The length of the MAC, 0 on failure. */
static size_t digest_end(struct digest *d, uint8_t mac[TSIG_MAC_MAX])
{
    size_t len = d->failed ? 0 : dnssec_tsig_size(d->hmac);
    if (len > TSIG_MAC_MAX || (len && dnssec_tsig_write(d->hmac, mac) != DNSSEC_EOK))
        len = 0;
    dnssec_tsig_free(d->hmac);
    return len;
}

static struct slice algorithm_name(const struct tsig_key *key)
{
    const uint8_t *name = dnssec_tsig_algorithm_to_dname((dnssec_tsig_algorithm_t)key->algorithm);
    return (struct slice){ name, name_wire_length(name, NAME_WIRE_MAX) };
}

static size_t request_mac(const struct tsig_record *t, const struct tsig_key *key, const uint8_t *message, uint8_t mac[TSIG_MAC_MAX])
{
    struct digest d = digest_begin(key);
    uint8_t header[HEADER]; /* as it was before it was signed */
    memcpy(header, message, HEADER);
    put_be16(header, t->original_id);
    put_be16(header + 10, (uint16_t)(get_be16(header + 10) - 1));
    digest_add(&d, header, HEADER);
    digest_add(&d, message + HEADER, t->at - HEADER);
    digest_add_variables(&d, (struct slice){ t->name, t->name_len }, (struct slice){ t->algorithm, t->algorithm_len },
                         t->time_s, t->fudge_s, t->error, t->other);
    return digest_end(&d, mac);
}

static bool same(struct slice a, const uint8_t *ptr, size_t len)
{
    return a.len == len && memcmp(a.ptr, ptr, len) == 0;
}

int tsig_check(const struct tsig_record *record, const struct tsig_key *key, const uint8_t *message, int64_t now_s,
               struct tsig_chain *chain, enum tsig_error *ret)
{
    uint8_t mac[TSIG_MAC_MAX];
    *chain = (struct tsig_chain){ .original_id = record->original_id, .request_s = record->time_s, .error = TSIG_BADKEY };
    memcpy(chain->name, record->name, chain->name_len = record->name_len);
    memcpy(chain->algorithm, record->algorithm, chain->algorithm_len = record->algorithm_len);
    *ret = TSIG_BADKEY;
    if (key == NULL || !same(algorithm_name(key), record->algorithm, record->algorithm_len))
        return 0;
    size_t len = request_mac(record, key, message, mac);
    if (len == 0)
        return E_NOMEM;
    size_t least = len / 2 > 10 ? len / 2 : 10; /* 5.2.2.1 */
    if (record->mac.len > len || record->mac.len < least)
        return E_MALFORMED;
    *ret = TSIG_BADSIG;
    if (sodium_memcmp(mac, record->mac.ptr, record->mac.len) == 0) {
        uint64_t distance = record->time_s > (uint64_t)now_s ? record->time_s - (uint64_t)now_s : (uint64_t)now_s - record->time_s;
        *ret = record->mac.len < len ? TSIG_BADTRUNC : distance > record->fudge_s ? TSIG_BADTIME : TSIG_GOOD;
    }
    chain->error = (uint16_t)*ret;
    if (*ret != TSIG_BADSIG) {
        chain->key = key;
        memcpy(chain->mac, record->mac.ptr, chain->mac_len = record->mac.len);
    }
    return 0;
}

void tsig_begin(struct tsig_chain *chain, const struct tsig_key *key, uint16_t id)
{
    struct slice algorithm = algorithm_name(key);
    *chain = (struct tsig_chain){ .key = key, .original_id = id };
    memcpy(chain->name, key->name, chain->name_len = key->name_len);
    memcpy(chain->algorithm, algorithm.ptr, chain->algorithm_len = algorithm.len);
}

size_t tsig_room(const struct tsig_chain *chain)
{
    return chain->name_len + 10 + chain->algorithm_len + 16 + TSIG_MAC_MAX + OTHER_TIME;
}

static size_t reply_mac(const struct tsig_chain *c, const uint8_t *message, size_t len, uint64_t time_s, struct slice other,
                        uint8_t mac[TSIG_MAC_MAX])
{
    struct digest d = digest_begin(c->key);
    if (c->mac_len)
        digest_add_former(&d, c->mac, c->mac_len);
    digest_add(&d, message, len);
    if (c->signed_n)
        digest_add_time(&d, time_s, TSIG_FUDGE_S);
    else
        digest_add_variables(&d, (struct slice){ c->name, c->name_len }, (struct slice){ c->algorithm, c->algorithm_len }, time_s,
                             TSIG_FUDGE_S, c->error, other);
    return digest_end(&d, mac);
}

size_t tsig_sign(struct tsig_chain *c, uint8_t *message, size_t len, int64_t now_s)
{
    uint8_t mac[TSIG_MAC_MAX], now[OTHER_TIME];
    size_t mac_len = 0, other_len = c->error == TSIG_BADTIME ? OTHER_TIME : 0;
    /* 5.2.3: the client's own time, and ours beside it. */
    uint64_t time_s = other_len ? c->request_s : (uint64_t)now_s;
    put_time(now, (uint64_t)now_s);
    if (c->key != NULL) {
        mac_len = reply_mac(c, message, len, time_s, (struct slice){ now, other_len }, mac);
        if (mac_len == 0)
            return 0;
        memcpy(c->mac, mac, c->mac_len = mac_len);
    }
    uint8_t *to = message + len;
    memcpy(to, c->name, c->name_len);
    to += c->name_len;
    put_be16(to, TYPE_TSIG);
    put_be16(to + 2, CLASS_ANY);
    put_be32(to + 4, 0);
    put_be16(to + 8, (uint16_t)(c->algorithm_len + 16 + mac_len + other_len));
    to += 10;
    memcpy(to, c->algorithm, c->algorithm_len);
    to += c->algorithm_len;
    put_time(to, time_s);
    put_be16(to + 6, TSIG_FUDGE_S);
    put_be16(to + 8, (uint16_t)mac_len);
    to += 10;
    memcpy(to, mac, mac_len);
    to += mac_len;
    put_be16(to, c->original_id);
    put_be16(to + 2, c->error);
    put_be16(to + 4, (uint16_t)other_len);
    memcpy(to + 6, now, other_len);
    put_be16(message + 10, (uint16_t)(get_be16(message + 10) + 1));
    c->signed_n++;
    return (size_t)(to + 6 + other_len - message);
}
