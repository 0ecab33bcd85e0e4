#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

#include "../scratch.h"

#define LIST(...) (char **) (const char *[]) { __VA_ARGS__, NULL }

static json_t *build(const Scratch *root, const ImageConfig *image, const SpecOptions *options) {
        json_t *spec;
        Error err = ERROR_INIT;

        if (spec_build(image, options, root->fd, "rootfs", &spec, &err) < 0)
                fail_msg("%s: %s", error_kind_name(err.kind), err.text);
        if (spec_check(spec, &err) < 0)
                fail_msg("%s", err.text);
        return spec;
}

static void refused(const Scratch *root, const ImageConfig *image, const SpecOptions *options, ErrorKind kind, const char *text) {
        json_t *spec;
        Error err = ERROR_INIT;

        assert_int_equal(spec_build(image, options, root->fd, "rootfs", &spec, &err), -1);
        assert_string_equal(err.text, text);
        assert_int_equal(err.kind, kind);
}

/* The value at a path of keys, NULL when it is not there. */
static const json_t *at(const json_t *json, const char *path) {
        char key[64];

        for (;;) {
                size_t len = strcspn(path, ".");

                memcpy(key, path, len);
                key[len] = '\0';
                json = json_object_get(json, key);
                if (!path[len])
                        return json;
                path += len + 1;
        }
}

/* An array of strings as "a b c" */
static const char *joined(const json_t *array, char *text, size_t size) {
        text[0] = '\0';
        for (size_t i = 0; i < json_array_size(array); i++) {
                size_t len = strlen(text);

                snprintf(text + len, size - len, "%s%s", i ? " " : "", json_string_value(json_array_get(array, i)));
        }
        return text;
}

static void strings_are(const json_t *spec, const char *path, const char *wanted) {
        char text[4096];

        assert_string_equal(joined(at(spec, path), text, sizeof(text)), wanted);
}

static const json_t *mount_on(const json_t *spec, const char *destination) {
        const json_t *mounts = json_object_get(spec, "mounts");

        for (size_t i = 0; i < json_array_size(mounts); i++)
                if (!strcmp(json_string_value(at(json_array_get(mounts, i), "destination")), destination))
                        return json_array_get(mounts, i);
        return NULL;
}

static const ImageConfig plain = { .os = (char *) "linux", .architecture = (char *) "amd64", .cmd = LIST("sh") };

