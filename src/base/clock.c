/* Points in time as text. */

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

void time_now_text(char ret[TIME_TEXT_MAX]) {
        struct timespec now;
        struct tm utc;
        size_t n;

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        n = strftime(ret, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(ret + n, TIME_TEXT_MAX - n, ".%09ldZ", now.tv_nsec);
}
