#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

/* What every case starts from: the least that is legal, and a user namespace so that mappings are. */
static const char base[] =
        "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]},"
        "\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"uts\"},{\"type\":\"time\"},{\"type\":\"network\"}]}}";

/* Sets the value at a path such as "linux.resources.memory.limit" or "process.args[0]", making what is missing. */
static void put(json_t *object, const char *path, json_t *value) {
        char key[64];
        size_t len = strcspn(path, ".");
        char *bracket;

        assert_true(len < sizeof(key));
        memcpy(key, path, len);
        key[len] = '\0';
        bracket = strchr(key, '[');
        if (bracket) {
                json_t *array;

                *bracket = '\0';
                array = json_object_get(object, key);
                if (!array) {
                        array = json_array();
                        assert_int_equal(json_object_set_new(object, key, array), 0);
                }
                if (path[len]) {
                        assert_int_equal(json_array_append_new(array, json_object()), 0);
                        put(json_array_get(array, json_array_size(array) - 1), path + len + 1, value);
                } else
                        assert_int_equal(json_array_append_new(array, value), 0);
        } else if (path[len]) {
                if (!json_object_get(object, key))
                        assert_int_equal(json_object_set_new(object, key, json_object()), 0);
                put(json_object_get(object, key), path + len + 1, value);
        } else
                assert_int_equal(json_object_set_new(object, key, value), 0);
}

static json_t *config_with(const char *path, const char *value) {
        json_t *config = json_loads(base, 0, NULL);
        json_t *part = json_loads(value, JSON_DECODE_ANY, NULL);

        assert_non_null(config);
        if (!part)
                fail_msg("the case's value is not JSON: %s", value);
        put(config, path, part);
        return config;
}

static void refused(const char *path, const char *value, const char *text) {
        _cleanup_json_ json_t *config = config_with(path, value);
        Error err = ERROR_INIT;
        char wanted[512];

        snprintf(wanted, sizeof(wanted), "config.json: %s", text);
        if (spec_check(config, &err) == 0)
                fail_msg("%s = %s was accepted", path, value);
        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        assert_string_equal(err.text, wanted);
}

static void accepted(const char *path, const char *value) {
        _cleanup_json_ json_t *config = config_with(path, value);
        Error err = ERROR_INIT;

        if (spec_check(config, &err) < 0)
                fail_msg("%s = %s: %s", path, value, err.text);
}

typedef struct Case {
        const char *path, *value, *text;
} Case;