static void args_are_entrypoint_and_command(void **state) {
        const struct {
                char **image_entrypoint, **image_cmd, **entrypoint, **args;
                const char *wanted; /* NULL: refused */
        } cases[] = {
                { LIST("e", "1"), LIST("c"), NULL, NULL, "e 1 c" },
                { LIST("e"), LIST("c"), NULL, LIST("a", "b"), "e a b" },
                { NULL, LIST("c"), NULL, NULL, "c" },
                { NULL, LIST("c"), NULL, LIST("a"), "a" },
                { LIST("e"), LIST("c"), LIST("x"), NULL, "x" },
                { LIST("e"), LIST("c"), LIST("x", "y"), LIST("a"), "x y a" },
                { LIST("e"), LIST("c"), LIST(""), LIST("a"), "a" },
                { LIST("e"), LIST("c"), LIST(""), NULL, NULL },
                { NULL, NULL, NULL, NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const ImageConfig image = { .entrypoint = cases[i].image_entrypoint, .cmd = cases[i].image_cmd };
                const SpecOptions options = { .entrypoint = cases[i].entrypoint, .args = cases[i].args };

                if (cases[i].wanted) {
                        _cleanup_json_ json_t *spec = build(*state, &image, &options);

                        strings_are(spec, "process.args", cases[i].wanted);
                } else
                        refused(*state, &image, &options, ERROR_INVALID_ARGUMENT,
                                "no command: the image has neither an entrypoint nor a command of its own");
        }
}

static void the_environment_is_the_images_then_what_lacks_then_the_users(void **state) {
        const ImageConfig image = { .cmd = LIST("sh"), .env = LIST("A=1", "PATH=/bin", "B=", "A=2", "container=podman") };
        const SpecOptions options = { .env = LIST("B=3", "C=4", "C=5", "HOME=/h"), .tty = true, .hostname = (char *) "web" };
        _cleanup_json_ json_t *spec = build(*state, &image, &options), *bare = build(*state, &plain, &(SpecOptions) { 0 });

        strings_are(spec, "process.env", "A=2 PATH=/bin B=3 container=podman TERM=xterm HOSTNAME=web HOME=/h C=5");
        strings_are(bare, "process.env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ container=oci");
        assert_true(json_is_true(at(spec, "process.terminal")));
        assert_string_equal(json_string_value(at(spec, "hostname")), "web");
        refused(*state, &(ImageConfig) { .cmd = LIST("sh"), .env = LIST("A") }, &(SpecOptions) { 0 }, ERROR_INVALID_SPEC,
                "the image's Env: 'A' is not NAME=VALUE");
}

static void a_terminal_has_a_size_when_it_is_known(void **state) {
        const SpecOptions sized = { .tty = true, .tty_rows = 33, .tty_columns = 77 }, unsized = { .tty = true, .tty_columns = 77 },
                          none = { .tty_rows = 33, .tty_columns = 77 };
        _cleanup_json_ json_t *with = build(*state, &plain, &sized), *without = build(*state, &plain, &unsized),
                              *no_terminal = build(*state, &plain, &none);

        assert_int_equal(json_integer_value(at(with, "process.consoleSize.height")), 33);
        assert_int_equal(json_integer_value(at(with, "process.consoleSize.width")), 77);
        assert_null(json_object_get(at(without, "process"), "consoleSize"));
        assert_null(json_object_get(at(no_terminal, "process"), "consoleSize"));
}

static void text_that_is_not_utf8_is_named(void **state) {
        refused(*state, &plain, &(SpecOptions) { .args = LIST("a\xff") }, ERROR_INVALID_ARGUMENT,
                "the command: 'a\xff' is not UTF-8, and a container's configuration is");
}

static void the_working_directory_is_absolute(void **state) {
        static const struct {
                const char *image, *option, *wanted;
        } cases[] = { { NULL, NULL, "/" }, { "", NULL, "/" }, { "/srv", NULL, "/srv" }, { "srv", NULL, "/srv" }, { "/srv", "/x", "/x" } };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const ImageConfig image = { .cmd = LIST("sh"), .working_dir = (char *) cases[i].image };
                _cleanup_json_ json_t *spec = build(*state, &image, &(SpecOptions) { .workdir = (char *) cases[i].option });

                assert_string_equal(json_string_value(at(spec, "process.cwd")), cases[i].wanted);
        }
        refused(*state, &plain, &(SpecOptions) { .workdir = (char *) "x" }, ERROR_INVALID_ARGUMENT,
                "--workdir 'x' is not an absolute path");
}

static void the_user_is_looked_up_in_the_root(void **state) {
        const Scratch *root = *state;
        static const char passwd[] = "bob:x:7:8::/b:\n", group[] = "g:x:9:bob\n";
        const ImageConfig image = { .cmd = LIST("sh"), .user = (char *) "bob" };
        _cleanup_json_ json_t *spec = NULL, *other = NULL;
        _cleanup_close_ int etc = -EBADF;
        json_t *wanted;

        refused(root, &image, &(SpecOptions) { 0 }, ERROR_INVALID_ROOTFS, "the image's User: user 'bob' is not in the image's /etc/passwd");
        refused(root, &image, &(SpecOptions) { .user = (char *) "eve" }, ERROR_INVALID_ARGUMENT,
                "--user: user 'eve' is not in the image's /etc/passwd");
        assert_int_equal(dir_make_at(root->fd, "etc", 0755, &etc, NULL), 0);
        assert_int_equal(file_write_atomic_at(etc, "passwd", passwd, strlen(passwd), 0644, 0, NULL), 0);
        assert_int_equal(file_write_atomic_at(etc, "group", group, strlen(group), 0644, 0, NULL), 0);
        spec = build(root, &image, &(SpecOptions) { 0 });
        wanted = json_pack("{s:i, s:i, s:i, s:[i]}", "uid", 7, "gid", 8, "umask", 022, "additionalGids", 9);
        assert_true(json_equal(at(spec, "process.user"), wanted));
        json_decref(wanted);
        strings_are(spec, "process.env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/b container=oci");
        other = build(root, &image, &(SpecOptions) { .user = (char *) "5:6" });
        assert_int_equal(json_integer_value(at(other, "process.user.uid")), 5);
        assert_null(at(other, "process.user.additionalGids"));
}

