#include "input/json.h"

json_t *json_line(struct slice line, bool *ret_nomem)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)line.ptr, line.len,
                              JSON_ALLOW_NUL, &error);
    *ret_nomem = root == NULL && json_error_code(&error) == json_error_out_of_memory;
    if (root != NULL && !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

struct slice json_text_of(const json_t *value)
{
    if (!json_is_string(value))
        return (struct slice){ NULL, 0 };
    return (struct slice){ (const uint8_t *)json_string_value(value), json_string_length(value) };
}

struct slice json_text(const json_t *object, const char *key)
{
    return json_text_of(json_object_get(object, key));
}

bool json_is(const json_t *object, const char *key, const char *text)
{
    struct slice s = json_text(object, key);
    return s.ptr != NULL && s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

bool json_count(const json_t *value, uint64_t max, uint64_t *ret)
{
    double v = json_is_number(value) ? json_number_value(value) : -1;
    if (!(v >= 0 && v <= (double)max) || v != (double)(uint64_t)v)
        return false;
    *ret = (uint64_t)v;
    return true;
}
