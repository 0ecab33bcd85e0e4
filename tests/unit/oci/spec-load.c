#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "oci/runtime-spec.h"

#include "../scratch.h"

static void write_file(const Scratch *bundle, const char *name, const char *text) {
        assert_int_equal(file_write_atomic_at(bundle->fd, name, text, strlen(text), 0644, 0, NULL), 0);
}

#define CONFIG(args) "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"r\"},\n \"process\": {\"cwd\": \"/\", \"args\": [" args "]}}"

static void no_config_is_bundle_not_found(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_BUNDLE_NOT_FOUND);
        assert_true(err.hint[0] != '\0');
}

static void a_config_behind_a_symlink_is_read(void **state) {
        const Scratch *bundle = *state;
        _cleanup_json_ json_t *spec = NULL;
        Error err = ERROR_INIT;

        write_file(bundle, "real.json", CONFIG("\"sh\""));
        assert_int_equal(symlinkat("real.json", bundle->fd, "config.json"), 0);
        if (spec_load(bundle->fd, &spec, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(json_string_value(json_object_get(spec, "ociVersion")), "1.0.2");
}

static void a_fifo_does_not_hang(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        assert_int_equal(mkfifoat(bundle->fd, "config.json", 0600), 0);
        alarm(5);
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        alarm(0);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_string_equal(err.text, "'config.json' is not a regular file");
}

static void broken_json_is_named_with_line_and_column(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json", "{\"ociVersion\": \"1.0.2\",\n\"root\": }");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);
        assert_int_equal(strncmp(err.text, "config.json: line 2, column ", 28), 0);
}

static void a_file_beyond_the_cap_is_refused_unread(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        int fd;
        Error err = ERROR_INIT;

        fd = openat(bundle->fd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(fd, RUNTIME_SPEC_SIZE_MAX + 1), 0);
        close(fd);
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(err.errnum, EFBIG);
}

static void rlimits_beyond_int64_are_legal(void **state) {
        const Scratch *bundle = *state;
        _cleanup_json_ json_t *spec = NULL;
        json_t *process;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json",
                   "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"18446744073709551615\"},\"process\":{\"cwd\":\"/"
                   "\",\"args\":[\"a\\\"9223372036854775808\"],"
                   "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":9223372036854775807,\"hard\":18446744073709551615}]}}");
        if (spec_load(bundle->fd, &spec, &err) < 0)
                fail_msg("%s", err.text);
        process = json_object_get(spec, "process");
        assert_string_equal(json_string_value(json_array_get(json_object_get(process, "args"), 0)), "a\"9223372036854775808");
        assert_string_equal(json_string_value(json_object_get(json_object_get(spec, "root"), "path")), "18446744073709551615");
        assert_true(json_is_integer(json_object_get(json_array_get(json_object_get(process, "rlimits"), 0), "soft")));
}

static void integers_beyond_uint64_are_refused(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json", "{\"ociVersion\":\"1.0.2\",\"x\":18446744073709551616}");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);

        write_file(bundle, "config.json", "{\"ociVersion\":\"1.0.2\",\"x\":-9223372036854775809}");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);
}

static void an_unsigned_value_in_a_signed_field_is_refused(void **state) {
        const Scratch *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json",
                   "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{\"resources\":{\"memory\":{\"limit\":"
                   "9223372036854775808}}}}");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_string_equal(err.text,
                            "config.json: linux.resources.memory.limit: 9223372036854775808 is not between -9223372036854775808 and "
                            "9223372036854775807");
}

static void an_unlimited_rlimit_is_written_as_the_integer_runtimes_read(void **state) {
        const Scratch *bundle = *state;
        _cleanup_json_ json_t *spec =
                json_pack("{s:s, s:{s:s}, s:{s:s, s:[s], s:[{s:s, s:f, s:f}]}}", "ociVersion", "1.0.2", "root", "path", "r", "process",
                          "cwd", "/", "args", "\"1.8446744073709552e19", "rlimits", "type", "RLIMIT_CORE", "soft", 0x1p64, "hard", 0x1p64);
        _cleanup_json_ json_t *again = NULL;
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(spec_save(bundle->fd, spec, 0, &err), 0);
        assert_int_equal(file_read_at(bundle->fd, "config.json", 4096, &text, NULL, &err), 0);
        assert_non_null(strstr(text, "\"soft\":18446744073709551615,\"hard\":18446744073709551615}"));
        assert_non_null(strstr(text, "\"\\\"1.8446744073709552e19\""));
        if (spec_load(bundle->fd, &again, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(json_equal(spec, again));
}

/* A mask of seccomp's that lost a bit would be another mask. */
static void integers_beyond_int64_are_kept_exactly_or_refused(void **state) {
        static const char *const kept[] = { "9223372036854775808", "18446744069414584320", "18446744073709549568", "18446744073709551615" };
        static const char *const refused[] = { "9223372036854775809", "18446744073709551614", "18446744073709550593" };
        const Scratch *bundle = *state;
        char config[256];

        for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
                _cleanup_json_ json_t *spec = NULL;
                _cleanup_free_ char *text = NULL;
                Error err = ERROR_INIT;

                snprintf(config, sizeof(config), "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\n\"x\":[1.5,%s,-7]}", kept[i]);
                write_file(bundle, "config.json", config);
                if (spec_load(bundle->fd, &spec, &err) < 0 || spec_save(bundle->fd, spec, 0, &err) < 0 ||
                    file_read_at(bundle->fd, "config.json", 4096, &text, NULL, &err) < 0)
                        fail_msg("%s", err.text);
                snprintf(config, sizeof(config), "\"x\":[1.5,%s,-7]", kept[i]);
                assert_non_null(strstr(text, config));
        }
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                Error err = ERROR_INIT;
                json_t *spec;

                snprintf(config, sizeof(config), "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\n\"x\":%s}", refused[i]);
                write_file(bundle, "config.json", config);
                assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_SPEC);
                assert_non_null(strstr(err.text, "line 2"));
                assert_non_null(strstr(err.text, refused[i]));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(no_config_is_bundle_not_found),
                scratch_test(a_config_behind_a_symlink_is_read),
                scratch_test(a_fifo_does_not_hang),
                scratch_test(broken_json_is_named_with_line_and_column),
                scratch_test(a_file_beyond_the_cap_is_refused_unread),
                scratch_test(rlimits_beyond_int64_are_legal),
                scratch_test(integers_beyond_uint64_are_refused),
                scratch_test(an_unsigned_value_in_a_signed_field_is_refused),
                scratch_test(integers_beyond_int64_are_kept_exactly_or_refused),
                scratch_test(an_unlimited_rlimit_is_written_as_the_integer_runtimes_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