static void labels_become_annotations_but_never_steer_the_runtime(void **state) {
        _cleanup_json_ json_t *labels =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "maintainer", "me", "run.oci.hooks.stdout", "/x", "org.criu.config",
                          "/x", "org.systemd.property.ExecStart", "'/x'", "org.proxmox-lxcri.runtime", "vm", "module.wasm.image/variant",
                          "compat", "org.opencontainers.image.author", "label", "org.opencontainers.image.stopSignal", "SIGHUP");
        _cleanup_json_ json_t *own = json_pack("{s:s, s:s}", "run.oci.keep_original_groups", "1", "maintainer", "you");
        const ImageConfig image = { .cmd = LIST("sh"), .os = (char *) "linux", .architecture = (char *) "arm64", .variant = (char *) "v8",
                                    .author = (char *) "image", .created = (char *) "then",
                                    .stop_signal = (char *) "SIGQUIT", .exposed_ports = LIST("80/tcp", "53/udp"), .labels = labels };
        _cleanup_json_ json_t *spec = build(*state, &image, &(SpecOptions) { .annotations = own });
        _cleanup_json_ json_t *stop = build(*state, &image, &(SpecOptions) { .stop_signal = (char *) "SIGUSR1" });
        _cleanup_json_ json_t *wanted =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "maintainer", "you", "org.opencontainers.image.author", "label",
                          "org.opencontainers.image.stopSignal", "SIGHUP", "org.opencontainers.image.os", "linux",
                          "org.opencontainers.image.architecture", "arm64", "org.opencontainers.image.variant", "v8",
                          "org.opencontainers.image.created", "then", "org.opencontainers.image.exposedPorts", "80/tcp,53/udp",
                          "run.oci.keep_original_groups", "1");

        assert_true(json_equal(at(spec, "annotations"), wanted));
        assert_string_equal(json_string_value(json_object_get(at(stop, "annotations"), "org.opencontainers.image.stopSignal")), "SIGUSR1");
}

#define DEFAULT_CAPS                                                                                                                       \
        "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT " \
        "CAP_SETFCAP"

