/* What is said to CRIU and heard from it: protocol buffers, byte for byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/criu-message.h"

static void numbers_and_texts_are_fields(void **state) {
        _cleanup_buf_ Buf message = BUF_INIT(CRIU_REQUEST_MAX);
        /* Source: protobuf.dev, "Encoding": field 1 with 150 is 08 96 01, field 2 with "testing" is 12 07 and the text */
        static const char expected[] = "\x08\x96\x01\x12\x07testing\xca\x02\x04" "\x0a\x00\x12\x00";

        assert_int_equal(criu_put_number(&message, 1, 150, NULL), 0);
        assert_int_equal(criu_put_text(&message, 2, "testing", NULL), 0);
        assert_int_equal(criu_put_text(&message, 3, NULL, NULL), 0);
        assert_int_equal(criu_put_pair(&message, 41, "", "", NULL), 0);
        assert_int_equal(message.len, sizeof(expected) - 1);
        assert_memory_equal(message.data, expected, message.len);
}

static void a_request_is_its_type_and_options(void **state) {
        _cleanup_buf_ Buf options = BUF_INIT(CRIU_REQUEST_MAX), request = BUF_INIT(CRIU_REQUEST_MAX), answer = BUF_INIT(CRIU_REQUEST_MAX);

        assert_int_equal(criu_put_number(&options, CRIU_PID, 7, NULL), 0);
        assert_int_equal(criu_request_make(&request, CRIU_RESTORE, &options, NULL), 0);
        assert_int_equal(request.len, 6);
        assert_memory_equal(request.data, "\x08\x02\x12\x02\x10\x07", 6);
        assert_int_equal(criu_request_make(&answer, CRIU_NOTIFY, NULL, NULL), 0);
        assert_int_equal(answer.len, 4);
        assert_memory_equal(answer.data, "\x08\x06\x18\x01", 4);
}

#define READ(text, ret) criu_answer_read(text, sizeof(text) - 1, ret, NULL)

static void answers_are_understood(void **state) {
        CriuAnswer answer;

        /* RESTORE, success, restore { pid: 300 } */
        assert_int_equal(READ("\x08\x02\x10\x01\x22\x03\x08\xac\x02", &answer), 0);
        assert_int_equal(answer.type, CRIU_RESTORE);
        assert_true(answer.success);
        assert_int_equal(answer.pid, 300);
        /* NOTIFY, success, notify { script: "post-dump", pid: 5 }, and a field of the future of each kind */
        assert_int_equal(READ("\x08\x06\x10\x01\x2a\x0d\x0a\x09post-dump\x10\x05"
                              "\x91\x03" "12345678\x95\x03" "1234\x9a\x03\x01x", &answer), 0);
        assert_int_equal(answer.type, CRIU_NOTIFY);
        assert_string_equal(answer.script, "post-dump");
        assert_int_equal(answer.pid, 5);
        /* DUMP, failure, errno 3, message "no" */
        assert_int_equal(READ("\x08\x01\x10\x00\x38\x03\x4a\x02no", &answer), 0);
        assert_false(answer.success);
        assert_int_equal(answer.errnum, 3);
        assert_string_equal(answer.message, "no");
}

static void broken_answers_are_errors(void **state) {
        CriuAnswer answer = { .type = 99 };

        assert_int_equal(READ("\x08", &answer), -1);                                         /* no value */
        assert_int_equal(READ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &answer), -1); /* no end */
        assert_int_equal(READ("\x2a\x0d\x0a", &answer), -1);                                 /* longer than all of it */
        assert_int_equal(READ("\x2a\x02\x0a\x7f", &answer), -1);                             /* a part longer than its whole */
        assert_int_equal(READ("\x00\x01", &answer), -1);                                     /* field 0 */
        assert_int_equal(READ("\x0b", &answer), -1);                                         /* a kind that is no more */
        assert_int_equal(answer.type, 99);
}

static void long_texts_are_cut(void **state) {
        _cleanup_buf_ Buf message = BUF_INIT(CRIU_REQUEST_MAX);
        char text[1000];
        CriuAnswer answer;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(criu_put_text(&message, 9, text, NULL), 0);
        assert_int_equal(criu_answer_read(message.data, message.len, &answer, NULL), 0);
        assert_int_equal(strlen(answer.message), sizeof(answer.message) - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_and_texts_are_fields), cmocka_unit_test(a_request_is_its_type_and_options),
                cmocka_unit_test(answers_are_understood),       cmocka_unit_test(broken_answers_are_errors),
                cmocka_unit_test(long_texts_are_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
