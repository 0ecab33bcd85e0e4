#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void what_is_appended_stays_in_order(void **state) {
        _cleanup_buf_ Buf buf = BUF_INIT(1000);

        assert_null(buf.data);
        assert_int_equal(buf_puts(&buf, "a", NULL), 0);
        assert_int_equal(buf_append(&buf, "b\0c", 3, NULL), 0);
        assert_int_equal(buf_printf(&buf, NULL, "%d-%s", 7, "x"), 0);
        assert_int_equal(buf.len, 7);
        assert_memory_equal(buf.data, "ab\0c7-x", 8); /* and the NUL behind */
}

static void the_cap_is_exact_and_a_refusal_changes_nothing(void **state) {
        _cleanup_buf_ Buf buf = BUF_INIT(1000);
        char text[1002];
        Error err = ERROR_INIT;

        memset(text, 'x', sizeof(text));
        assert_int_equal(buf_append(&buf, text, 1001, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(buf_append(&buf, text, 999, NULL), 0);
        assert_int_equal(buf_append(&buf, text, 2, &err), -1);
        assert_int_equal(buf_append(&buf, text, SIZE_MAX, &err), -1);
        assert_int_equal(buf.len, 999);
        assert_int_equal(buf_append(&buf, text, 1, NULL), 0);
        assert_int_equal(buf_puts(&buf, "", NULL), 0);
        assert_int_equal(buf_puts(&buf, "x", &err), -1);
        assert_int_equal(strlen(buf.data), 1000);
}

static void reset_keeps_the_cap_and_free_makes_it_empty(void **state) {
        Buf buf = BUF_INIT(3);

        assert_int_equal(buf_puts(&buf, "abc", NULL), 0);
        buf_reset(&buf);
        assert_string_equal(buf.data, "");
        assert_int_equal(buf_puts(&buf, "def", NULL), 0);
        buf_free(&buf);
        assert_null(buf.data);
        assert_int_equal(buf.len, 0);
        assert_int_equal(buf_puts(&buf, "ghij", NULL), -1);
        assert_int_equal(buf_puts(&buf, "ghi", NULL), 0);
        buf_free(&buf);
        buf_reset(&buf);
        buf_free(&buf);
}

static void arrays_of_strings_grow_and_end_in_null(void **state) {
        _cleanup_strv_ char **strv = NULL;
        char text[16];

        assert_int_equal(strv_length(NULL), 0);
        for (int i = 0; i < 100; i++) {
                snprintf(text, sizeof(text), "%d", i);
                assert_int_equal(strv_push(&strv, text, NULL), 0);
                assert_int_equal(strv_length(strv), i + 1);
        }
        assert_string_equal(strv[0], "0");
        assert_string_equal(strv[99], "99");
        assert_null(strv[100]);
}

static void copies_of_nothing_are_nothing(void **state) {
        char *copy = (char *) 1;

        assert_int_equal(string_copy(NULL, &copy, NULL), 0);
        assert_null(copy);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_appended_stays_in_order),
                cmocka_unit_test(the_cap_is_exact_and_a_refusal_changes_nothing),
                cmocka_unit_test(reset_keeps_the_cap_and_free_makes_it_empty),
                cmocka_unit_test(arrays_of_strings_grow_and_end_in_null),
                cmocka_unit_test(copies_of_nothing_are_nothing),
        };

        return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
