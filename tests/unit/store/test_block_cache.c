#include "store/block_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void gives_back_what_it_was_given(void **state)
{
    (void)state;
    struct block_cache *c = block_cache_create();
    uint8_t block[8192], got[8192];
    uint64_t end = 0;
    assert_non_null(c);
    memset(block, 7, sizeof block);
    assert_int_equal(block_cache_get(c, 1, 100, got, sizeof got, &end), 0);
    block_cache_put(c, 1, 100, 5000, (struct slice){ block, sizeof block });
    assert_int_equal(block_cache_get(c, 1, 100, got, sizeof got, &end), sizeof block);
    assert_int_equal(end, 5000);
    assert_memory_equal(got, block, sizeof block);
    assert_int_equal(block_cache_get(c, 2, 100, got, sizeof got, &end), 0);              /* another table */
    assert_int_equal(block_cache_get(c, 1, 101, got, sizeof got, &end), 0);              /* another block */
    assert_int_equal(block_cache_get(c, 1, 100, got, sizeof got - 1, &end), 0);          /* no room */
    block_cache_destroy(&c);
    assert_null(c);
}

static void what_is_too_large_or_empty_is_left_out(void **state)
{
    (void)state;
    static uint8_t large[1 << 16];
    struct block_cache *c = block_cache_create();
    uint64_t end;
    assert_non_null(c);
    block_cache_put(c, 1, 0, 9, (struct slice){ large, sizeof large });
    block_cache_put(c, 1, 1, 9, (struct slice){ large, 0 });
    assert_int_equal(block_cache_get(c, 1, 0, large, sizeof large, &end), 0);
    assert_int_equal(block_cache_get(c, 1, 1, large, sizeof large, &end), 0);
    block_cache_destroy(&c);
}

/* Many more blocks than places: each that is found is the right one, and some are. */
static void blocks_give_way_to_newer_ones(void **state)
{
    (void)state;
    struct block_cache *c = block_cache_create();
    uint64_t value, end;
    unsigned found = 0;
    assert_non_null(c);
    for (uint64_t at = 0; at < 4 * BLOCK_CACHE_PLACES; at++)
        block_cache_put(c, at % 3, at, at + 1, (struct slice){ (const uint8_t *)&at, sizeof at });
    for (uint64_t at = 0; at < 4 * BLOCK_CACHE_PLACES; at++)
        if (block_cache_get(c, at % 3, at, (uint8_t *)&value, sizeof value, &end) != 0) {
            assert_int_equal(value, at);
            assert_int_equal(end, at + 1);
            found++;
        }
    assert_in_range(found, BLOCK_CACHE_PLACES / 2, BLOCK_CACHE_PLACES);
    block_cache_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_it_was_given),
        cmocka_unit_test(what_is_too_large_or_empty_is_left_out),
        cmocka_unit_test(blocks_give_way_to_newer_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
