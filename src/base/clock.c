/* Points in time as text. Without gmtime(3), which reads the host's time zone first, in every process anew. */

#include "base/clock.h"

#include <stdbool.h>

#define DAY 86400 /* seconds; UTC on Unix has no leap seconds */

static bool is_leap(int year) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The last @width digits of a number, and the byte after them. */
static char *put(char *p, unsigned long value, unsigned width, char after) {
        for (unsigned i = width; i-- > 0; value /= 10)
                p[i] = (char) ('0' + value % 10);
        p[width] = after;
        return p + width + 1;
}

void time_text(const struct timespec *when, char ret[TIME_TEXT_MAX]) {
        static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        unsigned long second = (unsigned long) (when->tv_sec % DAY);
        long long days = when->tv_sec / DAY;
        int year = 1970, month = 0;
        char *p = ret;

        for (; days >= 365 + is_leap(year); year++)
                days -= 365 + is_leap(year);
        for (; days >= lengths[month] + (month == 1 && is_leap(year)); month++)
                days -= lengths[month] + (month == 1 && is_leap(year));
        p = put(p, (unsigned long) year, 4, '-');
        p = put(p, (unsigned long) month + 1, 2, '-');
        p = put(p, (unsigned long) days + 1, 2, 'T');
        p = put(p, second / 3600, 2, ':');
        p = put(p, second / 60 % 60, 2, ':');
        p = put(p, second % 60, 2, '.');
        p = put(p, (unsigned long) when->tv_nsec, 9, 'Z');
        *p = '\0';
}

void time_now_text(char ret[TIME_TEXT_MAX]) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        time_text(&now, ret);
}
