/* Client ids: SipHash-2-4 as its authors wrote it down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/bytes.h"
#include "observe/client.h"

/* J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF" (2012), section 2, for 16 bytes. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_rounds(struct sip *s, int n)
{
    while (n-- > 0) {
        s->v0 += s->v1, s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0, s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1, s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2, s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_rounds(s, 2);
    s->v0 ^= m;
}

static uint64_t oracle(const uint8_t key[16], const uint8_t address[16])
{
    uint64_t k0 = get_le64(key), k1 = get_le64(key + 8);
    struct sip s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    sip_word(&s, get_le64(address));
    sip_word(&s, get_le64(address + 8));
    sip_word(&s, UINT64_C(16) << 56);
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* From vectors.h of the reference implementation (github.com/veorq/SipHash): key 00 01 .. 0f, input the same. */
static void test_vector(void **state)
{
    (void)state;
    struct client_key key;
    for (uint8_t i = 0; i < 16; i++)
        key.bytes[i] = i;
    assert_true(client_id(&key, key.bytes) == UINT64_C(0x3f2acc7f57c29bdb));
    assert_true(oracle(key.bytes, key.bytes) == UINT64_C(0x3f2acc7f57c29bdb));
}

static void test_oracle(void **state)
{
    (void)state;
    struct client_key key;
    uint8_t address[16];
    srand(7);
    for (int i = 0; i < 10000; i++) {
        for (int k = 0; k < 16; k++) {
            key.bytes[k] = (uint8_t)rand();
            address[k] = (uint8_t)rand();
        }
        assert_true(client_id(&key, address) == oracle(key.bytes, address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vector), cmocka_unit_test(test_oracle) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