static void a_wrong_value_is_named_by_its_path(void **state) {
        static const Case cases[] = {
                { "ociVersion", "null", "ociVersion: missing" },
                { "ociVersion", "1", "ociVersion: not a string" },
                { "ociVersion", "\"1.0\"", "ociVersion: '1.0' is not a version such as '1.0.2'" },
                { "ociVersion", "\"1.0.02\"", "ociVersion: '1.0.02' is not a version such as '1.0.2'" },
                { "ociVersion", "\"1.0.2-\"", "ociVersion: '1.0.2-' is not a version such as '1.0.2'" },
                { "ociVersion", "\"2.0.0\"", "ociVersion: '2.0.0' is another major version than 1" },
                { "root", "null", "root: missing" },
                { "root", "\"rootfs\"", "root: not an object" },
                { "root.path", "null", "root.path: missing" },
                { "root.path", "\"\"", "root.path: empty" },
                { "root.readonly", "1", "root.readonly: not true or false" },
                { "process.args", "null", "process.args: missing" },
                { "process.args", "[]", "process.args: empty" },
                { "process.args", "[\"a\", 1]", "process.args[1]: not a string" },
                { "process.cwd", "null", "process.cwd: missing" },
                { "process.cwd", "\"tmp\"", "process.cwd: 'tmp' is not an absolute path" },
                { "process.env[]", "{}", "process.env[0]: not a string" },
                { "process.terminal", "\"yes\"", "process.terminal: not true or false" },
                { "process.user.uid", "-1", "process.user.uid: -1 is not between 0 and 4294967295" },
                { "process.user.gid", "4294967296", "process.user.gid: 4294967296 is not between 0 and 4294967295" },
                { "process.user.uid", "\"root\"", "process.user.uid: not an integer" },
                { "process.user.uid", "1.0", "process.user.uid: not an integer" },
                { "process.user.additionalGids[]", "-5", "process.user.additionalGids[0]: -5 is not between 0 and 4294967295" },
                { "process.consoleSize.height", "3", "process.consoleSize.width: missing" },
                { "process.rlimits[]", "{\"type\":\"RLIMIT_FOO\",\"soft\":1,\"hard\":1}",
                  "process.rlimits[0].type: 'RLIMIT_FOO' is none of RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, "
                  "RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, "
                  "RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK" },
                { "process.rlimits[]", "{\"type\":\"RLIMIT_CPU\",\"soft\":1}", "process.rlimits[0].hard: missing" },
                { "process.rlimits[]", "{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}", "process.rlimits[0]: soft is above hard" },
                { "process.rlimits", "[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]",
                  "process.rlimits: RLIMIT_CPU is there twice" },
                { "process.capabilities.bounding", "\"CAP_CHOWN\"", "process.capabilities.bounding: not an array" },
                { "process.oomScoreAdj", "1001", "process.oomScoreAdj: 1001 is not between -1000 and 1000" },
                { "process.ioPriority.priority", "0", "process.ioPriority.class: missing" },
                { "process.ioPriority", "{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
                  "process.ioPriority.priority: 8 is not between 0 and 7" },
                { "process.scheduler.nice", "1", "process.scheduler.policy: missing" },
                { "process.scheduler", "{\"policy\":\"SCHED_OTHER\",\"priority\":1}",
                  "process.scheduler: priority is for SCHED_FIFO and SCHED_RR only" },
                { "process.scheduler", "{\"policy\":\"SCHED_OTHER\",\"nice\":20}", "process.scheduler.nice: 20 is not between -20 and 19" },
                { "process.execCPUAffinity.initial", "\"a\"",
                  "process.execCPUAffinity.initial: 'a' is not a list of CPUs such as '0-3,7'" },
                { "hostname", "5", "hostname: not a string" },
                { "annotations", "{\"a\":1}", "annotations['a']: not a string" },
                { "annotations", "{\"\":\"x\"}", "annotations: an empty key" },
                { "mounts", "{}", "mounts: not an array" },
                { "mounts[].type", "\"proc\"", "mounts[0].destination: missing" },
                { "mounts[]", "{\"destination\":\"/a\",\"options\":[1]}", "mounts[0].options[0]: not a string" },
                { "mounts[]", "{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}",
                  "mounts[0]: uidMappings without gidMappings" },
                { "hooks.prestart[].path", "\"bin/true\"", "hooks.prestart[0].path: 'bin/true' is not an absolute path" },
                { "hooks.createRuntime[].args", "[]", "hooks.createRuntime[0].path: missing" },
                { "hooks.createContainer", "{}", "hooks.createContainer: not an array" },
                { "hooks.startContainer[].path", "1", "hooks.startContainer[0].path: not a string" },
                { "hooks.poststart[]", "{\"path\":\"/x\",\"timeout\":0}", "hooks.poststart[0].timeout: 0 is not between 1 and 2147483647" },
                { "hooks.poststop[]", "{\"path\":\"/x\",\"env\":\"A=1\"}", "hooks.poststop[0].env: not an array" },
                { "linux.namespaces[].type", "\"net\"",
                  "linux.namespaces[4].type: 'net' is none of pid, network, mount, ipc, uts, user, cgroup, time" },
                { "linux.namespaces[].type", "\"user\"", "linux.namespaces: 'user' is there twice" },
                { "linux.namespaces[]", "{\"type\":\"pid\",\"path\":\"proc\"}",
                  "linux.namespaces[4].path: 'proc' is not an absolute path" },
                { "linux.uidMappings[]", "{\"containerID\":0,\"hostID\":0}", "linux.uidMappings[0].size: missing" },
                { "linux.uidMappings[]", "{\"containerID\":0,\"hostID\":0,\"size\":0}",
                  "linux.uidMappings[0].size: 0 is not between 1 and 4294967295" },
                { "linux.gidMappings[]", "{\"containerID\":1,\"hostID\":4294967295,\"size\":2}",
                  "linux.gidMappings[0]: the range passes the highest id, 4294967295" },
                { "linux.timeOffsets.monotonic.nanosecs", "1000000000",
                  "linux.timeOffsets.monotonic.nanosecs: 1000000000 is not between 0 and 999999999" },
                { "linux.devices[].path", "\"/dev/x\"", "linux.devices[0].type: missing" },
                { "linux.devices[]", "{\"type\":\"x\",\"path\":\"/dev/x\"}", "linux.devices[0].type: 'x' is none of c, b, u, p" },
                { "linux.devices[]", "{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1}", "linux.devices[0].minor: missing" },
                { "linux.devices[]", "{\"type\":\"p\",\"path\":\"x\"}", "linux.devices[0].path: 'x' is not an absolute path" },
                { "linux.netDevices", "{\"eth/0\":{}}", "linux.netDevices: 'eth/0' is not an interface name" },
                { "linux.netDevices", "{\"eth0\":{\"name\":\"a b\"}}", "linux.netDevices['eth0'].name: 'a b' is not an interface name" },
                { "linux.cgroupsPath", "1", "linux.cgroupsPath: not a string" },
                { "linux.resources.memory.limit", "\"1G\"", "linux.resources.memory.limit: not an integer" },
                { "linux.resources.memory.limit", "1.5", "linux.resources.memory.limit: not an integer" },
                { "linux.resources.memory.swappiness", "-1",
                  "linux.resources.memory.swappiness: -1 is not between 0 and 18446744073709551615" },
                { "linux.resources.cpu.quota", "true", "linux.resources.cpu.quota: not an integer" },
                { "linux.resources.cpu.cpus", "0", "linux.resources.cpu.cpus: not a string" },
                { "linux.resources.pids.limit", "\"max\"", "linux.resources.pids.limit: not an integer" },
                { "linux.resources.blockIO.weight", "65536", "linux.resources.blockIO.weight: 65536 is not between 0 and 65535" },
                { "linux.resources.blockIO.weightDevice[]", "{\"major\":1,\"minor\":1}",
                  "linux.resources.blockIO.weightDevice[0]: neither weight nor leafWeight" },
                { "linux.resources.blockIO.throttleReadBpsDevice[]", "{\"major\":1,\"minor\":1}",
                  "linux.resources.blockIO.throttleReadBpsDevice[0].rate: missing" },
                { "linux.resources.hugepageLimits[]", "{\"pageSize\":\"2M\",\"limit\":1}",
                  "linux.resources.hugepageLimits[0].pageSize: '2M' is not a page size such as '2MB'" },
                { "linux.resources.hugepageLimits[]", "{\"pageSize\":\"2MB\"}", "linux.resources.hugepageLimits[0].limit: missing" },
                { "linux.resources.network.classID", "-1", "linux.resources.network.classID: -1 is not between 0 and 4294967295" },
                { "linux.resources.network.priorities[].name", "\"eth0\"", "linux.resources.network.priorities[0].priority: missing" },
                { "linux.resources.rdma", "{\"mlx5_1\":{}}", "linux.resources.rdma['mlx5_1']: neither hcaHandles nor hcaObjects" },
                { "linux.resources.unified", "{\"../x\":\"1\"}", "linux.resources.unified: '../x' is not the name of a cgroup file" },
                { "linux.resources.unified", "{\"memory.max\":1}", "linux.resources.unified['memory.max']: not a string" },
                { "linux.resources.devices[].access", "\"rwm\"", "linux.resources.devices[0].allow: missing" },
                { "linux.resources.devices[]", "{\"allow\":true,\"type\":\"u\"}",
                  "linux.resources.devices[0].type: 'u' is none of a, c, b" },
                { "linux.resources.devices[]", "{\"allow\":true,\"access\":\"x\"}",
                  "linux.resources.devices[0].access: 'x' has other letters than r, w and m" },
                { "linux.rootfsPropagation", "\"none\"",
                  "linux.rootfsPropagation: 'none' is none of private, shared, slave, unbindable, rprivate, rshared, rslave, runbindable" },
                { "linux.seccomp", "{}", "linux.seccomp.defaultAction: missing" },
                { "linux.seccomp", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}",
                  "linux.seccomp.syscalls[0].names: empty" },
                { "linux.seccomp", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"LOG\"}]}",
                  "linux.seccomp.syscalls[0].action: 'LOG' is none of SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, "
                  "SCMP_ACT_TRAP, "
                  "SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY" },
                { "linux.seccomp",
                  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\","
                  "\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}",
                  "linux.seccomp.syscalls[0].args[0].index: 6 is not between 0 and 5" },
                { "linux.seccomp", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"}",
                  "linux.seccomp: listenerMetadata without listenerPath" },
                { "linux.maskedPaths[]", "\"proc/kcore\"", "linux.maskedPaths[0]: 'proc/kcore' is not an absolute path" },
                { "linux.readonlyPaths", "\"/proc\"", "linux.readonlyPaths: not an array" },
                { "linux.sysctl", "{\"kernel.shmmax\":1}", "linux.sysctl['kernel.shmmax']: not a string" },
                { "linux.intelRdt.memBwSchema", "\"L3:\"", "linux.intelRdt.memBwSchema: 'L3:' does not start with 'MB:'" },
                { "linux.intelRdt.schemata[]", "\"a\\nb\"", "linux.intelRdt.schemata[0]: holds a newline" },
                { "linux.memoryPolicy.nodes", "\"0\"", "linux.memoryPolicy.mode: missing" },
                { "linux.personality.domain", "\"BSD\"", "linux.personality.domain: 'BSD' is none of LINUX, LINUX32" },
                { "vm.kernel.path", "\"vmlinux\"", "vm.kernel.path: 'vmlinux' is not an absolute path" },
                { "vm.image.path", "\"/x\"", "vm.kernel: missing" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refused(cases[i].path, cases[i].value, cases[i].text);
}

static void settings_of_a_namespace_need_the_namespace(void **state) {
        static const Case cases[] = {
                { "linux.uidMappings[]", "{\"containerID\":0,\"hostID\":0,\"size\":1}",
                  "config.json: linux.uidMappings: the container has no user namespace of its own" },
                { "linux.timeOffsets.boottime.secs", "1",
                  "config.json: linux.timeOffsets: the container has no time namespace of its own" },
                { "linux.netDevices.eth0", "{}", "config.json: linux.netDevices: the container has no network namespace of its own" },
                { "hostname", "\"x\"", "config.json: hostname: the container has no uts namespace of its own" },
                { "domainname", "\"x\"", "config.json: domainname: the container has no uts namespace of its own" },
                { "mounts[]", "{\"destination\":\"/a\",\"options\":[\"idmap\"]}",
                  "config.json: mounts[0]: idmap without uidMappings and without a user namespace" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *config = config_with(cases[i].path, cases[i].value);
                Error err = ERROR_INIT;

                assert_int_equal(spec_check(config, &err), 0);
                json_object_del(json_object_get(config, "linux"), "namespaces");
                assert_int_equal(spec_check(config, &err), -1);
                assert_string_equal(err.text, cases[i].text);
        }
}

static void what_the_runtimes_take_is_accepted(void **state) {
        static const char *const cases[][2] = {
                { "ociVersion", "\"1.0.2-dev\"" },
                { "ociVersion", "\"1.1.0+dev.x-1\"" },
                { "ociVersion", "\"1.3.0-rc.1+build\"" },
                { "process", "null" },
                { "process.env", "null" },
                { "process.args", "[\"\"]" },
                { "process.capabilities.bounding[]", "\"CAP_FROM_THE_FUTURE\"" },
                { "mounts[].destination", "\"relative\"" },
                { "linux.seccomp", "null" },
                { "linux.seccomp", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":null,\"syscalls\":[]}" },
                { "linux.devices[]", "{\"type\":\"p\",\"path\":\"/dev/x\",\"fileMode\":8576}" },
                { "linux.resources.devices[]", "{\"allow\":false,\"type\":\"\",\"access\":\"\"}" },
                { "linux.resources.blockIO", "{\"weight\":0}" },
                { "linux.resources.pids", "{}" },
                { "linux.rootfsPropagation", "\"rslave\"" },
                { "linux.namespaces[]", "{\"type\":\"ipc\",\"path\":\"\"}" },
                { "windows", "17" },
                { "unknown", "{\"a\":[1]}" },
                { "linux.unknown", "17" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                accepted(cases[i][0], cases[i][1]);
}

static void something_else_than_an_object_is_refused(void **state) {
        _cleanup_json_ json_t *array = json_array();
        Error err = ERROR_INIT;

        assert_int_equal(spec_check(array, &err), -1);
        assert_string_equal(err.text, "config.json: not an object");
}

static void a_very_long_key_does_not_break_the_message(void **state) {
        _cleanup_json_ json_t *config = json_loads(base, 0, NULL), *map = json_object();
        char key[5000];
        Error err = ERROR_INIT;

        memset(key, 'k', sizeof(key) - 1);
        key[sizeof(key) - 1] = '\0';
        json_object_set_new(map, key, json_integer(1));
        json_object_set(config, "annotations", map);
        assert_int_equal(spec_check(config, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        assert_int_equal(strncmp(err.text, "config.json: annotations['kkk", 29), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_wrong_value_is_named_by_its_path),
                cmocka_unit_test(settings_of_a_namespace_need_the_namespace),
                cmocka_unit_test(what_the_runtimes_take_is_accepted),
                cmocka_unit_test(something_else_than_an_object_is_refused),
                cmocka_unit_test(a_very_long_key_does_not_break_the_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
