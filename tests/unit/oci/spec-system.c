#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "oci/runtime-spec.h"
#include "oci/spec-parts.h"

#include "../scratch.h"

#define LIST(...) (char **) (const char *[]) { __VA_ARGS__, NULL }

static const ImageConfig machine = { .cmd = LIST("/sbin/init") };

static json_t *build(const Scratch *root, const SpecOptions *options) {
        json_t *spec;
        Error err = ERROR_INIT;

        if (spec_build(&machine, options, root->fd, "rootfs", &spec, &err) < 0 || spec_check(spec, &err) < 0)
                fail_msg("%s", err.text);
        return spec;
}

static bool has_string(const json_t *array, const char *text) {
        for (size_t i = 0; i < json_array_size(array); i++)
                if (!strcmp(json_string_value(json_array_get(array, i)), text))
                        return true;
        return false;
}

static const json_t *process_part(const json_t *spec, const char *name) {
        return json_object_get(json_object_get(spec, "process"), name);
}

/* Options of the mount at @destination; NULL when there is none. The last one counts. */
static const json_t *mount_options(const json_t *spec, const char *destination) {
        const json_t *mounts = json_object_get(spec, "mounts"), *found = NULL;

        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *mount = json_array_get(mounts, i);

                if (!strcmp(json_string_value(json_object_get(mount, "destination")), destination))
                        found = json_object_get(mount, "options");
        }
        return found;
}

