#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "oci/image-config.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX "\"]}"
#define HEAD   "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS

static void check_refused(const char *text, ErrorKind kind, const char *why) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        Error err = ERROR_INIT;

        if (image_config_parse(text, strlen(text), "config C", &config, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_null(config);
        assert_int_equal(err.kind, kind);
        if (strncmp(err.text, "config C: ", 10) || !strstr(err.text, why))
                fail_msg("%s", err.text);
}

static void every_field_arrives(void **state) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        const char text[] = HEAD ",\"variant\":\"v2\",\"created\":\"2024-01-01T00:00:00Z\",\"author\":\"me\",\"config\":{"
                                 "\"User\":\"1000:1000\",\"Env\":[\"PATH=/bin\",\"EMPTY=\",\"E=a=b \\u00e4\"],\"Entrypoint\":[\"/e\"],"
                                 "\"Cmd\":[\"a\",\"\"],"
                                 "\"WorkingDir\":\"/w\",\"StopSignal\":\"SIGINT\",\"Volumes\":{\"/data\":{},\"/x\":{}},"
                                 "\"ExposedPorts\":{\"80/tcp\":{}},"
                                 "\"Labels\":{\"a\":\"b\"},\"Healthcheck\":{\"Test\":[\"NONE\"]}},\"history\":[{\"created_by\":\"x\"}]}";

        assert_int_equal(image_config_parse(text, strlen(text), "C", &config, NULL), 0);
        assert_string_equal(config->architecture, "amd64");
        assert_string_equal(config->os, "linux");
        assert_string_equal(config->variant, "v2");
        assert_string_equal(config->created, "2024-01-01T00:00:00Z");
        assert_string_equal(config->author, "me");
        assert_string_equal(config->user, "1000:1000");
        assert_int_equal(strv_length(config->env), 3);
        assert_string_equal(config->env[1], "EMPTY=");
        assert_string_equal(config->env[2], "E=a=b \xc3\xa4");
        assert_string_equal(config->entrypoint[0], "/e");
        assert_int_equal(strv_length(config->cmd), 2);
        assert_string_equal(config->cmd[1], "");
        assert_string_equal(config->working_dir, "/w");
        assert_string_equal(config->stop_signal, "SIGINT");
        assert_int_equal(strv_length(config->volumes), 2);
        assert_string_equal(config->volumes[0], "/data");
        assert_string_equal(config->exposed_ports[0], "80/tcp");
        assert_string_equal(json_string_value(json_object_get(config->labels, "a")), "b");
        assert_int_equal(config->n_diff_ids, 1);
        assert_string_equal(config->diff_ids[0].text, "sha256:" HEX);
}

static void what_is_absent_or_null_stays_unsaid(void **state) {
        static const char *const texts[] = {
                HEAD "}",
                HEAD ",\"config\":null}",
                HEAD ",\"config\":{\"User\":null,\"Env\":null,\"Entrypoint\":null,\"Cmd\":null,\"Volumes\":null,\"Labels\":null,"
                        "\"ExposedPorts\":null,"
                     "\"WorkingDir\":null,\"StopSignal\":null}}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(image_config_freep) ImageConfig *config = NULL;

                assert_int_equal(image_config_parse(texts[i], strlen(texts[i]), "C", &config, NULL), 0);
                assert_null(config->user);
                assert_null(config->env);
                assert_null(config->entrypoint);
                assert_null(config->cmd);
                assert_null(config->volumes);
                assert_null(config->labels);
                assert_null(config->variant);
        }
}

static void an_empty_list_is_not_an_absent_one(void **state) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        const char text[] = HEAD ",\"config\":{\"Entrypoint\":[]}}";

        assert_int_equal(image_config_parse(text, strlen(text), "C", &config, NULL), 0);
        assert_non_null(config->entrypoint);
        assert_null(config->entrypoint[0]);
}

