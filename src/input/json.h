/* json: one line to a jansson tree, and short questions about it.
 *
 * A line is at most LINE_MAX_BYTES long and jansson limits the depth (2048), so the
 * tree is bounded. Strings may hold NUL (\u0000 in a name). The caller owns the tree
 * and ends it with json_decref; slices into it live as long.
 */
#ifndef DNSMON_INPUT_JSON_H
#define DNSMON_INPUT_JSON_H

#include "base/bytes.h"

#include <jansson.h>

/* NULL when the line is not one JSON object. *ret_nomem tells why. */
json_t *json_line(struct slice line, bool *ret_nomem);

/* ptr NULL when there is no such member or it is not a string. */
struct slice json_text(const json_t *object, const char *key);
struct slice json_text_of(const json_t *value);

bool json_is(const json_t *object, const char *key, const char *text);

/* An integer (or an integral real) in 0..max. */
bool json_count(const json_t *value, uint64_t max, uint64_t *ret);

static inline bool json_member_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

#endif
