/* skeleton: what a label looks like, whatever characters it is made of.
 *
 * An xn-- label is decoded (Punycode, RFC 3492), characters of other scripts that look like ASCII become what they
 * look like (a subset of the Unicode confusables, UTS 39), and then so do digits and pairs of letters: 0 o, 1 l, i l, rn m. Two
 * labels that look alike have equal skeletons. Labels are outside bytes; pure; any thread. */
#ifndef DNSMON_DETECT_LOOK_ALIKE_SKELETON_H
#define DNSMON_DETECT_LOOK_ALIKE_SKELETON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SKELETON_MAX = 64 };

struct skeleton {
    char text[SKELETON_MAX]; /* not ended by NUL */
    size_t len;
    bool foreign; /* letters of another script stood for ASCII ones */
    bool accented;
};

/* False when it looks like no ASCII word: too long, undecodable, or with letters that are unlike any. */
bool skeleton_of(const char *label, size_t len, struct skeleton *ret);

/* RFC 3492, 6.2, of what follows "xn--": the number of code points, 0 when it is malformed or longer than `room`. */
size_t punycode_decode(const char *text, size_t len, uint32_t *to, size_t room);

#endif
