/* Sizes, durations and ages as people read them. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/output.h"

const char *size_text(uint64_t bytes, char ret[SIZE_TEXT_MAX]) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        double value = (double) bytes;
        size_t unit = 0;

        /* 999.95 would be shown as 1000 by %.3g */
        while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
                value /= 1000;
                unit++;
        }
        snprintf(ret, SIZE_TEXT_MAX, "%.3g %s", value, units[unit]);
        return ret;
}

const char *duration_text(uint64_t nanoseconds, char ret[DURATION_TEXT_MAX]) {
        if (nanoseconds >= 1000000000)
                snprintf(ret, DURATION_TEXT_MAX, "%.2f s", (double) nanoseconds / 1e9);
        else
                snprintf(ret, DURATION_TEXT_MAX, "%.2f ms", (double) nanoseconds / 1e6);
        return ret;
}

static int parse_time(const char *text, int64_t *ret) {
        int offset = 0, hours, minutes;
        struct tm tm = {};
        const char *p;
        char sign;

        p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!p)
                return -1;
        if (*p == '.')
                p += 1 + strspn(p + 1, "0123456789");
        if (sscanf(p, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
                offset = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
        else if (strcmp(p, "Z") != 0)
                return -1;
        *ret = (int64_t) timegm(&tm) - offset;
        return 0;
}

const char *age_text(const char *time, int64_t now, char ret[AGE_TEXT_MAX]) {
        static const struct {
                int64_t seconds;
                const char *name;
        } units[] = { { 365 * 86400, "year" }, { 30 * 86400, "month" }, { 7 * 86400, "week" }, { 86400, "day" }, { 3600, "hour" },
                      { 60, "minute" } };
        int64_t then, age;

        if (!time || parse_time(time, &then) < 0) {
                snprintf(ret, AGE_TEXT_MAX, "%s", time ?: "");
                return ret;
        }
        age = now - then;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (age >= units[i].seconds) {
                        int64_t n = age / units[i].seconds;

                        snprintf(ret, AGE_TEXT_MAX, "%lld %s%s ago", (long long) n, units[i].name, n == 1 ? "" : "s");
                        return ret;
                }
        if (age >= 0)
                snprintf(ret, AGE_TEXT_MAX, "%lld second%s ago", (long long) age, age == 1 ? "" : "s");
        else
                snprintf(ret, AGE_TEXT_MAX, "%s", time); /* made in the future: its clock, or ours */
        return ret;
}
