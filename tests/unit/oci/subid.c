#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/subid.h"

#include "../scratch.h"

static void a_user_has_all_ranges_of_its_name_and_its_number(void **state) {
        static const char text[] = "other:1:2\nvisitor:100000:65536\n# visitor:5\n1000:300000:10\nvisitors:7:7\nvisitor:200000:1";
        const Scratch *scratch = *state;
        _cleanup_free_ SubidRange *ranges = NULL;
        char path[96];
        Error err = ERROR_INIT;
        size_t n = 99;

        assert_int_equal(file_write_atomic_at(scratch->fd, "subuid", text, strlen(text), 0600, 0, &err), 0);
        snprintf(path, sizeof(path), "%s/subuid", scratch->path);
        assert_int_equal(subid_ranges(path, "visitor", "1000", &ranges, &n, &err), 0);
        assert_int_equal(n, 3);
        assert_int_equal(ranges[0].start, 100000);
        assert_int_equal(ranges[0].size, 65536);
        assert_int_equal(ranges[1].start, 300000);
        assert_int_equal(ranges[2].start, 200000);
        free(TAKE(ranges));
        assert_int_equal(subid_ranges(path, "visitor", NULL, &ranges, &n, &err), 0);
        assert_int_equal(n, 2);
}

static void a_file_that_is_not_there_gives_nothing(void **state) {
        _cleanup_free_ SubidRange *ranges = NULL;
        size_t n = 99;

        (void) state;
        assert_int_equal(subid_ranges("/proc/self/no-such-file", "visitor", NULL, &ranges, &n, NULL), 0);
        assert_int_equal(n, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(a_user_has_all_ranges_of_its_name_and_its_number),
                cmocka_unit_test(a_file_that_is_not_there_gives_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
