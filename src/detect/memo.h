/* memo: what several detectors ask of one view of a subject, computed once. Empty when the view changes; the subject owns it. */
#ifndef DNSMON_DETECT_MEMO_H
#define DNSMON_DETECT_MEMO_H

#include "detect/beat.h"
#include "detect/steady.h"

struct subject_memo {
    bool has_beat, has_steady;
    struct beat beat;
    struct steady steady;
};

#endif
