#include "base/jsontext.h"

static const char hex[] = "0123456789abcdef";

void jsontext_bytes(struct buffer *to, const char *text, size_t len)
{
    uint8_t *start = buffer_reserve(to, 6 * len + 2);
    if (start == NULL)
        return;
    uint8_t *out = start;
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c < 0x20 || c >= 0x7f) {
            memcpy(out, "\\u00", 4);
            out[4] = (uint8_t)hex[c >> 4];
            out[5] = (uint8_t)hex[c & 15];
            out += 6;
            continue;
        }
        if (c == '"' || c == '\\')
            *out++ = '\\';
        *out++ = c;
    }
    *out++ = '"';
    to->len += (size_t)(out - start);
}

/* Bytes of the character at the start (RFC 3629, 4: no overlong form, no surrogate, none beyond U+10FFFF); 0 when it is none. */
static size_t character(const uint8_t *p)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

static bool is_utf8(const uint8_t *text)
{
    while (*text != '\0') {
        size_t len = character(text);
        if (len == 0)
            return false;
        text += len;
    }
    return true;
}

static void put_control(struct buffer *to, uint8_t c)
{
    static const char shorts[] = "btn_fr"; /* 8 to 13 */
    if (c >= 8 && c <= 13 && c != 11)
        buffer_printf(to, "\\%c", shorts[c - 8]);
    else
        buffer_printf(to, "\\u%04X", c);
}

void jsontext_put(struct buffer *to, const char *text)
{
    if (!is_utf8((const uint8_t *)text)) {
        jsontext_bytes(to, text, strlen(text));
        return;
    }
    buffer_u8(to, '"');
    while (*text != '\0') {
        size_t plain = strcspn(text, "\"\\\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37");
        buffer_append(to, text, plain);
        text += plain;
        if (*text == '"' || *text == '\\')
            buffer_printf(to, "\\%c", *text++);
        else if (*text != '\0')
            put_control(to, (uint8_t)*text++);
    }
    buffer_u8(to, '"');
}
