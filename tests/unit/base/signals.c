#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/signals.h"

static void names_and_numbers_are_signals(void **state) {
        const struct {
                const char *text;
                int signal;
        } rows[] = {
                { "TERM", SIGTERM },         { "SIGTERM", SIGTERM },       { "sigKill", SIGKILL }, { "9", 9 },           { "64", 64 },
                { "RTMIN+3", SIGRTMIN + 3 }, { "SIGRTMIN", SIGRTMIN },     { "34", 34 },           { "hup", SIGHUP },
                { "RTMAX", SIGRTMAX },       { "SIGRTMAX-1", SIGRTMAX - 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                int signal = 0;

                assert_int_equal(signal_parse(rows[i].text, &signal, NULL), 0);
                assert_int_equal(signal, rows[i].signal);
        }
}

static void anything_else_is_refused_by_name(void **state) {
        const char *const texts[] = {
                "", "0", "65", "-9", "SIG", "SIG9", "TERMX", "9x", "RTMIN-1", "RTMIN+", "RTMIN+40", "RTMAX+1", "99999999999999999999"
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                Error err = ERROR_INIT;
                int signal = 77;

                assert_int_equal(signal_parse(texts[i], &signal, &err), -1);
                assert_int_equal(signal, 77);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
                assert_non_null(strstr(err.text, texts[i]));
        }
}

static void every_signal_survives_name_and_back(void **state) {
        for (int s = 1; s < _NSIG; s++) {
                char name[SIGNAL_NAME_MAX];
                int back = 0;

                assert_int_equal(signal_parse(signal_name(s, name), &back, NULL), 0);
                assert_int_equal(back, s);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_and_numbers_are_signals),
                cmocka_unit_test(anything_else_is_refused_by_name),
                cmocka_unit_test(every_signal_survives_name_and_back),
        };

        return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
