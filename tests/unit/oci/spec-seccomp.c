#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "base/json.h"
#include "oci/spec-parts.h"
#include "oci/spec-schema.h"

#define PODMAN_PROFILE "/usr/share/containers/seccomp.json"

#define BIT(number) ((uint64_t) 1 << (number))

static const uint64_t capability_sets[] = {
        0,
        BIT(CAP_SYS_CHROOT) | BIT(CAP_CHOWN),
        BIT(CAP_AUDIT_WRITE),
        BIT(CAP_SYS_ADMIN),
        BIT(CAP_BPF),
        BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_TIME),
        BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_PACCT) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_TTY_CONFIG),
        UINT64_MAX,
};

static const char *const arch_names[] = { "amd64", "arm64", "arm", "x86", "ppc64le", "s390x", "mips64", "mipsel64", "riscv64" };

static int compare_texts(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* A rule's verdict as text: "SCMP_ACT_ERRNO 22 0=16 2=9" */
static void verdict_text(const json_t *rule, char *text, size_t size) {
        const json_t *args = json_object_get(rule, "args");
        size_t len;

        snprintf(text, size, "%s %d", json_string_value(json_object_get(rule, "action")),
                 (int) json_integer_value(json_object_get(rule, "errnoRet")));
        for (size_t i = 0; i < json_array_size(args); i++) {
                const json_t *arg = json_array_get(args, i);

                len = strlen(text);
                snprintf(text + len, size - len, " %d%s%lld", (int) json_integer_value(json_object_get(arg, "index")),
                         json_string_value(json_object_get(arg, "op")), (long long) json_integer_value(json_object_get(arg, "value")));
        }
}

/* Adds the rule's verdict to the sets of its names, each kept as an object's keys: {name: {verdict: true}} */
static void add_verdicts(json_t *table, const json_t *rule) {
        char text[256];
        size_t i;
        json_t *name;

        verdict_text(rule, text, sizeof(text));
        json_array_foreach(json_object_get(rule, "names"), i, name) {
                json_t *verdicts = json_object_get(table, json_string_value(name));

                if (!verdicts) {
                        verdicts = json_object();
                        json_object_set_new(table, json_string_value(name), verdicts);
                }
                json_object_set_new(verdicts, text, json_true());
        }
}

static bool names_one(const json_t *list, const char *name) {
        for (size_t i = 0; i < json_array_size(list); i++)
                if (!strcmp(json_string_value(json_array_get(list, i)), name))
                        return true;
        return false;
}

static unsigned count_held(const json_t *caps, uint64_t set) {
        unsigned n = 0;

        for (size_t i = 0; i < json_array_size(caps); i++)
                n += (set & BIT(capability_find(json_string_value(json_array_get(caps, i))))) != 0;
        return n;
}

/* The test's own reading of podman's file. */
static json_t *verdicts_of_file(const json_t *file, uint64_t set, const char *arch) {
        json_t *table = json_object(), *rule;
        size_t i;

        json_array_foreach(json_object_get(file, "syscalls"), i, rule) {
                const json_t *includes = json_object_get(rule, "includes"), *excludes = json_object_get(rule, "excludes");
                const json_t *wanted = json_object_get(includes, "caps"), *arches = json_object_get(includes, "arches");

                if (count_held(wanted, set) == json_array_size(wanted) && count_held(json_object_get(excludes, "caps"), set) == 0 &&
                    (json_array_size(arches) == 0 || names_one(arches, arch)))
                        add_verdicts(table, rule);
        }
        return table;
}

static json_t *verdicts_of_profile(const json_t *profile) {
        json_t *table = json_object(), *rule;
        size_t i;

        json_array_foreach(json_object_get(profile, "syscalls"), i, rule)
                add_verdicts(table, rule);
        return table;
}

/* Where the files of Debian 12 and 13 differ, ours is the newer one's verdict, */
static const char *const newer_than_debian_12[] = {
        "bpf", "cachestat", "fchmodat2", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "io_pgetevents_time64",
        "map_shadow_stack", "perf_event_open", "quotactl_fd", "riscv_flush_icache", "swapcontext", "syscall", "timerfd",
};

/* but for calls of 32-bit programs, which Debian 13's leaves out; and it has no rule that lets CAP_SYS_ADMIN alone open perf events. */
static const char *const other_than_debian_13[] = { "perf_event_open", "readdir", "sigaction", "sigpending", "sigsuspend" };

static bool may_differ(const json_t *file, const char *name) {
        bool is_newer = false;
        size_t i;
        json_t *rule;

        json_array_foreach(json_object_get(file, "syscalls"), i, rule)
                is_newer |= names_one(json_object_get(rule, "names"), "fchmodat2");
        if (is_newer) {
                for (i = 0; i < ARRAY_SIZE(other_than_debian_13); i++)
                        if (!strcmp(other_than_debian_13[i], name))
                                return true;
                return false;
        }
        for (i = 0; i < ARRAY_SIZE(newer_than_debian_12); i++)
                if (!strcmp(newer_than_debian_12[i], name))
                        return true;
        return false;
}

static void same_verdicts(const json_t *file, const json_t *wanted, const json_t *got, const char *arch, uint64_t set) {
        const char *name;
        json_t *verdicts;

        json_object_foreach((json_t *) wanted, name, verdicts)
                if (!json_equal(verdicts, json_object_get(got, name)) && !may_differ(file, name))
                        fail_msg("%s, capabilities %llx: '%s' is judged otherwise", arch, (unsigned long long) set, name);
        json_object_foreach((json_t *) got, name, verdicts)
                if (!json_object_get(wanted, name) && !may_differ(file, name))
                        fail_msg("%s, capabilities %llx: '%s' is judged by us only", arch, (unsigned long long) set, name);
}

static const json_t *arch_row(const json_t *file, const char *name) {
        size_t i;
        json_t *row;

        json_array_foreach(json_object_get(file, "archMap"), i, row)
                if (!strcmp(json_string_value(json_object_get(row, "architecture")), name))
                        return row;
        return NULL;
}

static void same_architectures(const json_t *file, const json_t *profile, const SeccompArch *arch) {
        const json_t *covers = json_object_get(profile, "architectures"), *row = arch->covers ? arch_row(file, arch->covers[0]) : NULL;

        if (!arch->covers) {
                assert_null(covers);
                return;
        }
        assert_non_null(row);
        assert_int_equal(json_array_size(covers), 1 + json_array_size(json_object_get(row, "subArchitectures")));
        for (size_t i = 1; i < json_array_size(covers); i++)
                assert_true(names_one(json_object_get(row, "subArchitectures"), json_string_value(json_array_get(covers, i))));
}

static void every_call_is_judged_as_by_podman(void **state) {
        _cleanup_json_ json_t *file = json_load_file(PODMAN_PROFILE, 0, NULL);

        if (!file)
                skip();
        for (size_t a = 0; a < ARRAY_SIZE(arch_names); a++)
                for (size_t c = 0; c < ARRAY_SIZE(capability_sets); c++) {
                        _cleanup_json_ json_t *profile = NULL, *wanted = verdicts_of_file(file, capability_sets[c], arch_names[a]),
                                              *got = NULL;
                        const SeccompArch *arch = seccomp_arch_find(arch_names[a]);

                        assert_non_null(arch);
                        assert_int_equal(seccomp_default(capability_sets[c], arch, &profile, NULL), 0);
                        got = verdicts_of_profile(profile);
                        assert_true(json_object_size(got) > 400);
                        same_verdicts(file, wanted, got, arch_names[a], capability_sets[c]);
                        same_architectures(file, profile, arch);
                        assert_string_equal(json_string_value(json_object_get(profile, "defaultAction")), "SCMP_ACT_ERRNO");
                        assert_int_equal(json_integer_value(json_object_get(profile, "defaultErrnoRet")),
                                         json_integer_value(json_object_get(file, "defaultErrnoRet")));
                }
}

static void podmans_file_loads_to_the_same_verdicts(void **state) {
        _cleanup_json_ json_t *file = json_load_file(PODMAN_PROFILE, 0, NULL);
        const SeccompArch *arch = seccomp_arch_find(NULL);

        assert_non_null(arch);
        if (!file)
                skip();
        for (size_t c = 0; c < ARRAY_SIZE(capability_sets); c++) {
                _cleanup_json_ json_t *profile = NULL, *loaded = NULL, *wanted = NULL, *got = NULL;
                Error err = ERROR_INIT;

                assert_int_equal(seccomp_default(capability_sets[c], arch, &profile, NULL), 0);
                if (seccomp_load(PODMAN_PROFILE, capability_sets[c], arch, &loaded, &err) < 0)
                        fail_msg("%s", err.text);
                wanted = verdicts_of_profile(profile);
                got = verdicts_of_profile(loaded);
                same_verdicts(file, wanted, got, arch->name, capability_sets[c]);
                assert_true(json_equal(json_object_get(profile, "architectures"), json_object_get(loaded, "architectures")));
        }
}

static void no_name_stands_twice_in_an_unconditional_rule(void **state) {
        _cleanup_json_ json_t *profile = NULL;
        const char *names[1024];
        size_t n = 0, i, j;
        json_t *rule, *name;

        assert_int_equal(seccomp_default(UINT64_MAX & ~BIT(CAP_SYS_ADMIN), seccomp_arch_find("amd64"), &profile, NULL), 0);
        json_array_foreach(json_object_get(profile, "syscalls"), i, rule) {
                if (json_object_get(rule, "args"))
                        continue;
                json_array_foreach(json_object_get(rule, "names"), j, name)
                        if (strcmp(json_string_value(name), "setns") != 0) /* twice in podman's, too */
                                names[n++] = json_string_value(name);
        }
        qsort(names, n, sizeof(names[0]), compare_texts);
        for (i = 1; i < n; i++)
                assert_string_not_equal(names[i - 1], names[i]);
}

static json_t *load_text(const char *text, uint64_t set, Error *err) {
        char path[] = "/tmp/seccomp.XXXXXX";
        int fd = mkstemp(path), r;
        json_t *profile = NULL;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        close(fd);
        r = seccomp_load(path, set, seccomp_arch_find("amd64"), &profile, err);
        unlink(path);
        return r < 0 ? NULL : profile;
}

static void conditions_of_a_file_are_weighed(void **state) {
        static const char text[] =
                "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
                "{\"name\":\"one\",\"action\":\"SCMP_ACT_ALLOW\"},"
                "{\"names\":[\"two\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_BPF\"]}},"
                "{\"names\":[\"three\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_CHOWN\"]}},"
                "{\"names\":[\"four\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"3.0\"}},"
                "{\"names\":[\"five\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"999.0\"}},"
                "{\"names\":[\"six\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"arm\"]}}]}";
        static const struct {
                uint64_t set;
                const char *names;
        } cases[] = {
                { 0, "one three four " },
                { BIT(CAP_SYS_ADMIN), "one four " },
                { BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF), "one two four " },
        };

        for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
                Error err = ERROR_INIT;
                _cleanup_json_ json_t *profile = load_text(text, cases[c].set, &err);
                char names[64] = "";
                size_t i;
                json_t *rule;

                if (!profile)
                        fail_msg("%s", err.text);
                json_array_foreach(json_object_get(profile, "syscalls"), i, rule) {
                        strcat(names, json_string_value(json_array_get(json_object_get(rule, "names"), 0)));
                        strcat(names, " ");
                }
                assert_string_equal(names, cases[c].names);
        }
}

static void a_broken_file_is_refused(void **state) {
        static const struct {
                const char *text;
                ErrorKind kind;
        } cases[] = {
                { "{", ERROR_INVALID_JSON },
                { "[]", ERROR_INVALID_SPEC },
                { "{}", ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"ALLOW\"}", ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[1]}", ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\"}]}", ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"name\":\"a\",\"names\":[\"b\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
                  ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"name\":\"a\",\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{"
                  "\"caps\":[1]}}]}",
                  ERROR_INVALID_SPEC },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{}]}", ERROR_INVALID_SPEC },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Error err = ERROR_INIT;

                assert_null(load_text(cases[i].text, 0, &err));
                assert_int_equal(err.kind, cases[i].kind);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_call_is_judged_as_by_podman),
                cmocka_unit_test(podmans_file_loads_to_the_same_verdicts),
                cmocka_unit_test(no_name_stands_twice_in_an_unconditional_rule),
                cmocka_unit_test(conditions_of_a_file_are_weighed),
                cmocka_unit_test(a_broken_file_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
