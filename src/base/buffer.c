#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *b, size_t limit)
{
    *b = (struct buffer){ .limit = limit };
}

void buffer_release(struct buffer *b)
{
    free(b->ptr);
    *b = (struct buffer){ .limit = b->limit };
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *buffer_reserve_slow(struct buffer *b, size_t len)
{
    if (b->failed || len > b->limit || b->len > b->limit - len) {
        b->failed = true;
        return NULL;
    }
    size_t want = b->len + len;
    size_t grown = b->capacity + b->capacity / 2;
    if (grown < want)
        grown = want;
    if (grown < 64)
        grown = 64;
    uint8_t *ptr = realloc(b->ptr, grown);
    if (ptr == NULL) {
        b->failed = true;
        return NULL;
    }
    b->ptr = ptr;
    b->capacity = grown;
    return ptr + b->len;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *to = len < 0 ? NULL : buffer_reserve(b, (size_t)len + 1);
    if (to != NULL) {
        vsnprintf((char *)to, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}
