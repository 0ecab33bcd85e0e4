#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void text_grows_outwards(void **state) {
        Error err = ERROR_INIT;

        assert_int_equal(error_set_errno(&err, ERROR_FILE, ENOSPC, "unpack '%s'", "usr/bin/x"), -1);
        error_prefix(&err, "layer %s", "sha256:ab");
        error_prefix(&err, "create '%s'", "web");
        assert_string_equal(err.text, "create 'web': layer sha256:ab: unpack 'usr/bin/x': No space left on device");
        assert_int_equal(err.errnum, ENOSPC);
        assert_int_equal(err.kind, ERROR_FILE);
}

static void enomem_is_out_of_memory_whatever_the_kind(void **state) {
        Error err = ERROR_INIT;

        error_set_errno(&err, ERROR_FILE, ENOMEM, "read");
        assert_int_equal(err.kind, ERROR_OUT_OF_MEMORY);
}

static void inner_hint_and_phase_win(void **state) {
        Error err = ERROR_INIT;

        error_set(&err, ERROR_RUNTIME, "x");
        error_hint(&err, "inner");
        error_hint(&err, "outer");
        error_phase(&err, "layers");
        error_phase(&err, "rootfs");
        assert_string_equal(err.hint, "inner");
        assert_string_equal(err.phase, "layers");
}

static void long_text_is_cut_at_a_character(void **state) {
        Error err = ERROR_INIT;
        char text[2 * ERROR_TEXT_MAX + 1];

        for (size_t i = 0; i < sizeof(text) - 1; i += 2)
                memcpy(text + i, "ä", 2);
        text[sizeof(text) - 1] = '\0';
        error_set(&err, ERROR_FILE, "%s", text);
        assert_true(strlen(err.text) < ERROR_TEXT_MAX);
        assert_string_equal(err.text + strlen(err.text) - strlen("ä…"), "ä…");
}

static void every_kind_has_a_name(void **state) {
        for (ErrorKind kind = ERROR_NONE; kind < _ERROR_KIND_MAX; kind++)
                assert_non_null(error_kind_name(kind));
        assert_string_equal(error_kind_name(_ERROR_KIND_MAX), "Unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_grows_outwards),
                cmocka_unit_test(enomem_is_out_of_memory_whatever_the_kind),
                cmocka_unit_test(inner_hint_and_phase_win),
                cmocka_unit_test(long_text_is_cut_at_a_character),
                cmocka_unit_test(every_kind_has_a_name),
        };

        return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
