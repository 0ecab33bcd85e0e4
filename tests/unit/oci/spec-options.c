#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

#include "../scratch.h"

typedef int (*Parser)(SpecOptions *options, const char *value, Error *err);

static void refused(Parser parse, const char *value, ErrorKind kind) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        Error err = ERROR_INIT;

        if (parse(&options, value, &err) == 0)
                fail_msg("'%s' was accepted", value);
        if (err.kind != kind)
                fail_msg("'%s': %s: %s", value, error_kind_name(err.kind), err.text);
        assert_non_null(strstr(err.text, value));
}

/* "DESTINATION TYPE SOURCE OPTION,OPTION,…" */
static void mount_becomes(Parser parse, const char *value, const char *wanted) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        char text[512];
        Error err = ERROR_INIT;
        int n;

        if (parse(&options, value, &err) < 0)
                fail_msg("'%s': %s", value, err.text);
        assert_int_equal(options.n_mounts, 1);
        n = snprintf(text, sizeof(text), "%s %s %s ", options.mounts[0].destination, options.mounts[0].type,
                     options.mounts[0].source ?: "-");
        for (char **o = options.mounts[0].options; o && *o; o++)
                n += snprintf(text + n, sizeof(text) - (size_t) n, "%s%s", o == options.mounts[0].options ? "" : ",", *o);
        assert_string_equal(text, wanted);
}