static void capabilities_are_podmans(void **state) {
        if (prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) != 1)
                skip();
        const struct {
                char *user, **add, **drop;
                const char *bounding, *effective, *ambient;
        } cases[] = {
                { NULL, NULL, NULL, DEFAULT_CAPS, DEFAULT_CAPS, "" },
                { (char *) "5", NULL, NULL, DEFAULT_CAPS, "", "" },
                { NULL, NULL, LIST("ALL"), "", "", "" },
                { NULL, LIST("net_admin"), LIST("all"), "CAP_NET_ADMIN", "CAP_NET_ADMIN", "" },
                { (char *) "5", LIST("CAP_NET_ADMIN"), LIST("all"), "CAP_NET_ADMIN", "CAP_NET_ADMIN", "CAP_NET_ADMIN" },
                { NULL, NULL, LIST("chown", "cap_kill", "SETUID", "setgid", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETPCAP"),
                  "CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_SETFCAP", "CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_SETFCAP", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const SpecOptions options = { .user = cases[i].user, .cap_add = cases[i].add, .cap_drop = cases[i].drop };
                _cleanup_json_ json_t *spec = build(*state, &plain, &options);

                strings_are(spec, "process.capabilities.bounding", cases[i].bounding);
                strings_are(spec, "process.capabilities.effective", cases[i].effective);
                strings_are(spec, "process.capabilities.permitted", cases[i].effective);
                strings_are(spec, "process.capabilities.ambient", cases[i].ambient);
                strings_are(spec, "process.capabilities.inheritable", cases[i].ambient);
        }
        refused(*state, &plain, &(SpecOptions) { .cap_add = LIST("fly") }, ERROR_INVALID_ARGUMENT, "--cap-add: 'fly' is not a capability");
        refused(*state, &plain, &(SpecOptions) { .cap_add = LIST("chown"), .cap_drop = LIST("CAP_CHOWN") }, ERROR_INVALID_ARGUMENT,
                "CAP_CHOWN is both added and dropped");
}

static void a_capability_that_cannot_be_granted_is_refused(void **state) {
        if (prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) != 0)
                skip(); /* everything can be granted here */
        refused(*state, &plain, &(SpecOptions) { .cap_add = LIST("sys_resource") }, ERROR_NOT_SUPPORTED,
                "--cap-add: this process cannot grant CAP_SYS_RESOURCE: it is not in its own bounding set");
}

static bool has_string(const json_t *array, const char *text) {
        for (size_t i = 0; i < json_array_size(array); i++)
                if (!strcmp(json_string_value(json_array_get(array, i)), text))
                        return true;
        return false;
}

static void a_plain_container_is_confined(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { 0 });
        const json_t *rules = at(spec, "linux.resources.devices");

        assert_string_equal(json_string_value(at(spec, "linux.seccomp.defaultAction")), "SCMP_ACT_ERRNO");
        assert_true(has_string(at(spec, "linux.maskedPaths"), "/proc/kcore"));
        assert_true(has_string(at(spec, "linux.readonlyPaths"), "/proc/sys"));
        assert_true(has_string(at(mount_on(spec, "/sys"), "options"), "ro"));
        assert_true(has_string(at(mount_on(spec, "/sys/fs/cgroup"), "options"), "ro"));
        assert_int_equal(json_array_size(rules), 1);
        assert_true(json_is_false(at(json_array_get(rules, 0), "allow")));
        assert_null(at(spec, "linux.devices"));
        assert_null(at(spec, "process.noNewPrivileges"));
        assert_null(at(spec, "root.readonly"));
}

static void a_privileged_container_is_not(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { .privileged = true });
        _cleanup_json_ json_t *masked = build(*state, &plain, &(SpecOptions) { .privileged = true, .security_opt = LIST("mask=/a") });

        assert_null(at(spec, "linux.seccomp"));
        assert_null(at(spec, "linux.maskedPaths"));
        assert_null(at(spec, "linux.readonlyPaths"));
        assert_false(has_string(at(mount_on(spec, "/sys"), "options"), "ro"));
        assert_false(has_string(at(mount_on(spec, "/sys/fs/cgroup"), "options"), "ro"));
        assert_true(json_is_true(at(json_array_get(at(spec, "linux.resources.devices"), 0), "allow")));
        assert_true(json_array_size(at(spec, "process.capabilities.bounding")) > 11);
        strings_are(masked, "linux.maskedPaths", "/a");
        /* what is only in the runtime's own list must not be asked for twice */
        for (size_t i = 0; i < json_array_size(at(spec, "linux.devices")); i++)
                assert_string_not_equal(json_string_value(at(json_array_get(at(spec, "linux.devices"), i), "path")), "/dev/null");
}

