#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "base/fs.h"
#include "base/json.h"

#include "../scratch.h"

typedef struct Fixture {
        Scratch *scratch;
        char file[96];
} Fixture;

static int set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        void *scratch;

        unsetenv("PROXMOX_LXCRI_CONFIG");
        if (scratch_set_up(&scratch) < 0)
                return -1;
        f->scratch = scratch;
        snprintf(f->file, sizeof(f->file), "%s/config.json", f->scratch->path);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;
        void *scratch = f->scratch;

        free(f);
        return scratch_tear_down(&scratch);
}

static void put(const Fixture *f, const char *text) {
        FILE *file = fopen(f->file, "we");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static void check_refused(const Fixture *f, const char *text, const char *where, const char *why) {
        _cleanup_(config_freep) Config *config = NULL;
        char expected[256];
        Error err = ERROR_INIT;

        put(f, text);
        if (config_load(f->file, &config, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_null(config);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        snprintf(expected, sizeof(expected), "%s:%s %s", f->file, where, why);
        assert_string_equal(err.text, expected);
}

static void without_a_file_defaults_hold(void **state) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_json_ json_t *shown = NULL;
        const char *key;
        json_t *row;

        if (access(CONFIG_PATH_DEFAULT, F_OK) == 0)
                skip();
        assert_int_equal(config_load(NULL, &config, NULL), 0);
        assert_null(config->path);
        assert_string_equal(config->root, "/run/proxmox-lxcri");
        assert_string_equal(config->store, "/var/lib/proxmox-lxcri");
        assert_string_equal(config->default_runtime, "auto");
        assert_string_equal(config->storage_driver, "auto");
        assert_false(config->systemd_cgroup);
        assert_int_equal(config->log_size_max, 10 << 20);
        assert_int_equal(config->layer_size_max, INT64_C(64) << 30);
        assert_int_equal(config->stop_timeout, 10);
        assert_string_equal(config->userns, "shared");
        assert_int_equal(config->userns_count, 65536);
        assert_int_equal(config->pids_limit, 2048);
        assert_int_equal(config->n_rules, 3);
        assert_string_equal(config->rules[0].id, "crun-*");
        assert_string_equal(config->rules[1].id, "oci-*");
        assert_string_equal(config->rules[2].id, "podman-*");
        for (size_t i = 0; i < 3; i++) {
                assert_string_equal(config->rules[i].runtime, "crun");
                assert_null(config->rules[i].image);
        }
        assert_null(config_runtime_path(config, "crun"));

        assert_int_equal(config_show(config, &shown, NULL), 0);
        json_object_foreach(shown, key, row)
                assert_string_equal(json_string_value(json_object_get(row, "source")), "default");
}

static void every_row_of_the_table_shows_its_default(void **state) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_json_ json_t *shown = NULL;
        ConfigKey key;
        size_t n = 0;

        put(*state, "{}");
        assert_int_equal(config_load(((Fixture *) *state)->file, &config, NULL), 0);
        assert_int_equal(config_show(config, &shown, NULL), 0);
        void *iter = json_object_iter(shown);
        for (; config_key_at(n, &key); n++, iter = json_object_iter_next(shown, iter)) {
                _cleanup_json_ json_t *fallback = json_loads(key.default_text, JSON_DECODE_ANY, NULL);

                assert_non_null(key.name);
                assert_non_null(key.type);
                assert_non_null(key.help);
                assert_string_equal(json_object_iter_key(iter), key.name); /* in the table's order */
                assert_true(json_equal(json_object_get(json_object_iter_value(iter), "value"), fallback));
        }
        assert_int_equal(n, json_object_size(shown));
        assert_int_equal(n, CONFIG_KEYS);
}

static void a_file_overrides_and_show_names_its_lines(void **state) {
        const Fixture *f = *state;
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_json_ json_t *shown = NULL;
        char source[128];

        put(f, "{\n"
               "  \"root\": \"/r\", \"store\": \"/s\",\n"
               "  \"runtime_rules\": [\n"
               "    {\"image\": \"docker.io/*\", \"runtime\": \"runc\"},\n"
               "    {\"runtime\": \"lxc\"}\n"
               "  ],\n"
               "  \"runtimes\": {\"crun\": {\"path\": \"/opt/crun\"}, \"runc\": {}},\n"
               "  \"systemd_cgroup\": true,\n"
               "  \"pids_limit\": -1\n"
               "}\n");
        assert_int_equal(config_load(f->file, &config, NULL), 0);
        assert_string_equal(config->path, f->file);
        assert_string_equal(config->root, "/r");
        assert_int_equal(config->n_rules, 2);
        assert_null(config->rules[0].id);
        assert_string_equal(config->rules[0].image, "docker.io/*");
        assert_string_equal(config->rules[1].runtime, "lxc");
        assert_string_equal(config_runtime_path(config, "crun"), "/opt/crun");
        assert_null(config_runtime_path(config, "runc"));
        assert_null(config_runtime_path(config, "lxc"));
        assert_true(config->systemd_cgroup);
        assert_int_equal(config->pids_limit, -1);
        assert_int_equal(config->stop_timeout, 10);

        assert_int_equal(config_show(config, &shown, NULL), 0);
        snprintf(source, sizeof(source), "%s:7", f->file);
        assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "runtimes"), "source")), source);
        snprintf(source, sizeof(source), "%s:2", f->file);
        assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "store"), "source")), source);
        assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "stop_timeout"), "source")), "default");
}

