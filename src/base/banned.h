/* banned: functions that this project does not call, refused by the compiler.
 *
 * Included in front of every file (-include, meson.build). The headers that declare or
 * wrap the names come first, since a poisoned name is an error wherever it appears later.
 *
 * Copying without a length:        use memcpy with one, snprintf, struct buffer.
 * State shared behind one's back:  use strtok_r, gmtime_r, localtime_r, strerror_r.
 * Stack of a size from outside:    use an arena.
 *
 * Tests that print what they made into buffers of their own define DNSMON_UNBANNED.
 */
#ifndef DNSMON_BASE_BANNED_H
#define DNSMON_BASE_BANNED_H
#ifndef DNSMON_UNBANNED

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>

/* Some are macros, of glibc's or of the fortified headers. */
#undef strcpy
#undef strcat
#undef stpcpy
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef alloca

#pragma GCC poison strcpy strcat stpcpy strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok gmtime localtime asctime ctime asctime_r ctime_r
#pragma GCC poison alloca

#endif
#endif
