#include "protect/rpz/refusals.h"

#include "base/hash.h"

enum { AGAIN_S = 3600 };

const char *refusal_text(enum refusal refusal)
{
    static const char *const texts[] = {
#define XX(name, text) text,
        REFUSAL_MAP(XX)
#undef XX
    };
    return texts[refusal];
}

bool refusals_note(struct refusals *r, const struct sockaddr_storage *source, enum refusal why, int64_t now_s)
{
    size_t len;
    const uint8_t *bytes = peer_address(source, &len);
    uint64_t hash = hash_memory(bytes, len, hash_secret() + why);
    r->n[why]++;
    if (now_s - r->since_s >= AGAIN_S) {
        r->n_told = 0;
        r->since_s = now_s;
    }
    for (unsigned i = 0; i < r->n_told; i++)
        if (r->told[i] == hash)
            return false;
    if (r->n_told == REFUSALS_TOLD)
        return false;
    r->told[r->n_told++] = hash;
    return true;
}