static void unknown_keys_are_refused_with_their_line_at_any_depth(void **state) {
        check_refused(*state, "{\n\n \"rooot\": \"/x\" }", "3:", "'rooot' is not a known key");
        check_refused(*state, "{\n \"root\": \"/x\",\n \"ro\\u006ft2\": 1 }", "3:", "'root2' is not a known key");
        check_refused(*state, "{\"runtime_rules\": [\n{\"runtime\": \"crun\"},\n{\"runtime\": \"crun\",\n\"idd\": \"x\"}]}", "4:",
                      "'runtime_rules[1].idd' is not a known key");
        check_refused(*state, "{\"runtimes\":\n{\"crun\": {\"path\": \"/x\"},\n\"runc\": {\n\"pth\": \"/x\"}}}", "4:",
                      "'runtimes.runc.pth' is not a known key");
}

static void wrong_types_are_refused_with_their_line(void **state) {
        check_refused(*state, "{\n\"root\": 1}", "2:", "'root' is not a string");
        check_refused(*state, "{\n\"root\": null}", "2:", "'root' is not a string");
        check_refused(*state, "{\n\"root\": \"run\"}", "2:", "'root' is not an absolute path");
        check_refused(*state, "{\n\"root\": \"\"}", "2:", "'root' is not an absolute path");
        check_refused(*state, "{\"default_runtime\": \"/usr/bin/crun\"}", "1:",
                      "'default_runtime' is not a name of lower-case letters, digits and '-'");
        check_refused(*state, "{\"systemd_cgroup\": \"true\"}", "1:", "'systemd_cgroup' is not true or false");
        check_refused(*state, "{\"userns\": \"none\"}", "1:", "'userns' is not one of 'shared', 'own', 'host'");
        check_refused(*state, "{\"userns\": 1}", "1:", "'userns' is not a string");
        check_refused(*state, "{\"stop_timeout\": 1.5}", "1:", "'stop_timeout' is not an integer between 0 and 2147483647");
        check_refused(*state, "{\"stop_timeout\": -1}", "1:", "'stop_timeout' is not an integer between 0 and 2147483647");
        check_refused(*state, "{\"stop_timeout\": 2147483648}", "1:", "'stop_timeout' is not an integer between 0 and 2147483647");
        check_refused(*state, "{\"runtime_rules\": {}}", "1:", "'runtime_rules' is not an array");
        check_refused(*state, "{\"runtime_rules\": [\n1]}", "2:", "'runtime_rules[0]' is not an object");
        check_refused(*state, "{\"runtime_rules\": [\n{\"id\": \"x\"}]}", "2:", "'runtime_rules[0]' has no 'runtime'");
        check_refused(*state, "{\"runtime_rules\": [{\"runtime\": \"crun\"\n,\"id\": 3}]}", "2:", "'runtime_rules[0].id' is not a string");
        check_refused(*state, "{\"runtime_rules\": [{\n\"runtime\": \"\"}]}", "2:",
                      "'runtime_rules[0].runtime' is not the name of a runtime");
        check_refused(*state, "{\"runtimes\": []}", "1:", "'runtimes' is not an object");
        check_refused(*state, "{\"runtimes\": {\n\"crun\": \"/x\"}}", "2:", "'runtimes.crun' is not an object");
        check_refused(*state, "{\"runtimes\": {\"crun\": {\n\"path\": \"crun\"}}}", "2:", "'runtimes.crun.path' is not an absolute path");
}

