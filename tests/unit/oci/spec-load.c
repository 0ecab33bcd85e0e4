#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

typedef struct Bundle {
        char path[32];
        int fd;
} Bundle;

static int make_bundle(void **state) {
        static Bundle bundle;

        strcpy(bundle.path, "/tmp/spec-load.XXXXXX");
        if (!mkdtemp(bundle.path))
                return -1;
        bundle.fd = open(bundle.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &bundle;
        return bundle.fd < 0 ? -1 : 0;
}

static int drop_bundle(void **state) {
        Bundle *bundle = *state;
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

        close(bundle->fd);
        r = dir_remove_tree_at(tmp, bundle->path + strlen("/tmp/"), NULL);
        close(tmp);
        return r;
}

static void write_file(const Bundle *bundle, const char *name, const char *text) {
        assert_int_equal(file_write_atomic_at(bundle->fd, name, text, strlen(text), 0644, 0, NULL), 0);
}

#define CONFIG(args) "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"r\"},\n \"process\": {\"cwd\": \"/\", \"args\": [" args "]}}"

static void no_config_is_bundle_not_found(void **state) {
        const Bundle *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_BUNDLE_NOT_FOUND);
        assert_true(err.hint[0] != '\0');
}

static void a_config_behind_a_symlink_is_read(void **state) {
        const Bundle *bundle = *state;
        _cleanup_json_ json_t *spec = NULL;
        Error err = ERROR_INIT;

        write_file(bundle, "real.json", CONFIG("\"sh\""));
        assert_int_equal(symlinkat("real.json", bundle->fd, "config.json"), 0);
        if (spec_load(bundle->fd, &spec, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(json_string_value(json_object_get(spec, "ociVersion")), "1.0.2");
}

static void a_fifo_does_not_hang(void **state) {
        const Bundle *bundle = *state;
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
        const Bundle *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json", "{\"ociVersion\": \"1.0.2\",\n\"root\": }");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);
        assert_int_equal(strncmp(err.text, "config.json: line 2, column ", 28), 0);
}

static void a_file_beyond_the_cap_is_refused_unread(void **state) {
        const Bundle *bundle = *state;
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
        const Bundle *bundle = *state;
        _cleanup_json_ json_t *spec = NULL;
        json_t *process;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json",
                   "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"18446744073709551615\"},\"process\":{\"cwd\":\"/\",\"args\":[\"a\\\"9223372036854775808\"],"
                   "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":9223372036854775807,\"hard\":18446744073709551615}]}}");
        if (spec_load(bundle->fd, &spec, &err) < 0)
                fail_msg("%s", err.text);
        process = json_object_get(spec, "process");
        assert_string_equal(json_string_value(json_array_get(json_object_get(process, "args"), 0)), "a\"9223372036854775808");
        assert_string_equal(json_string_value(json_object_get(json_object_get(spec, "root"), "path")), "18446744073709551615");
        assert_true(json_is_integer(json_object_get(json_array_get(json_object_get(process, "rlimits"), 0), "soft")));
}

static void integers_beyond_uint64_are_refused(void **state) {
        const Bundle *bundle = *state;
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
        const Bundle *bundle = *state;
        json_t *spec;
        Error err = ERROR_INIT;

        write_file(bundle, "config.json", "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{\"resources\":{\"memory\":{\"limit\":9223372036854775808}}}}");
        assert_int_equal(spec_load(bundle->fd, &spec, &err), -1);
        assert_string_equal(err.text, "config.json: linux.resources.memory.limit: 9223372036854775808 is not between -9223372036854775808 and "
                                      "9223372036854775807");
}

#define BUNDLE_TEST(f) cmocka_unit_test_setup_teardown(f, make_bundle, drop_bundle)

int main(void) {
        const struct CMUnitTest tests[] = {
                BUNDLE_TEST(no_config_is_bundle_not_found),
                BUNDLE_TEST(a_config_behind_a_symlink_is_read),
                BUNDLE_TEST(a_fifo_does_not_hang),
                BUNDLE_TEST(broken_json_is_named_with_line_and_column),
                BUNDLE_TEST(a_file_beyond_the_cap_is_refused_unread),
                BUNDLE_TEST(rlimits_beyond_int64_are_legal),
                BUNDLE_TEST(integers_beyond_uint64_are_refused),
                BUNDLE_TEST(an_unsigned_value_in_a_signed_field_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