static void security_options_change_the_confinement(void **state) {
        _cleanup_json_ json_t *loose = build(*state, &plain,
                                             &(SpecOptions) { .security_opt = LIST("seccomp=unconfined", "systempaths=unconfined",
                                                                                  "no-new-privileges", "label=disable") });
        _cleanup_json_ json_t *masks = build(*state, &plain,
                                             &(SpecOptions) { .security_opt = LIST("mask=/a:/b", "unmask=/proc/k*", "unmask=/proc/sys",
                                                                                  "seccomp=default", "no-new-privileges:false") });
        _cleanup_json_ json_t *all =
                build(*state, &plain, &(SpecOptions) { .security_opt = LIST("unmask=ALL", "mask=/a", "apparmor=unconfined") });

        assert_null(at(loose, "linux.seccomp"));
        assert_null(at(loose, "linux.maskedPaths"));
        assert_null(at(loose, "linux.readonlyPaths"));
        assert_true(json_is_true(at(loose, "process.noNewPrivileges")));
        assert_non_null(at(masks, "linux.seccomp"));
        assert_true(has_string(at(masks, "linux.maskedPaths"), "/a"));
        assert_true(has_string(at(masks, "linux.maskedPaths"), "/b"));
        assert_false(has_string(at(masks, "linux.maskedPaths"), "/proc/kcore"));
        assert_false(has_string(at(masks, "linux.maskedPaths"), "/proc/keys"));
        assert_true(has_string(at(masks, "linux.maskedPaths"), "/proc/acpi"));
        assert_false(has_string(at(masks, "linux.readonlyPaths"), "/proc/sys"));
        assert_true(has_string(at(masks, "linux.readonlyPaths"), "/proc/bus"));
        assert_null(at(masks, "process.noNewPrivileges"));
        strings_are(all, "linux.maskedPaths", "/a");

        refused(*state, &plain, &(SpecOptions) { .security_opt = LIST("mask=a") }, ERROR_INVALID_ARGUMENT,
                "--security-opt mask=a: 'a' is not an absolute path");
        refused(*state, &plain, &(SpecOptions) { .security_opt = LIST("label=type:x") }, ERROR_NOT_SUPPORTED,
                "--security-opt label=type:x: SELinux labels are not supported, only label=disable");
        refused(*state, &plain, &(SpecOptions) { .security_opt = LIST("seccomp") }, ERROR_INVALID_ARGUMENT,
                "--security-opt seccomp: '=' and a value are missing");
        refused(*state, &plain, &(SpecOptions) { .security_opt = LIST("foo=1") }, ERROR_INVALID_ARGUMENT,
                "--security-opt: 'foo=1' is not known");
}

static void destinations(const json_t *spec, char *text, size_t size) {
        const json_t *mounts = json_object_get(spec, "mounts");

        text[0] = '\0';
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                size_t len = strlen(text);

                snprintf(text + len, size - len, " %s", json_string_value(at(json_array_get(mounts, i), "destination")));
        }
}