static void broken_json_is_refused_with_line_and_column(void **state) {
        const Fixture *f = *state;
        _cleanup_(config_freep) Config *config = NULL;
        Error err = ERROR_INIT;

        put(f, "{\n  \"root\": ,\n}");
        assert_int_equal(config_load(f->file, &config, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        assert_non_null(strstr(err.text, "line 2, column 11"));

        put(f, "{\"root\": \"/a\",\n\"root\": \"/b\"}");
        assert_int_equal(config_load(f->file, &config, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        assert_non_null(strstr(err.text, "line 2"));

        put(f, "[]");
        assert_int_equal(config_load(f->file, &config, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        assert_non_null(strstr(err.text, "not an object"));
}

static void the_option_beats_the_environment(void **state) {
        const Fixture *f = *state;
        _cleanup_(config_freep) Config *a = NULL, *b = NULL, *c = NULL;
        Error err = ERROR_INIT;

        put(f, "{\"root\": \"/from-file\"}");
        setenv("PROXMOX_LXCRI_CONFIG", f->file, 1);
        assert_int_equal(config_load(NULL, &a, NULL), 0);
        assert_string_equal(a->root, "/from-file");

        setenv("PROXMOX_LXCRI_CONFIG", "/nonexistent/config.json", 1);
        assert_int_equal(config_load(f->file, &b, NULL), 0);
        assert_int_equal(config_load(NULL, &c, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_string_equal(err.text, "open '/nonexistent/config.json': No such file or directory");
        assert_non_null(strstr(err.hint, "PROXMOX_LXCRI_CONFIG"));
}

static void what_cannot_be_read_is_a_config_error(void **state) {
        const Fixture *f = *state;
        _cleanup_(config_freep) Config *config = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(config_load("/nonexistent", &config, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(config_load(f->scratch->path, &config, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);

        put(f, "");
        assert_int_equal(truncate(f->file, CONFIG_SIZE_MAX + 1), 0);
        assert_int_equal(config_load(f->file, &config, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(err.errnum, EFBIG);
}

static void a_symlink_to_the_file_is_followed(void **state) {
        const Fixture *f = *state;
        _cleanup_(config_freep) Config *config = NULL;
        char link[128];

        put(f, "{\"root\": \"/r\"}");
        snprintf(link, sizeof(link), "%s/link", f->scratch->path);
        assert_int_equal(symlink("config.json", link), 0);
        assert_int_equal(config_load(link, &config, NULL), 0);
        assert_string_equal(config->root, "/r");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(without_a_file_defaults_hold),
                TEST(every_row_of_the_table_shows_its_default),
                TEST(a_file_overrides_and_show_names_its_lines),
                TEST(unknown_keys_are_refused_with_their_line_at_any_depth),
                TEST(wrong_types_are_refused_with_their_line),
                TEST(broken_json_is_refused_with_line_and_column),
                TEST(the_option_beats_the_environment),
                TEST(what_cannot_be_read_is_a_config_error),
                TEST(a_symlink_to_the_file_is_followed),
        };

        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
