#include "input/frames.h"

static const char content[] = "protobuf:dnstap.Dnstap";

enum { FIELD_CONTENT_TYPE = 1 };

static struct frame more(uint64_t size)
{
    return (struct frame){ .kind = FRAMES_MORE, .size = size };
}

static struct frame control_next(const uint8_t *ptr, size_t len)
{
    if (len < 8)
        return more(8);
    uint32_t n = get_be32(ptr + 4);
    if (n < 4 || n > FRAMES_CONTROL_MAX)
        return (struct frame){ .kind = FRAMES_BAD };
    if (len - 8 < n)
        return more((uint64_t)n + 8);
    return (struct frame){ FRAMES_CONTROL, (uint64_t)n + 8, { ptr + 8, n } };
}

struct frame frames_next(const uint8_t *ptr, size_t len)
{
    if (len < 4)
        return more(4);
    uint32_t n = get_be32(ptr);
    if (n == 0)
        return control_next(ptr, len);
    if (n > FRAMES_DATA_MAX)
        return (struct frame){ .kind = FRAMES_BIG, .size = (uint64_t)n + 4 };
    if (len - 4 < n)
        return more((uint64_t)n + 4);
    return (struct frame){ FRAMES_DATA, (uint64_t)n + 4, { ptr + 4, n } };
}

struct frames_control frames_control(struct slice payload)
{
    struct cursor c = cursor_over(payload.ptr, payload.len);
    struct frames_control control = { .type = cursor_be32(&c) };
    while (!c.failed && cursor_left(&c)) {
        uint32_t field = cursor_be32(&c);
        uint32_t len = cursor_be32(&c);
        const uint8_t *value = cursor_take(&c, len);
        if (value == NULL || field != FIELD_CONTENT_TYPE)
            continue;
        control.names_content = true;
        control.is_dnstap |= len == strlen(content) && memcmp(value, content, len) == 0;
    }
    control.is_dnstap |= !control.names_content;
    control.malformed = c.failed;
    return control;
}

size_t frames_write(uint8_t ret[FRAMES_WRITE_MAX], enum frames_type type, bool names_content)
{
    size_t n = strlen(content), payload = 4 + (names_content ? 8 + n : 0);
    put_be32(ret, 0);
    put_be32(ret + 4, (uint32_t)payload);
    put_be32(ret + 8, type);
    if (names_content) {
        put_be32(ret + 12, FIELD_CONTENT_TYPE);
        put_be32(ret + 16, (uint32_t)n);
        memcpy(ret + 20, content, n);
    }
    return payload + 8;
}
