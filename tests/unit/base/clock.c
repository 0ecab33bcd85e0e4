/* Points in time as text. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/clock.h"

static void time_is_rfc_3339_in_utc(void **unused) {
        char text[TIME_TEXT_MAX];
        struct tm utc = {};
        time_t now = time(NULL);
        const char *rest;

        time_now_text(text);
        rest = strptime(text, "%Y-%m-%dT%H:%M:%S.", &utc);
        assert_non_null(rest);
        assert_int_equal(strspn(rest, "0123456789"), 9);
        assert_string_equal(rest + 9, "Z");
        assert_in_range(timegm(&utc), now, now + 5);
}

/* As the C library has it, on both sides of every month's end until 2400, the end of a leap century. */
static void dates_are_those_of_the_calendar(void **unused) {
        for (int month = 0; month <= 430 * 12; month++) {
                time_t first = timegm(&(struct tm) { .tm_year = 70, .tm_mon = month, .tm_mday = 1 });

                for (time_t t = first - (month > 0); t <= first; t++) {
                        struct timespec when = { .tv_sec = t, .tv_nsec = 7 };
                        char text[TIME_TEXT_MAX], expected[TIME_TEXT_MAX];

                        time_text(&when, text);
                        assert_int_not_equal(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000007Z", gmtime(&t)), 0);
                        assert_string_equal(text, expected);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(time_is_rfc_3339_in_utc),
                cmocka_unit_test(dates_are_those_of_the_calendar),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
