#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *why, int code, const char *format, ...)
{
    if (why == NULL)
        return code;
    why->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return code;
}

static int code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return E_NOSPACE;
    case ENOMEM:
        return E_NOMEM;
    case ENOENT:
        return E_ABSENT;
    case EINTR:
        return E_INTERRUPTED;
    default:
        return E_IO;
    }
}

int fault_errno(struct fault *why, int errnum, const char *format, ...)
{
    int code = code_of_errno(errnum);
    if (why == NULL)
        return code;
    why->code = code;
    va_list args;
    va_start(args, format);
    int used = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof why->text)
        snprintf(why->text + used, sizeof why->text - (size_t)used, ": %s", strerror(errnum));
    return code;
}

const char *fault_text(int code)
{
    switch (code) {
    case E_OK:
        return "no error";
#define XX(name, text)                                                                     \
    case E_##name:                                                                         \
        return text;
        FAULT_MAP(XX)
#undef XX
    default:
        return "unknown error";
    }
}
