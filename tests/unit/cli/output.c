#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/report.h"

static void control_characters_and_broken_utf8_are_made_visible(void **state) {
        static const struct {
                const char *text;
                bool multiline;
                const char *printed;
        } rows[] = {
                { "plain ä € 😀", false, "plain ä € 😀" },
                { "\033[31mred", false, "\\x1b[31mred" },
                { "a\nb\tc", false, "a\\x0ab\\x09c" },
                { "a\nb\tc", true, "a\nb\tc" },
                { "a\rb\x7f", true, "a\\x0db\\x7f" },
                { "\xff\xc3", false, "\\xff\\xc3" },
                { "\xc2\x9b", false, "\\xc2\\x9b" },         /* a C1 control */
                { "\xc0\xaf", false, "\\xc0\\xaf" },         /* overlong */
                { "\xe0\x80\xaf", false, "\\xe0\\x80\\xaf" },
                { "\xed\xa0\x80", false, "\\xed\\xa0\\x80" }, /* a surrogate */
                { "", false, "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_buf_ Buf buf = BUF_INIT(1024);

                assert_int_equal(text_printable(&buf, rows[i].text, rows[i].multiline, NULL), 0);
                assert_string_equal(buf.data ?: "", rows[i].printed);
        }
}

static void control_characters_in_json_are_escaped(void **state) {
        _cleanup_json_ json_t *json = json_pack("[s]", "\033\x7f\xc2\x9b\xc2\xa0\xc3\x9b€");
        _cleanup_(output_clear) Output out = OUTPUT_INIT(-1);
        _cleanup_json_ json_t *again = NULL;

        assert_int_equal(output_json(&out, json, NULL), 0);
        assert_string_equal(out.text.data, "[\n  \"\\u001B\\u007F\\u009B\xc2\xa0\xc3\x9b€\"\n]\n");
        assert_int_equal(json_parse(out.text.data, out.text.len, "output", &again, NULL), 0);
        assert_true(json_equal(json, again));
}

static void tables_are_aligned_by_characters(void **state) {
        _cleanup_table_ Table table = TABLE_INIT("ID", "NAME", "LAST");
        _cleanup_(output_clear) Output out = OUTPUT_INIT(-1);

        assert_int_equal(TABLE_ADD(&table, NULL, "ä", "long name", NULL), 0);
        assert_int_equal(TABLE_ADD(&table, NULL, "bcd", "\n", "x"), 0);
        assert_int_equal(table_print(&table, &out, NULL), 0);
        assert_string_equal(out.text.data, "ID    NAME        LAST\n"
                                           "ä     long name   \n"
                                           "bcd   \\x0a        x\n");
}

static void a_full_disk_is_an_error(void **state) {
        _cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        _cleanup_(output_clear) Output out = OUTPUT_INIT(full);
        Error err = ERROR_INIT;

        assert_int_equal(output_flush(&out, &err), 0);
        assert_int_equal(output_printf(&out, NULL, "x"), 0);
        assert_int_equal(output_flush(&out, &err), -1);
        assert_int_equal(err.errnum, ENOSPC);
        assert_non_null(strstr(err.text, "standard output"));
}

static void sizes_durations_and_ages_read_well(void **state) {
        char text[AGE_TEXT_MAX];

        assert_string_equal(size_text(0, text), "0 B");
        assert_string_equal(size_text(999, text), "999 B");
        assert_string_equal(size_text(1000, text), "1 kB");
        assert_string_equal(size_text(999999, text), "1 MB");
        assert_string_equal(size_text(12345678, text), "12.3 MB");
        assert_string_equal(size_text(UINT64_MAX, text), "18.4 EB");
        assert_string_equal(duration_text(1234567, text), "1.23 ms");
        assert_string_equal(duration_text(1234567890, text), "1.23 s");
        assert_string_equal(age_text("2026-01-01T00:00:00Z", 1767225600 + 7200, text), "2 hours ago");
        assert_string_equal(age_text("2026-01-01T01:00:00.5+01:00", 1767225600 + 60, text), "1 minute ago");
        assert_string_equal(age_text("2026-01-01T00:00:00Z", 1767225600 - 5, text), "2026-01-01T00:00:00Z");
        assert_string_equal(age_text("yesterday", 0, text), "yesterday");
        assert_string_equal(age_text(NULL, 0, text), "");
}

static Error sample_error(void) {
        Error err = ERROR_INIT;

        error_set_errno(&err, ERROR_FILE, ENOSPC, "create 'web': unpack '\xff'");
        error_phase(&err, "layers");
        error_hint(&err, "make room");
        return err;
}

static void an_error_as_text_names_kind_place_phase_and_hint(void **state) {
        Error err = sample_error();
        _cleanup_free_ char *text = report_format(REPORT_TEXT, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);

        assert_string_equal(text, "proxmox-lxcri: error: FileError: create 'web': unpack '\\xff': No space left on device (phase layers)\n"
                                  "hint: make room\n");
}

static void an_error_as_json_has_the_same_in_the_shape_of_runc(void **state) {
        Error err = sample_error();
        _cleanup_free_ char *text = report_format(REPORT_JSON, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);
        _cleanup_json_ json_t *record = NULL;
        static const char *const fields[][2] = {
                { "level", "error" }, { "kind", "FileError" },   { "phase", "layers" },
                { "hint", "make room" }, { "errno", "ENOSPC" },  { "cause", "No space left on device" },
                { "msg", "create 'web': unpack '\\xff': No space left on device" },
        };

        assert_int_equal(text[strlen(text) - 1], '\n');
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        assert_int_equal(json_parse(text, strlen(text), "record", &record, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                assert_string_equal(json_string_value(json_object_get(record, fields[i][0])), fields[i][1]);
        assert_non_null(strchr(json_string_value(json_object_get(record, "time")), 'T'));
}

static void an_error_in_a_log_is_a_line_of_runc_s_fields(void **state) {
        Error err = sample_error();
        _cleanup_free_ char *text = report_format(REPORT_FIELDS, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);
        _cleanup_free_ char *phase = report_format(REPORT_FIELDS, LOG_LEVEL_INFO, NULL, "a/b", &(double) { 0.5 }, "said \"so\"");

        assert_int_equal(strncmp(text, "time=\"20", 8), 0);
        assert_string_equal(strchr(text, ' '), " level=error msg=\"create 'web': unpack '\\\\xff': No space left on device\" "
                                               "kind=FileError phase=layers errno=ENOSPC "
                                               "cause=\"No space left on device\" hint=\"make room\"\n");
        assert_string_equal(strchr(phase, ' '), " level=info msg=\"said \\\"so\\\"\" phase=a/b seconds=0.5\n");
}

static void logs_go_to_a_file_or_by_a_word_to_the_journal_or_the_system_log(void **state) {
        static const struct {
                const char *text, *name;
                LogTargetKind kind;
        } targets[] = {
                { NULL, NULL, LOG_TARGET_STDERR },          { "/dev/stderr", "/dev/stderr", LOG_TARGET_STDERR },
                { "/tmp/log", "/tmp/log", LOG_TARGET_FILE }, { "file:log", "log", LOG_TARGET_FILE },
                { "journald:web", "web", LOG_TARGET_JOURNAL }, { "syslog:a:b", "a:b", LOG_TARGET_SYSLOG },
                { "other:x", "other:x", LOG_TARGET_FILE },
        };
        const LogTarget nobody = log_target_parse("syslog:"), lines = log_target_parse("journald:a\nMESSAGE=b");
        Error err = ERROR_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
                const LogTarget target = log_target_parse(targets[i].text);

                assert_int_equal(target.kind, targets[i].kind);
                if (targets[i].name)
                        assert_string_equal(target.name, targets[i].name);
        }
        assert_int_equal(log_target_check(&nobody, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(log_target_check(&lines, &err), -1);
}

/* A name with a newline in it must not look like a second line of ours. */
static void what_is_named_stays_on_the_line_of_its_error(void **state) {
        Error err = ERROR_INIT;
        _cleanup_free_ char *text = NULL, *json = NULL;

        error_set(&err, ERROR_FILE, "open 'a\nproxmox-lxcri: \t\033[2K\rb'");
        error_hint(&err, "remove 'c\nd'");
        text = report_format(REPORT_TEXT, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);
        assert_string_equal(text, "proxmox-lxcri: error: FileError: open 'a\\x0aproxmox-lxcri: \\x09\\x1b[2K\\x0db'\n"
                                  "hint: remove 'c\\x0ad'\n");
        json = report_format(REPORT_JSON, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);
        assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
}

static void an_error_of_any_length_is_reported(void **state) {
        Error err = ERROR_INIT;

        memset(err.text, '\033', sizeof(err.text) - 1);
        memset(err.hint, '\377', sizeof(err.hint) - 1);
        err.kind = ERROR_RUNTIME;
        for (ReportForm form = REPORT_TEXT; form <= REPORT_JSON; form++) {
                _cleanup_free_ char *text = report_format(form, LOG_LEVEL_ERROR, &err, NULL, NULL, NULL);

                assert_non_null(text);
                assert_true(strlen(text) > 4 * (sizeof(err.text) - 1));
        }
}

/* Of a record that there is no room for: the log is told in the form that the rest of it has. */
static void a_record_that_cannot_be_made_is_told_of_in_the_log_s_own_form(void **state) {
        static const char *const expected[] = { "level=error msg=\"out of memory\" kind=OutOfMemory\n",
                                                "{\"level\":\"error\",\"msg\":\"out of memory\",\"kind\":\"OutOfMemory\"}\n" };
        _cleanup_free_ char *endless = malloc(1 << 20);
        _cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
        char path[32];

        assert_true(fd >= 0);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        assert_non_null(endless);
        memset(endless, 'x', (1 << 20) - 1);
        endless[(1 << 20) - 1] = '\0';
        for (size_t json = 0; json < ARRAY_SIZE(expected); json++) {
                const Report to = { .target = log_target_parse(path), .json = json, .level = LOG_LEVEL_DEBUG };
                char logged[256] = "";

                assert_int_equal(ftruncate(fd, 0), 0);
                report_line(&to, LOG_LEVEL_DEBUG, "%s", endless);
                assert_true(pread(fd, logged, sizeof(logged) - 1, 0) > 0);
                assert_string_equal(logged, expected[json]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(control_characters_and_broken_utf8_are_made_visible),
                cmocka_unit_test(control_characters_in_json_are_escaped),
                cmocka_unit_test(tables_are_aligned_by_characters),
                cmocka_unit_test(a_full_disk_is_an_error),
                cmocka_unit_test(sizes_durations_and_ages_read_well),
                cmocka_unit_test(an_error_as_text_names_kind_place_phase_and_hint),
                cmocka_unit_test(an_error_as_json_has_the_same_in_the_shape_of_runc),
                cmocka_unit_test(an_error_in_a_log_is_a_line_of_runc_s_fields),
                cmocka_unit_test(logs_go_to_a_file_or_by_a_word_to_the_journal_or_the_system_log),
                cmocka_unit_test(what_is_named_stays_on_the_line_of_its_error),
                cmocka_unit_test(an_error_of_any_length_is_reported),
                cmocka_unit_test(a_record_that_cannot_be_made_is_told_of_in_the_log_s_own_form),
        };

        return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