static void volumes_take_the_syntax_of_podman(void **state) {
        char relative[PATH_MAX + 64];
        _cleanup_free_ char *cwd = getcwd(NULL, 0);

        mount_becomes(spec_option_volume, "/srv:/data", "/data bind /srv rbind,rprivate,rw");
        mount_becomes(spec_option_volume, "/srv:/data:ro", "/data bind /srv ro,rbind,rprivate");
        mount_becomes(spec_option_volume, "/srv:/data:ro,bind,rslave,nosuid,nodev,noexec",
                      "/data bind /srv ro,bind,rslave,nosuid,nodev,noexec");
        mount_becomes(spec_option_volume, "/srv:/../a//b/./c/../d/", "/a/b/d bind /srv rbind,rprivate,rw");
        mount_becomes(spec_option_volume, "/srv:/x/../y", "/y bind /srv rbind,rprivate,rw");
        snprintf(relative, sizeof(relative), "/x bind %s/./y rbind,rprivate,rw", cwd);
        mount_becomes(spec_option_volume, "./y:/x", relative);
        if (access("/sys/fs/selinux/enforce", F_OK) < 0)
                mount_becomes(spec_option_volume, "/srv:/data:z", "/data bind /srv rbind,rprivate,rw");
        refused(spec_option_volume, "", ERROR_NOT_SUPPORTED);
        refused(spec_option_volume, "/data", ERROR_NOT_SUPPORTED);
        refused(spec_option_volume, "name:/data", ERROR_NOT_SUPPORTED);
        refused(spec_option_volume, ":/data", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:data", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/..", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/data:ro,rw", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/data:foo", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/data:size=1m", ERROR_INVALID_ARGUMENT);
        refused(spec_option_volume, "/srv:/data:U", ERROR_NOT_SUPPORTED);
        refused(spec_option_volume, "/srv:/data:ro:x", ERROR_INVALID_ARGUMENT);
}

static void mounts_take_the_syntax_of_docker(void **state) {
        mount_becomes(spec_option_mount, "type=bind,src=/srv,dst=/data", "/data bind /srv rbind,rprivate,rw");
        mount_becomes(spec_option_mount, "source=/srv,target=/data,readonly,type=bind", "/data bind /srv ro,rbind,rprivate");
        mount_becomes(spec_option_mount, "type=bind,src=/srv,destination=/data,ro=false", "/data bind /srv rw,rbind,rprivate");
        mount_becomes(spec_option_mount, "type=bind,src=/srv,dst=/data,ro=true,bind-propagation=rslave,bind-nonrecursive",
                      "/data bind /srv ro,rslave,bind");
        mount_becomes(spec_option_mount, "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777",
                      "/t tmpfs - size=1m,mode=1777,rw,nosuid,nodev,tmpcopyup");
        refused(spec_option_mount, "", ERROR_NOT_SUPPORTED);
        refused(spec_option_mount, "src=/srv,dst=/data", ERROR_NOT_SUPPORTED);
        refused(spec_option_mount, "type=volume,src=v,dst=/data", ERROR_NOT_SUPPORTED);
        refused(spec_option_mount, "type=image,src=v,dst=/data", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,dst=/data", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,src=/srv", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,src=,dst=/data", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,src=/srv,dst=/data,ro=maybe", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,src=/srv,dst=/data,bind-propagation=ro", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=bind,src=/srv,dst=/data,bind-propagation", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=tmpfs,dst=/data,src=/x", ERROR_INVALID_ARGUMENT);
        refused(spec_option_mount, "type=tmpfs,dst=/data,tmpfs-size", ERROR_INVALID_ARGUMENT);
}

static void tmpfs_has_safe_defaults(void **state) {
        mount_becomes(spec_option_tmpfs, "/t", "/t tmpfs - rw,nosuid,nodev,tmpcopyup");
        mount_becomes(spec_option_tmpfs, "/t:size=64m,mode=700,noexec,suid,notmpcopyup",
                      "/t tmpfs - size=64m,mode=700,noexec,suid,rw,nodev");
        refused(spec_option_tmpfs, "t", ERROR_INVALID_ARGUMENT);
        refused(spec_option_tmpfs, "/t:rbind", ERROR_INVALID_ARGUMENT);
        refused(spec_option_tmpfs, "/t:size=", ERROR_INVALID_ARGUMENT);
}

static void two_mounts_on_one_place_are_refused(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        Error err = ERROR_INIT;

        assert_int_equal(spec_option_volume(&options, "/srv:/data", &err), 0);
        assert_int_equal(spec_option_tmpfs(&options, "/data/", &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(options.n_mounts, 1);
}

static void device_becomes(const char *value, const char *host, const char *container, const char *access) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        Error err = ERROR_INIT;

        if (spec_option_device(&options, value, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(options.devices[0].host, host);
        assert_string_equal(options.devices[0].container, container);
        assert_string_equal(options.devices[0].access, access);
}

static void devices_take_the_syntax_of_docker(void **state) {
        device_becomes("/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm");
        device_becomes("/dev/fuse:r", "/dev/fuse", "/dev/fuse", "r");
        device_becomes("/dev/sdb:/dev/data", "/dev/sdb", "/dev/data", "rwm");
        device_becomes("/dev/sdb:/dev/data:rw", "/dev/sdb", "/dev/data", "rw");
        refused(spec_option_device, "", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "fuse", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "/dev/fuse:x", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "/dev/fuse:", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "/dev/a:/dev/b:", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "/dev/a:b:r", ERROR_INVALID_ARGUMENT);
        refused(spec_option_device, "/dev/a:/dev/b:r:w", ERROR_INVALID_ARGUMENT);
}

static void sizes_are_powers_of_1024(void **state) {
        static const struct {
                const char *text;
                int64_t bytes;
        } cases[] = {
                { "1", 1 },          { "4096b", 4096 },         { "64k", 65536 },      { "512m", 536870912 }, { "512MB", 536870912 },
                { "1G", 1073741824 }, { "1.5GiB", 1610612736 }, { "0.5k", 512 },       { "2t", 2199023255552 },
                { "8388607t", 9223370937343148032 },
        };
        static const char *const wrong[] = { "",         "0",    "m",   "1x",      "1mm",  "1bb",
                                             "-1",       "1 m",  "+1",  "1.2345k", "1..5", "9999999999999999999",
                                             "8388608t", "0x10", "1e3", "." };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(spec_options_clear) SpecOptions options = { 0 };
                Error err = ERROR_INIT;

                if (spec_option_memory(&options, cases[i].text, &err) < 0)
                        fail_msg("%s", err.text);
                if (options.memory != cases[i].bytes)
                        fail_msg("%s is %lld", cases[i].text, (long long) options.memory);
        }
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                refused(spec_option_memory, wrong[i], ERROR_INVALID_ARGUMENT);
                refused(spec_option_shm_size, wrong[i], ERROR_INVALID_ARGUMENT);
                if (strcmp(wrong[i], "-1") != 0)
                        refused(spec_option_memory_swap, wrong[i], ERROR_INVALID_ARGUMENT);
        }
}

static void limits_may_be_unlimited(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        assert_int_equal(spec_option_memory_swap(&options, "-1", NULL), 0);
        assert_int_equal(options.memory_swap, -1);
        assert_int_equal(spec_option_pids_limit(&options, "-1", NULL), 0);
        assert_int_equal(options.pids_limit, -1);
        assert_int_equal(spec_option_pids_limit(&options, "100", NULL), 0);
        assert_int_equal(options.pids_limit, 100);
        assert_int_equal(spec_option_pids_limit(&options, "0", NULL), 0);
        assert_int_equal(options.pids_limit, -1);
        refused(spec_option_pids_limit, "1.5", ERROR_INVALID_ARGUMENT);
        refused(spec_option_pids_limit, "-2", ERROR_INVALID_ARGUMENT);
        refused(spec_option_pids_limit, "99999999999999999999", ERROR_INVALID_ARGUMENT);
}

static void cpus_have_nine_decimals(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        assert_int_equal(spec_option_cpus(&options, "1.5", NULL), 0);
        assert_int_equal(options.nano_cpus, 1500000000);
        assert_int_equal(spec_option_cpus(&options, ".000000001", NULL), 0);
        assert_int_equal(options.nano_cpus, 1);
        refused(spec_option_cpus, "0", ERROR_INVALID_ARGUMENT);
        refused(spec_option_cpus, "1.0000000001", ERROR_INVALID_ARGUMENT);
        refused(spec_option_cpus, "-1", ERROR_INVALID_ARGUMENT);
        refused(spec_option_cpus, "99999999999", ERROR_INVALID_ARGUMENT);
}

static void a_later_ulimit_of_a_name_wins(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        assert_int_equal(spec_option_ulimit(&options, "nofile=1024:4096", NULL), 0);
        assert_int_equal(spec_option_ulimit(&options, "core=unlimited", NULL), 0);
        assert_int_equal(spec_option_ulimit(&options, "nofile=5", NULL), 0);
        assert_int_equal(options.n_rlimits, 2);
        assert_string_equal(options.rlimits[0].type, "RLIMIT_NOFILE");
        assert_int_equal(options.rlimits[0].soft, 5);
        assert_int_equal(options.rlimits[0].hard, 5);
        assert_true(options.rlimits[1].hard == UINT64_MAX);
        refused(spec_option_ulimit, "nofile", ERROR_INVALID_ARGUMENT);
        refused(spec_option_ulimit, "nofile=", ERROR_INVALID_ARGUMENT);
        refused(spec_option_ulimit, "nofile=1:", ERROR_INVALID_ARGUMENT);
        refused(spec_option_ulimit, "nofile=2:1", ERROR_INVALID_ARGUMENT);
        refused(spec_option_ulimit, "nofile=1.5", ERROR_INVALID_ARGUMENT);
        refused(spec_option_ulimit, "files=1", ERROR_INVALID_ARGUMENT);
}

static bool has_env(const SpecOptions *options, const char *entry) {
        for (char **e = options->env; e && *e; e++)
                if (!strcmp(*e, entry))
                        return true;
        return false;
}

static void env_takes_over_by_name_and_prefix(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        setenv("SPEC_TEST_A", "1", 1);
        setenv("SPEC_TEST_B", "2", 1);
        assert_int_equal(spec_option_env(&options, "SPEC_TEST_A", NULL), 0);
        assert_int_equal(strv_length(options.env), 1);
        assert_int_equal(spec_option_env(&options, "SPEC_TEST", NULL), 0);
        assert_int_equal(strv_length(options.env), 1);
        assert_int_equal(spec_option_env(&options, "SPEC_TEST_*", NULL), 0);
        assert_int_equal(strv_length(options.env), 3);
        assert_true(has_env(&options, "SPEC_TEST_B=2"));
        assert_int_equal(spec_option_env(&options, "X=a=b", NULL), 0);
        assert_true(has_env(&options, "X=a=b"));
        refused(spec_option_env, "", ERROR_INVALID_ARGUMENT);
        refused(spec_option_env, "=x", ERROR_INVALID_ARGUMENT);
}

static void an_env_file_is_read_line_by_line(void **state) {
        const Scratch *scratch = *state;
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        static const char text[] = "# comment\n\n  A=1\r\nB=x y #z\nSPEC_TEST_C\nNOT_THERE_AT_ALL\nE=";
        char path[128];
        Error err = ERROR_INIT;

        setenv("SPEC_TEST_C", "3", 1);
        snprintf(path, sizeof(path), "%s/env", scratch->path);
        assert_int_equal(file_write_atomic_at(scratch->fd, "env", text, strlen(text), 0600, 0, NULL), 0);
        if (spec_option_env_file(&options, path, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(strv_length(options.env), 4);
        assert_true(has_env(&options, "A=1"));
        assert_true(has_env(&options, "B=x y #z"));
        assert_true(has_env(&options, "SPEC_TEST_C=3"));
        assert_true(has_env(&options, "E="));

        assert_int_equal(file_write_atomic_at(scratch->fd, "env", "A=1\nB C=1\n", 10, 0600, 0, NULL), 0);
        assert_int_equal(spec_option_env_file(&options, path, &err), -1);
        assert_non_null(strstr(err.text, "line 2"));
        assert_int_equal(file_write_atomic_at(scratch->fd, "env", "A=1\n=x\n", 7, 0600, 0, NULL), 0);
        assert_int_equal(spec_option_env_file(&options, path, &err), -1);
        assert_non_null(strstr(err.text, "line 2"));
        refused(spec_option_env_file, "/does/not/exist", ERROR_FILE);
}

static void an_entrypoint_is_a_command_or_json(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        assert_int_equal(spec_option_entrypoint(&options, "/bin/my app", NULL), 0);
        assert_int_equal(strv_length(options.entrypoint), 1);
        assert_string_equal(options.entrypoint[0], "/bin/my app");
        assert_int_equal(spec_option_entrypoint(&options, "[\"/bin/sh\", \"-c\"]", NULL), 0);
        assert_int_equal(strv_length(options.entrypoint), 2);
        assert_int_equal(spec_option_entrypoint(&options, "[]", NULL), 0);
        assert_string_equal(options.entrypoint[0], "");
        refused(spec_option_entrypoint, "[1]", ERROR_INVALID_ARGUMENT);
        {
                Error err = ERROR_INIT;

                assert_int_equal(spec_option_entrypoint(&options, "[\"a\"", &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        }
}

static void annotations_are_keys_and_values(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        assert_int_equal(spec_option_annotation(&options, "a.b=c=d", NULL), 0);
        assert_int_equal(spec_option_annotation(&options, "e=", NULL), 0);
        assert_string_equal(json_string_value(json_object_get(options.annotations, "a.b")), "c=d");
        assert_string_equal(json_string_value(json_object_get(options.annotations, "e")), "");
        refused(spec_option_annotation, "a", ERROR_INVALID_ARGUMENT);
        refused(spec_option_annotation, "=a", ERROR_INVALID_ARGUMENT);
        refused(spec_option_annotation, "a=\xff", ERROR_INVALID_ARGUMENT);
        refused(spec_option_annotation, "\xff=a", ERROR_INVALID_ARGUMENT);
}

static void userns_knows_four_forms(void **state) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };

        for (const char *const *value = (const char *const[]) { "host", "private", "auto", "auto:size=4096", NULL }; *value; value++) {
                assert_int_equal(spec_option_userns(&options, *value, NULL), 0);
                assert_string_equal(options.userns, *value);
        }
        for (const char *const *value = (const char *const[]) { "", "keep-id", "auto:size=", "auto:size=0", "auto:size=5x", "auto:", NULL };
             *value; value++)
                refused(spec_option_userns, *value, ERROR_INVALID_ARGUMENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(volumes_take_the_syntax_of_podman),
                cmocka_unit_test(mounts_take_the_syntax_of_docker),
                cmocka_unit_test(tmpfs_has_safe_defaults),
                cmocka_unit_test(two_mounts_on_one_place_are_refused),
                cmocka_unit_test(devices_take_the_syntax_of_docker),
                cmocka_unit_test(sizes_are_powers_of_1024),
                cmocka_unit_test(limits_may_be_unlimited),
                cmocka_unit_test(cpus_have_nine_decimals),
                cmocka_unit_test(a_later_ulimit_of_a_name_wins),
                cmocka_unit_test(env_takes_over_by_name_and_prefix),
                scratch_test(an_env_file_is_read_line_by_line),
                cmocka_unit_test(an_entrypoint_is_a_command_or_json),
                cmocka_unit_test(annotations_are_keys_and_values),
                cmocka_unit_test(userns_knows_four_forms),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