static void mounts_come_outer_first_and_replace_ours(void **state) {
        static const struct {
                const char *volumes[4];
                const char *wanted;
        } cases[] = {
                { { NULL }, " /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup" },
                { { "/etc:/a/b/c", "/etc:/x", "/etc:/a" }, " /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /x /a /a/b/c" },
                { { "/etc:/dev/shm" }, " /proc /dev /dev/pts /dev/mqueue /sys /sys/fs/cgroup /dev/shm" },
                { { "/dev:/dev" }, " /proc /sys /sys/fs/cgroup /dev" },
                { { "/sys:/sys" }, " /proc /dev /dev/pts /dev/shm /dev/mqueue /sys/fs/cgroup /sys" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(spec_options_clear) SpecOptions options = { .shm_size = 4096 };
                _cleanup_json_ json_t *spec = NULL;
                char text[1024];

                for (size_t v = 0; cases[i].volumes[v]; v++)
                        assert_int_equal(spec_option_volume(&options, cases[i].volumes[v], NULL), 0);
                spec = build(*state, &plain, &options);
                destinations(spec, text, sizeof(text));
                assert_string_equal(text, cases[i].wanted);
                if (i == 0)
                        assert_true(has_string(at(mount_on(spec, "/dev/shm"), "options"), "size=4096"));
        }
        {
                _cleanup_(spec_options_clear) SpecOptions options = { 0 };

                assert_int_equal(spec_option_volume(&options, "/does/not/exist:/x", NULL), 0);
                refused(*state, &plain, &options, ERROR_INVALID_ARGUMENT, "mount '/does/not/exist' on '/x': No such file or directory");
        }
}

static void limits_reach_the_cgroup(void **state) {
        static SpecRlimit rlimits[] = { { (char *) "RLIMIT_CORE", 1, UINT64_MAX } };
        const SpecOptions options = { .memory = 1 << 26,
                                      .memory_swap = -1,
                                      .nano_cpus = 1500000000,
                                      .pids_limit = 7,
                                      .rlimits = rlimits,
                                      .n_rlimits = 1,
                                      .cgroups_path = (char *) "/x",
                                      .read_only = true };
        _cleanup_json_ json_t *spec = build(*state, &plain, &options), *none = build(*state, &plain, &(SpecOptions) { .pids_limit = -1 });

        assert_int_equal(json_integer_value(at(spec, "linux.resources.memory.limit")), 1 << 26);
        assert_int_equal(json_integer_value(at(spec, "linux.resources.memory.swap")), -1);
        assert_int_equal(json_integer_value(at(spec, "linux.resources.cpu.quota")), 150000);
        assert_int_equal(json_integer_value(at(spec, "linux.resources.cpu.period")), 100000);
        assert_int_equal(json_integer_value(at(spec, "linux.resources.pids.limit")), 7);
        assert_string_equal(json_string_value(at(spec, "linux.cgroupsPath")), "/x");
        assert_int_equal(json_array_size(at(spec, "process.rlimits")), 1);
        assert_true(json_is_true(at(spec, "root.readonly")));
        assert_null(at(none, "linux.resources.memory"));
        assert_null(at(none, "linux.resources.pids"));
        assert_null(at(none, "linux.cgroupsPath"));

        refused(*state, &plain, &(SpecOptions) { .memory_swap = 5 }, ERROR_INVALID_ARGUMENT, "--memory-swap without --memory");
        refused(*state, &plain, &(SpecOptions) { .memory = 2, .memory_swap = 1 }, ERROR_INVALID_ARGUMENT,
                "--memory-swap 1 is less than --memory 2, which it includes");
        refused(*state, &plain, &(SpecOptions) { .nano_cpus = 9999999 }, ERROR_INVALID_ARGUMENT,
                "--cpus is less than 0.01, the least the kernel can give");
}

static void a_host_name_fits_the_kernel(void **state) {
        char name[HOST_NAME_MAX + 2];
        Error err = ERROR_INIT;
        json_t *spec;

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(spec_build(&plain, &(SpecOptions) { .hostname = name }, ((Scratch *) *state)->fd, "r", &spec, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        json_decref(build(*state, &plain, &(SpecOptions) { .hostname = name + 1 }));
        refused(*state, &plain, &(SpecOptions) { .hostname = (char *) "" }, ERROR_INVALID_ARGUMENT,
                "--hostname '': a host name has 1 to 64 bytes");
}

static void a_device_brings_its_node_and_its_rule(void **state) {
        static SpecDevice devices[] = { { (char *) "/dev/null", (char *) "/dev/other", (char *) "r" } },
                          wrong = { (char *) "/etc", (char *) "/x", (char *) "r" };
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { .devices = devices, .n_devices = 1 });
        _cleanup_json_ json_t *rule =
                json_pack("{s:b, s:s, s:i, s:i, s:s}", "allow", 1, "type", "c", "major", 1, "minor", 3, "access", "r");
        const json_t *node = json_array_get(at(spec, "linux.devices"), 0);

        assert_string_equal(json_string_value(at(node, "path")), "/dev/other");
        assert_string_equal(json_string_value(at(node, "type")), "c");
        assert_int_equal(json_integer_value(at(node, "major")), 1);
        assert_int_equal(json_integer_value(at(node, "minor")), 3);
        assert_true(json_integer_value(at(node, "fileMode")) <= 0777);
        assert_true(json_equal(json_array_get(at(spec, "linux.resources.devices"), 1), rule));
        refused(*state, &plain, &(SpecOptions) { .devices = &wrong, .n_devices = 1 }, ERROR_INVALID_ARGUMENT,
                "--device '/etc': not a device");
}

static void namespaces_are_its_own(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { 0 });
        _cleanup_json_ json_t *joined_net = build(*state, &plain, &(SpecOptions) { .netns_path = (char *) "/run/netns/x" });
        const json_t *list = at(spec, "linux.namespaces"), *net = NULL;

        assert_int_equal(json_array_size(list), 6);
        for (size_t i = 0; i < json_array_size(list); i++)
                assert_null(at(json_array_get(list, i), "path"));
        for (size_t i = 0; i < json_array_size(at(joined_net, "linux.namespaces")); i++)
                if (!strcmp(json_string_value(at(json_array_get(at(joined_net, "linux.namespaces"), i), "type")), "network"))
                        net = json_array_get(at(joined_net, "linux.namespaces"), i);
        assert_string_equal(json_string_value(at(net, "path")), "/run/netns/x");
        assert_string_equal(json_string_value(json_object_get(at(spec, "linux.sysctl"), "net.ipv4.ping_group_range")), "0 0");
        /* one that is handed in is as bare as a new one */
        assert_non_null(json_object_get(at(joined_net, "linux.sysctl"), "net.ipv4.ping_group_range"));
}

static void the_hosts_network_is_no_namespace_and_not_ours_to_set(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { .host_network = true });
        const json_t *list = at(spec, "linux.namespaces");

        assert_int_equal(json_array_size(list), 5);
        for (size_t i = 0; i < json_array_size(list); i++)
                assert_string_not_equal(json_string_value(at(json_array_get(list, i), "type")), "network");
        assert_null(at(spec, "linux.sysctl"));
}

