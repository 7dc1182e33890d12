/* Profiles in the state file. Properties: what is read is written and read again as the same; an hour more goes over it. */
#include "detect/profile.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct activity a;
    struct profile p, again;
    struct buffer bytes, twice;
    if (!profile_get((struct slice){ data, size }, &p))
        return 0;
    buffer_init(&bytes, PROFILE_VALUE_MAX);
    buffer_init(&twice, PROFILE_VALUE_MAX);
    profile_put(&p, &bytes);
    must(!bytes.failed);
    must(profile_get((struct slice){ bytes.ptr, bytes.len }, &again));
    profile_put(&again, &twice);
    must(twice.len == bytes.len && memcmp(bytes.ptr, twice.ptr, twice.len) == 0);
    activity_init(&a, true);
    a.counters[ACTIVITY_QUERIES] = UINT64_MAX;
    if (p.last < UINT32_MAX)
        profile_add(&p, p.last + 1, &a);
    (void)profile_filter_full(&p);
    buffer_release(&bytes);
    buffer_release(&twice);
    return 0;
}