static void a_command_is_an_init_by_its_name(void **state) {
        const struct {
                char **entrypoint, **cmd, **args;
                bool is_init;
        } cases[] = {
                { NULL, LIST("/sbin/init"), NULL, true },
                { LIST("/usr/sbin/init"), LIST("--log-level=debug"), NULL, true },
                { NULL, LIST("/usr/local/sbin/init"), NULL, true },
                { NULL, LIST("/lib/systemd/systemd"), NULL, true },
                { NULL, LIST("systemd"), NULL, true },
                { NULL, LIST("/bin/sh"), LIST("/sbin/init", "3"), true },
                { NULL, LIST("/sbin/init"), LIST("/bin/sh"), false },
                { LIST("/bin/sh"), LIST("/sbin/init"), NULL, false },
                { NULL, LIST("init"), NULL, false },
                { NULL, LIST("/opt/init"), NULL, false },
                { NULL, LIST("/usr/bin/systemd-run"), NULL, false },
                { NULL, NULL, NULL, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const ImageConfig image = { .entrypoint = cases[i].entrypoint, .cmd = cases[i].cmd };
                const SpecOptions options = { .args = cases[i].args };

                if (spec_runs_init(&image, &options) != cases[i].is_init)
                        fail_msg("case %zu", i);
        }
}

static void an_init_gets_a_cgroup_to_divide_and_nothing_else_of_cgroups(void **state) {
        _cleanup_json_ json_t *boots = build(*state, &(SpecOptions) { .boots = true }), *not = build(*state, &(SpecOptions) { 0 });
        bool unified = cgroup_is_unified();

        assert_int_equal(has_string(mount_options(boots, "/sys/fs/cgroup"), "ro"), !unified);
        assert_true(has_string(mount_options(boots, unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/systemd"), "rw"));
        assert_int_equal(has_string(mount_options(boots, "/sys/fs/cgroup/systemd"), "name=systemd"), !unified);
        assert_true(has_string(mount_options(not, "/sys/fs/cgroup"), "ro"));
        assert_null(mount_options(not, "/sys/fs/cgroup/systemd"));
        assert_true(has_string(mount_options(boots, "/sys"), "ro"));
}

static void an_init_gets_its_tmpfs_unless_the_user_has_something_there(void **state) {
        SpecMount run = { .type = (char *) "tmpfs", .destination = (char *) "/run", .options = LIST("size=1m") };
        _cleanup_json_ json_t *boots = build(*state, &(SpecOptions) { .boots = true });
        _cleanup_json_ json_t *own = build(*state, &(SpecOptions) { .boots = true, .mounts = &run, .n_mounts = 1 });
        _cleanup_json_ json_t *not = build(*state, &(SpecOptions) { 0 });

        for (const char *const *place = (const char *const[]) { "/run", "/run/lock", "/tmp", NULL }; *place; place++) {
                assert_true(has_string(mount_options(boots, *place), "nosuid"));
                assert_null(mount_options(not, *place));
        }
        assert_true(has_string(mount_options(own, "/run"), "size=1m"));
        assert_false(has_string(mount_options(own, "/run"), "nosuid"));
}

static void an_init_is_told_what_it_runs_in(void **state) {
        const SpecOptions options = { .boots = true, .machine_id = "0123456789abcdef0123456789abcdef" };
        const SpecOptions tty = { .boots = true, .tty = true, .env = LIST("container=mine") };
        _cleanup_json_ json_t *boots = build(*state, &options), *typed = build(*state, &tty);

        assert_true(json_is_true(process_part(boots, "terminal")));
        assert_true(has_string(process_part(boots, "env"), "container=oci"));
        assert_true(has_string(process_part(boots, "env"), "TERM=dumb"));
        assert_true(has_string(process_part(boots, "env"), "container_uuid=0123456789abcdef0123456789abcdef"));
        assert_true(has_string(process_part(typed, "env"), "container=mine"));
        assert_true(has_string(process_part(typed, "env"), "TERM=xterm"));
}

static void a_machine_id_is_a_random_uuid(void **state) {
        char one[SPEC_MACHINE_ID_MAX], two[SPEC_MACHINE_ID_MAX];

        assert_int_equal(spec_machine_id(one, NULL), 0);
        assert_int_equal(spec_machine_id(two, NULL), 0);
        assert_int_equal(strspn(one, "0123456789abcdef"), 32);
        assert_int_equal(one[12], '4');
        assert_non_null(strchr("89ab", one[16]));
        assert_string_not_equal(one, two);
}

static void only_the_root_of_a_user_namespace_gets_more_capabilities(void **state) {
        const SpecOptions shifted = { .boots = true, .uid_map = (char *) "0:100000:65536" };
        const SpecOptions less = { .boots = true, .uid_map = (char *) "0:100000:65536", .cap_drop = LIST("sys_admin") };
        _cleanup_json_ json_t *user = build(*state, &shifted), *host = build(*state, &(SpecOptions) { .boots = true });
        _cleanup_json_ json_t *dropped = build(*state, &less);
        _cleanup_json_ json_t *plain = build(*state, &(SpecOptions) { .uid_map = (char *) "0:100000:65536" });

        assert_true(has_string(json_object_get(process_part(user, "capabilities"), "effective"), "CAP_SYS_ADMIN"));
        assert_false(has_string(json_object_get(process_part(host, "capabilities"), "bounding"), "CAP_SYS_ADMIN"));
        assert_false(has_string(json_object_get(process_part(plain, "capabilities"), "bounding"), "CAP_SYS_ADMIN"));
        assert_false(has_string(json_object_get(process_part(dropped, "capabilities"), "bounding"), "CAP_SYS_ADMIN"));
        assert_true(has_string(json_object_get(process_part(dropped, "capabilities"), "bounding"), "CAP_NET_ADMIN"));
        for (const char *const *never = (const char *const[]) { "CAP_SYS_BOOT", "CAP_SYS_MODULE", "CAP_SYS_TIME", NULL }; *never; never++)
                assert_false(has_string(json_object_get(process_part(user, "capabilities"), "bounding"), *never));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_command_is_an_init_by_its_name),
                scratch_test(an_init_gets_a_cgroup_to_divide_and_nothing_else_of_cgroups),
                scratch_test(an_init_gets_its_tmpfs_unless_the_user_has_something_there),
                scratch_test(an_init_is_told_what_it_runs_in),
                cmocka_unit_test(a_machine_id_is_a_random_uuid),
                scratch_test(only_the_root_of_a_user_namespace_gets_more_capabilities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