static void a_user_namespace_that_owns_the_network_is_joined(void **state) {
        const SpecOptions options = {
                .uid_map = (char *) "0:1:1",
                .netns_path = (char *) "/run/netns/x",
                .userns_path = (char *) "/run/userns/x",
        };
        _cleanup_json_ json_t *spec = build(*state, &plain, &options);
        const json_t *list = at(spec, "linux.namespaces"), *last = json_array_get(list, json_array_size(list) - 1);

        assert_string_equal(json_string_value(at(last, "type")), "user");
        assert_string_equal(json_string_value(at(last, "path")), "/run/userns/x");
        assert_int_equal(json_array_size(at(spec, "linux.uidMappings")), 1);
}

static void files_for_etc_give_way_to_the_users_own(void **state) {
        SpecMount own = { .type = (char *) "tmpfs", .destination = (char *) "/etc/hosts" };
        const SpecOptions options = { .etc_path = (char *) "/var/x", .mounts = &own, .n_mounts = 1 };
        _cleanup_json_ json_t *spec = build(*state, &plain, &options);
        const json_t *mount;
        unsigned seen = 0;
        size_t i;

        json_array_foreach(at(spec, "mounts"), i, mount) {
                const char *destination = json_string_value(json_object_get(mount, "destination"));

                if (strncmp(destination, "/etc/", 5))
                        continue;
                seen++;
                if (!strcmp(destination, "/etc/hosts"))
                        assert_string_equal(json_string_value(json_object_get(mount, "type")), "tmpfs");
                else
                        assert_int_equal(strncmp(json_string_value(json_object_get(mount, "source")), "/var/x/", 7), 0);
        }
        assert_int_equal(seen, 3);
}

