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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(time_is_rfc_3339_in_utc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
