/* fault: what went wrong, for the program (a code) and for a person (one line).
 *
 * Functions that can fail return 0 or one of the negative codes below. Those
 * that know a context worth telling take a `struct fault *why` as their last
 * argument, may be handed NULL there, and fill it only on failure:
 *
 *     return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad block checksum", path, at);
 *
 * Libraries return faults; only src/cmd prints them, once.
 * Threads: a fault belongs to its caller.
 */
#ifndef DNSMON_BASE_FAULT_H
#define DNSMON_BASE_FAULT_H

#define FAULT_MAP(XX)                                                                      \
    XX(NOMEM, "out of memory")                                                             \
    XX(IO, "input/output error")                                                           \
    XX(NOSPACE, "no space left on device")                                                 \
    XX(MALFORMED, "malformed input")                                                       \
    XX(TRUNCATED, "input ends early")                                                      \
    XX(CORRUPT, "database is damaged")                                                     \
    XX(LIMIT, "limit exceeded")                                                            \
    XX(LOCKED, "database is in use by another writer")                                     \
    XX(VERSION, "unknown version")                                                         \
    XX(USAGE, "wrong usage")                                                               \
    XX(ABSENT, "not found")                                                                \
    XX(UNSUPPORTED, "not supported")                                                       \
    XX(INTERRUPTED, "interrupted")

enum {
    E_OK = 0,
#define XX(name, text) E_MINUS_##name,
    FAULT_MAP(XX)
#undef XX
#define XX(name, text) E_##name = -E_MINUS_##name,
    FAULT_MAP(XX)
#undef XX
};

#define MUST_CHECK __attribute__((warn_unused_result))

struct fault {
    int code;
    char text[512];
};

/* Fills `why` (NULL allowed) and returns `code`. */
int fault_set(struct fault *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: picks NOSPACE, NOMEM or IO from `errnum`
 * and appends its text. */
int fault_errno(struct fault *why, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A short text for a bare code. */
const char *fault_text(int code);

#endif