static void a_user_namespace_has_mappings(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { .uid_map = (char *) "0:100000:10,10:5:1" });
        _cleanup_json_ json_t *wanted = json_pack("[{s:i, s:i, s:i}, {s:i, s:i, s:i}]", "containerID", 0, "hostID", 100000, "size", 10,
                                                  "containerID", 10, "hostID", 5, "size", 1);

        assert_true(json_equal(at(spec, "linux.uidMappings"), wanted));
        assert_true(json_equal(at(spec, "linux.gidMappings"), wanted));
        assert_int_equal(json_array_size(at(spec, "linux.namespaces")), 7);
        for (const char *const *map =
                     (const char *const[]) { "", "0", "0:1", "0:1:2:3", "0:1:2,", "a:1:2", "-1:1:2", "0:1:99999999999", "0:1: 2", NULL };
             *map; map++) {
                const SpecOptions options = { .uid_map = (char *) *map };
                json_t *none;
                Error err = ERROR_INIT;

                assert_int_equal(spec_build(&plain, &options, ((Scratch *) *state)->fd, "r", &none, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        }
        refused(*state, &plain, &(SpecOptions) { .uid_map = (char *) "0:1:2", .userns = (char *) "host" }, ERROR_INVALID_ARGUMENT,
                "--uidmap and --gidmap map into a user namespace, and --userns host asks for none");
}

static void the_lowest_version_is_stated(void **state) {
        _cleanup_json_ json_t *spec = build(*state, &plain, &(SpecOptions) { 0 });
        _cleanup_json_ json_t *loose = build(*state, &plain, &(SpecOptions) { .security_opt = LIST("seccomp=unconfined") });

        /* 1.1 brought seccomp's defaultErrnoRet */
        assert_string_equal(json_string_value(at(spec, "ociVersion")), "1.1.0");
        assert_string_equal(json_string_value(at(loose, "ociVersion")), "1.0.2");
}

/* Equal to `runc spec` but for the two places that spec-default.c names. */
static void the_default_is_runcs(void **state) {
        const Scratch *dir = *state;
        _cleanup_json_ json_t *ours = NULL, *theirs = NULL;
        char command[256];

        snprintf(command, sizeof(command), "runc spec --bundle %s", dir->path);
        if (system(command) != 0)
                skip();
        assert_int_equal(spec_default(&ours, NULL), 0);
        assert_int_equal(spec_check(ours, NULL), 0);
        assert_int_equal(json_load_at(dir->fd, "config.json", RUNTIME_SPEC_SIZE_MAX, &theirs, NULL), 0);
        json_object_set_new(theirs, "hostname", json_string("proxmox-lxcri"));
        json_object_set_new(theirs, "ociVersion", json_string("1.0.2"));
        assert_true(json_equal(ours, theirs));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(args_are_entrypoint_and_command),
                scratch_test(the_environment_is_the_images_then_what_lacks_then_the_users),
                scratch_test(a_terminal_has_a_size_when_it_is_known),
                scratch_test(text_that_is_not_utf8_is_named),
                scratch_test(the_working_directory_is_absolute),
                scratch_test(the_user_is_looked_up_in_the_root),
                scratch_test(labels_become_annotations_but_never_steer_the_runtime),
                scratch_test(capabilities_are_podmans),
                scratch_test(a_capability_that_cannot_be_granted_is_refused),
                scratch_test(a_plain_container_is_confined),
                scratch_test(a_privileged_container_is_not),
                scratch_test(security_options_change_the_confinement),
                scratch_test(mounts_come_outer_first_and_replace_ours),
                scratch_test(limits_reach_the_cgroup),
                scratch_test(a_host_name_fits_the_kernel),
                scratch_test(a_device_brings_its_node_and_its_rule),
                scratch_test(namespaces_are_its_own),
                scratch_test(the_hosts_network_is_no_namespace_and_not_ours_to_set),
                scratch_test(a_user_namespace_that_owns_the_network_is_joined),
                scratch_test(files_for_etc_give_way_to_the_users_own),
                scratch_test(a_user_namespace_has_mappings),
                scratch_test(the_lowest_version_is_stated),
                scratch_test(the_default_is_runcs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