static void wrong_fields_are_named(void **state) {
        check_refused("[]", ERROR_INVALID_SPEC, "not an object");
        check_refused("{", ERROR_INVALID_JSON, "line 1");
        check_refused("{\"os\":\"linux\"," ROOTFS "}", ERROR_INVALID_SPEC, "'architecture' is missing");
        check_refused("{\"architecture\":\"amd64\"," ROOTFS "}", ERROR_INVALID_SPEC, "'os' is missing");
        check_refused(HEAD ",\"config\":[]}", ERROR_INVALID_SPEC, "'config' is not an object");
        check_refused(HEAD ",\"config\":{\"Cmd\":\"sh\"}}", ERROR_INVALID_SPEC, "'Cmd' is not an array");
        check_refused(HEAD ",\"config\":{\"Cmd\":[\"sh\",1]}}", ERROR_INVALID_SPEC, "'Cmd[1]' is not a string");
        check_refused(HEAD ",\"config\":{\"User\":1000}}", ERROR_INVALID_SPEC, "'User' is not a string");
        check_refused(HEAD ",\"config\":{\"Volumes\":[\"/data\"]}}", ERROR_INVALID_SPEC, "'Volumes' is not an object");
}

static void labels_are_strings(void **state) {
        check_refused(HEAD ",\"config\":{\"Labels\":{\"a\":\"b\",\"n\":1}}}", ERROR_INVALID_SPEC, "label 'n' is not a string");
        check_refused(HEAD ",\"config\":{\"Labels\":{\"a\":null}}}", ERROR_INVALID_SPEC, "label 'a' is not a string");
}

static void environment_entries_are_name_and_value(void **state) {
        check_refused(HEAD ",\"config\":{\"Env\":[\"A=1\",\"B\"]}}", ERROR_INVALID_SPEC, "'Env[1]' is 'B', not NAME=VALUE");
        check_refused(HEAD ",\"config\":{\"Env\":[\"=x\"]}}", ERROR_INVALID_SPEC, "'Env[0]' is '=x'");
}

static void diff_ids_are_digests_of_layers(void **state) {
        check_refused("{\"architecture\":\"amd64\",\"os\":\"linux\"}", ERROR_INVALID_SPEC, "'rootfs' is missing");
        check_refused("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"base\",\"diff_ids\":[]}}", ERROR_INVALID_SPEC,
                      "rootfs: 'type' is 'base', not 'layers'");
        check_refused("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:../..\"]}}",
                      ERROR_INVALID_SPEC, "rootfs: diff_ids[0]: 'sha256:../..' is not a digest");
        check_refused("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[7]}}",
                      ERROR_INVALID_SPEC, "rootfs: 'diff_ids[0]' is not a string");
}

/* A document whose @list has @n entries. */
static void make_long(Buf *text, const char *before, const char *entry, size_t n, const char *after) {
        buf_reset(text);
        assert_int_equal(buf_puts(text, before, NULL), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(buf_printf(text, NULL, "%s%s", i ? "," : "", entry), 0);
        assert_int_equal(buf_puts(text, after, NULL), 0);
}

static void long_lists_are_refused(void **state) {
        _cleanup_buf_ Buf text = BUF_INIT(1 << 20);
        _cleanup_(image_config_freep) ImageConfig *config = NULL;

        make_long(&text, HEAD ",\"config\":{\"Env\":[", "\"A=1\"", 4096, "]}}");
        assert_int_equal(image_config_parse(text.data, text.len, "C", &config, NULL), 0);
        make_long(&text, HEAD ",\"config\":{\"Env\":[", "\"A=1\"", 4097, "]}}");
        check_refused(text.data, ERROR_INVALID_SPEC, "'Env' has 4097 entries, at most 4096 are accepted");
        make_long(&text, "{\"architecture\":\"a\",\"os\":\"l\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[", "\"sha256:" HEX "\"", 501,
                  "]}}");
        check_refused(text.data, ERROR_INVALID_SPEC, "'diff_ids' has 501 entries");
}

static void a_huge_config_is_refused(void **state) {
        _cleanup_free_ char *text = malloc(IMAGE_CONFIG_SIZE_MAX + 2);

        memset(text, ' ', IMAGE_CONFIG_SIZE_MAX + 1);
        text[IMAGE_CONFIG_SIZE_MAX + 1] = '\0';
        check_refused(text, ERROR_INVALID_SPEC, "at most 8388608");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_field_arrives),
                cmocka_unit_test(what_is_absent_or_null_stays_unsaid),
                cmocka_unit_test(an_empty_list_is_not_an_absent_one),
                cmocka_unit_test(wrong_fields_are_named),
                cmocka_unit_test(labels_are_strings),
                cmocka_unit_test(environment_entries_are_name_and_value),
                cmocka_unit_test(diff_ids_are_digests_of_layers),
                cmocka_unit_test(long_lists_are_refused),
                cmocka_unit_test(a_huge_config_is_refused),
        };

        return cmocka_run_group_tests_name("image-config", tests, NULL, NULL);
}
