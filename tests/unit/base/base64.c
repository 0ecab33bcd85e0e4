#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void both_directions_agree(void **state) {
        static const char *const pairs[][2] = { { "", "" },         { "f", "Zg==" },       { "fo", "Zm8=" },        { "foo", "Zm9v" },
                                                { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_buf_ Buf text = BUF_INIT(100), plain = BUF_INIT(100);

                assert_int_equal(base64_encode(&text, pairs[i][0], strlen(pairs[i][0]), NULL), 0);
                assert_string_equal(text.data ?: "", pairs[i][1]);
                assert_int_equal(base64_decode(&plain, pairs[i][1], NULL), 0);
                assert_string_equal(plain.data ?: "", pairs[i][0]);
        }
}

static void nonsense_is_refused(void **state) {
        static const char *const wrong[] = { "Z", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm9*", "Zm 9v", "====" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_buf_ Buf plain = BUF_INIT(100);
                Error err = ERROR_INIT;

                if (base64_decode(&plain, wrong[i], &err) == 0)
                        fail_msg("'%s' is taken", wrong[i]);
                assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both_directions_agree),
                cmocka_unit_test(nonsense_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
