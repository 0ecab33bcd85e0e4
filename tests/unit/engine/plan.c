/* From a configuration to the init's plan: what becomes of mounts, devices and settings, and what is refused before anything is made. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/plan.h"

/* JSON with ' in place of ", and @part in place of its "%s". */
static json_t *parse(const char *whole, const char *part) {
        const char *place = strstr(whole, "%s");
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;
        json_t *json;

        assert_true(asprintf(&text, "%.*s%s%s", (int) (place - whole), whole, part, place + 2) >= 0);
        for (char *c = text; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        if (json_parse(text, strlen(text), "test", &json, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        return json;
}

static void (*warner)(void *userdata, const char *text);
static void *warner_data;

static int plan(Builder *b, const json_t *spec, Error *err) {
        static char *none[] = { NULL };
        const EngineContainer container = {
                .id = "c",
                .bundle = "/bundle",
                .runtime_dir = "/none",
                .warn = warner,
                .warn_data = warner_data,
        };
        const EngineCreate request = {};
        const Cgroup cgroup = { .directories = none, .controllers = none, .v2_fd = -EBADF };
        const PlanSource source = { .container = &container, .request = &request, .spec = spec, .cgroup = &cgroup };

        assert_int_equal(builder_init(b, PLAN_CREATE, err), 0);
        return plan_create(b, &source, err);
}

/* A configuration with these members beside those that it must have; its `linux` is @linux_part's. */
#define WHOLE                                                                                                                      \
        "{'ociVersion': '1.0.0', 'root': {'path': 'rootfs'}, 'process': {'args': ['a'], 'cwd': '/'}, 'linux': {'namespaces': "     \
        "[{'type': 'mount'}]}, %s}"
#define OF_LINUX                                                                                                                   \
        "{'ociVersion': '1.0.0', 'root': {'path': 'rootfs'}, 'process': {'args': ['a'], 'cwd': '/'}, 'linux': {'namespaces': "     \
        "[{'type': 'mount'}, {'type': 'network'}, {'type': 'ipc'}], %s}}"
#define OF_PROCESS                                                                                                                 \
        "{'ociVersion': '1.0.0', 'root': {'path': 'rootfs'}, 'linux': {'namespaces': [{'type': 'mount'}]}, "                       \
        "'process': {'args': ['a'], 'cwd': '/', %s}}"

static void test_refused(void **state) {
        static const struct {
                const char *format, *part;
                ErrorKind kind;
                const char *place;
        } cases[] = {
                { WHOLE, "'linux': {'namespaces': [{'type': 'user'}]}", ERROR_NOT_SUPPORTED, "linux.namespaces" },
                { WHOLE, "'linux': {'namespaces': [], 'rootfsPropagation': 'unbindable'}", ERROR_NOT_SUPPORTED, "rootfsPropagation" },
                { WHOLE, "'linux': {}, 'mounts': [{'destination': '/x', 'type': 'tmpfs', 'options': ['shared']}]", ERROR_NOT_SUPPORTED,
                  "mounts[0].options" },
                { OF_LINUX, "'intelRdt': {}", ERROR_NOT_SUPPORTED, "linux.intelRdt" },
                { OF_LINUX, "'personality': {'domain': 'LINUX', 'flags': ['X']}", ERROR_NOT_SUPPORTED, "linux.personality.flags" },
                { OF_LINUX, "'sysctl': {'kernel.hostname': 'x'}", ERROR_INVALID_SPEC, "without a uts namespace" },
                { OF_LINUX, "'sysctl': {'kernel.core_pattern': '|/evil'}", ERROR_INVALID_SPEC, "of the whole host" },
                { OF_LINUX, "'sysctl': {'kernel/shmmax/../core_pattern': '|/evil'}", ERROR_INVALID_SPEC, "of the whole host" },
                { OF_LINUX, "'sysctl': {'netx.y': '1'}", ERROR_INVALID_SPEC, "of the whole host" },
                { OF_LINUX, "'memoryPolicy': {'mode': 'MPOL_BIND', 'nodes': '0-9999'}", ERROR_INVALID_SPEC, "linux.memoryPolicy.nodes" },
                { OF_LINUX, "'memoryPolicy': {'mode': 'MPOL_BIND', 'nodes': '3-1'}", ERROR_INVALID_SPEC, "linux.memoryPolicy.nodes" },
                { OF_LINUX, "'memoryPolicy': {'mode': 'MPOL_BIND', 'nodes': '-1'}", ERROR_INVALID_SPEC, "linux.memoryPolicy.nodes" },
                { WHOLE, "'mounts': [{'destination': '/', 'type': 'tmpfs'}]", ERROR_NOT_SUPPORTED, "mounts[0].destination" },
                { WHOLE, "'mounts': [{'destination': '/x'}]", ERROR_INVALID_SPEC, "mounts[0].type" },
                { WHOLE, "'mounts': [{'destination': '/x', 'type': 'bind'}]", ERROR_INVALID_SPEC, "mounts[0].source" },
                { WHOLE, "'mounts': [{'destination': '/x', 'type': 'cgroup', 'options': ['name=none-such']}]", ERROR_NOT_SUPPORTED,
                  "'name=none-such'" },
                { WHOLE, "'mounts': [{'destination': '/x', 'type': 'tmpfs', 'options': ['remount']}]", ERROR_NOT_SUPPORTED, "'remount'" },
                { WHOLE, "'mounts': [{'destination': '/x', 'type': 'proc', 'options': ['tmpcopyup']}]", ERROR_NOT_SUPPORTED, "tmpcopyup" },
                { WHOLE, "'mounts': [{'destination': '/x', 'type': 'tmpfs', 'options': ['idmap']}]", ERROR_NOT_SUPPORTED, "'idmap'" },
        };
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *spec = NULL;
                _cleanup_builder_ Builder b = {};
                Error err = ERROR_INIT;

                /* the later of two members counts, where a case replaces one */
                if (strstr(cases[i].part, "'linux'")) {
                        _cleanup_json_ json_t *other = parse("{%s}", cases[i].part);

                        spec = parse(WHOLE, "'mounts': []");
                        json_object_update(spec, other);
                } else
                        spec = parse(cases[i].format, cases[i].part);
                if (plan(&b, spec, &err) == 0)
                        fail_msg("%s: not refused", cases[i].part);
                if (err.kind != cases[i].kind || !strstr(err.text, cases[i].place))
                        fail_msg("%s: %s: %s", cases[i].part, error_kind_name(err.kind), err.text);
        }
}

/* What there is too much of is refused, at one more than what is taken. */
static void test_limits(void **state) {
        (void) state;
        for (unsigned n = 256; n <= 257; n++) {
                _cleanup_json_ json_t *spec = parse(WHOLE, "'hooks': {'createContainer': []}");
                json_t *list = json_object_get(json_object_get(spec, "hooks"), "createContainer");
                _cleanup_builder_ Builder b = {};
                Error err = ERROR_INIT;

                for (unsigned i = 0; i < n; i++)
                        json_array_append_new(list, json_pack("{s:s}", "path", "/hook"));
                assert_int_equal(plan(&b, spec, &err), n == 256 ? 0 : -1);
                assert_int_equal(err.kind, n == 256 ? ERROR_NONE : ERROR_NOT_SUPPORTED);
        }
        for (unsigned n = 64; n <= 65; n++) {
                _cleanup_json_ json_t *spec = parse(WHOLE, "'mounts': [{'destination': '/x', 'type': 'tmpfs', 'options': []}]");
                json_t *list = json_object_get(json_array_get(json_object_get(spec, "mounts"), 0), "options");
                _cleanup_builder_ Builder b = {};
                Error err = ERROR_INIT;

                for (unsigned i = 0; i < n; i++)
                        json_array_append_new(list, json_sprintf("o%u", i));
                assert_int_equal(plan(&b, spec, &err), n == 64 ? 0 : -1);
        }
}

static const PlanMount *only_mount(Builder *b, const char *mount) {
        _cleanup_json_ json_t *spec = parse("{'ociVersion': '1.0.0', 'root': {'path': 'rootfs'}, 'process': {'args': ['a'], 'cwd': '/'}, "
                                            "'linux': {'namespaces': [{'type': 'mount'}]}, 'mounts': [%s]}", mount);
        Error err = ERROR_INIT;

        if (plan(b, spec, &err) < 0)
                fail_msg("%s: %s", mount, err.text);
        assert_int_equal(builder_plan(b)->mounts.n, 1);
        return plan_at(builder_plan(b), builder_plan(b)->mounts.at);
}

static void test_mounts(void **state) {
        (void) state;
        {
                _cleanup_builder_ Builder b = {};
                const PlanMount *m = only_mount(&b, "{'destination': '/x', 'type': 'tmpfs', 'options': "
                                                 "['ro', 'nosuid', 'suid', 'noatime', 'mode=700']}");

                assert_int_equal(m->attr_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME);
                assert_int_equal(m->attr_clear & ~(uint64_t) MOUNT_ATTR__ATIME, MOUNT_ATTR_NOSUID);
                assert_int_equal(m->data.n, 2); /* and "ro": the file system itself */
        }
        {
                _cleanup_builder_ Builder b = {};
                const PlanMount *m = only_mount(&b, "{'destination': '/x', 'source': 'in/bundle', 'options': "
                                                 "['rbind', 'rro', 'nodev', 'rslave', 'unbindable']}");
                const uint64_t *propagation = plan_at(builder_plan(&b), m->propagation.at);

                assert_int_equal(m->kind, PLAN_MOUNT_BIND);
                assert_int_equal(m->flags, PLAN_MOUNT_RECURSIVE);
                assert_int_equal(m->attr_set, MOUNT_ATTR_NODEV);
                assert_int_equal(m->all_set, MOUNT_ATTR_RDONLY);
                assert_int_equal(m->propagation.n, 2);
                assert_int_equal(propagation[0], MS_SLAVE | MS_REC);
                assert_int_equal(propagation[1], MS_UNBINDABLE);
                assert_string_equal(plan_string(builder_plan(&b), m->source), "/bundle/in/bundle");
        }
}

typedef struct Warnings {
        unsigned n;
        char last[ERROR_TEXT_MAX];
} Warnings;

static void note_warning(void *userdata, const char *text) {
        Warnings *warnings = userdata;

        warnings->n++;
        snprintf(warnings->last, sizeof(warnings->last), "%s", text);
}

/* mount(2) takes no options of a file system with a bind mount: they are told, and do not get as far as the init. */
static void test_bind_data(void **state) {
        _cleanup_json_ json_t *spec = parse(WHOLE, "'mounts': [{'destination': '/x', 'source': '/y', 'options': "
                                            "['mode=755', 'bind', 'nodev', 'size=1']}]");
        _cleanup_builder_ Builder b = {};
        Warnings warnings = {};
        const PlanMount *m;
        (void) state;

        warner = note_warning;
        warner_data = &warnings;
        assert_int_equal(plan(&b, spec, NULL), 0);
        warner = NULL;
        m = plan_at(builder_plan(&b), builder_plan(&b)->mounts.at);
        assert_int_equal(m->data.n, 0);
        assert_int_equal(m->attr_set, MOUNT_ATTR_NODEV);
        assert_int_equal(warnings.n, 2);
        assert_string_equal(warnings.last, "config.json: mounts[0].options: 'size=1' has no effect on a bind mount");
}

static void test_without_mount_namespace(void **state) {
        _cleanup_json_ json_t *spec = parse(WHOLE, "'mounts': [{'destination': '/x', 'type': 'tmpfs', 'options': ['rprivate']}]");
        _cleanup_builder_ Builder with = {}, without = {};
        (void) state;

        assert_int_equal(plan(&with, spec, NULL), 0);
        assert_false(builder_plan(&with)->flags & PLAN_DETACHED_ROOT);
        json_array_clear(json_object_get(json_object_get(spec, "linux"), "namespaces"));
        assert_int_equal(plan(&without, spec, NULL), 0);
        assert_true(builder_plan(&without)->flags & PLAN_DETACHED_ROOT);
}

static void test_without_process(void **state) {
        _cleanup_json_ json_t *spec = parse(WHOLE, "'mounts': []");
        _cleanup_builder_ Builder b = {};
        (void) state;

        json_object_del(spec, "process");
        assert_int_equal(plan(&b, spec, NULL), 0);
        assert_int_equal(builder_plan(&b)->process.args.n, 0);
}

static void test_sysctl_names(void **state) {
        static const struct {
                const char *part, *path;
        } cases[] = {
                { "'sysctl': {'net.ipv4.ip_forward': '1'}", "sys/net/ipv4/ip_forward" },
                { "'sysctl': {'net/ipv4/ip_forward': '1'}", "sys/net/ipv4/ip_forward" },
                { "'sysctl': {'net.ipv4.conf.eth0/1.forwarding': '1'}", "sys/net/ipv4/conf/eth0.1/forwarding" },
                { "'sysctl': {'net/ipv4/conf/eth0.1/forwarding': '1'}", "sys/net/ipv4/conf/eth0.1/forwarding" },
        };
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *spec = parse(OF_LINUX, cases[i].part);
                _cleanup_builder_ Builder b = {};
                const PlanSetting *setting;

                assert_int_equal(plan(&b, spec, NULL), 0);
                setting = plan_at(builder_plan(&b), builder_plan(&b)->sysctl.at);
                assert_string_equal(plan_string(builder_plan(&b), setting->path), cases[i].path);
        }
}

static void test_devices(void **state) {
        _cleanup_json_ json_t *spec = parse(OF_LINUX, "'devices': [{'path': '/dev/null', 'type': 'c', 'major': 1, 'minor': 3, "
                                             "'fileMode': 384, 'uid': 7}]");
        _cleanup_builder_ Builder b = {};
        const PlanDevice *devices;
        unsigned nulls = 0;
        (void) state;

        assert_int_equal(plan(&b, spec, NULL), 0);
        devices = plan_at(builder_plan(&b), builder_plan(&b)->devices.at);
        assert_int_equal(builder_plan(&b)->devices.n, 6);
        for (size_t i = 0; i < 6; i++)
                if (!strcmp(plan_string(builder_plan(&b), devices[i].path), "/dev/null")) {
                        /* the configuration's in place of the default one */
                        assert_int_equal(devices[i].mode, S_IFCHR | 0600);
                        assert_int_equal(devices[i].uid, 7);
                        nulls++;
                }
        assert_int_equal(nulls, 1);
        assert_true(builder_plan(&b)->flags & PLAN_SET_UP_DEV);
}

static void test_process(void **state) {
        _cleanup_json_ json_t *spec = parse(OF_PROCESS, "'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 5, "
                                               "'hard': 18446744073709551615.0}], "
                                               "'capabilities': {'bounding': ['CAP_CHOWN', 'CAP_OF_THE_FUTURE']}, 'env': ['HOME=/x']");
        _cleanup_builder_ Builder b = {};
        const PlanRlimit *limit;
        (void) state;

        assert_int_equal(plan(&b, spec, NULL), 0);
        limit = plan_at(builder_plan(&b), builder_plan(&b)->process.rlimits.at);
        assert_true(limit->soft == 5 && limit->hard == UINT64_MAX);
        assert_int_equal(builder_plan(&b)->process.capabilities.bounding, 1);
        assert_false(builder_plan(&b)->process.flags & PLAN_HOME);
        assert_int_equal(builder_plan(&b)->process.umask, 0022);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),      cmocka_unit_test(test_limits),  cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_sysctl_names), cmocka_unit_test(test_devices), cmocka_unit_test(test_process),
                cmocka_unit_test(test_bind_data),    cmocka_unit_test(test_without_mount_namespace),
                cmocka_unit_test(test_without_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
