/* Device rules: what they come to, and what the kernel makes of them, on v1's controller and as a BPF program of v2. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/sysmacros.h>

#include "cgroup-fixture.h"
#include "runtime/cgroup-devices.h"

#define DENY_ALL "{'allow':false,'access':'rwm'}"

static void rules_in_order_become_a_default_with_exceptions(void **state) {
        static const struct {
                const char *rules, *wanted; /* "!": refused */
        } cases[] = {
                { "[]", "deny" },
                { "[" DENY_ALL "]", "deny" },
                { "[{'allow':true,'type':'a'}]", "allow" },
                { "[{'allow':true}]", "allow" },
                { "[{'allow':true,'type':''}]", "allow" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'r'}]", "deny c1:3=2" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'r'},"
                  "{'allow':true,'type':'c','major':1,'minor':3,'access':'wm'}]",
                  "deny c1:3=7" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'rwm'},"
                  "{'allow':false,'type':'c','major':1,'minor':3,'access':'w'}]",
                  "deny c1:3=3" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'r'},"
                  "{'allow':false,'type':'c','major':1,'minor':3,'access':'r'}]",
                  "deny" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'r'}," DENY_ALL "]", "deny" },
                { "[{'allow':true},{'allow':false,'type':'b','major':8,'access':'w'}]", "allow b8:-1=4" },
                { "[{'allow':false,'type':'b','major':8,'access':'w'}]", "deny" },
                { "[{'allow':true,'type':'c','access':'m'},{'allow':true,'type':'c','major':5,'access':'rw'}]", "deny c-1:-1=1 c5:-1=6" },
                { "[{'allow':true,'type':'c','major':1,'minor':3}]", "deny" },
                { "[{'allow':true,'type':'c','access':'rwm'},{'allow':false,'type':'c','major':1,'minor':3,'access':'w'}]", "!" },
                { "[{'allow':true,'type':'c','major':1,'access':'rwm'},{'allow':false,'type':'c','major':1,'minor':3,'access':'w'}]", "!" },
                { "[{'allow':true,'type':'c','major':1,'access':'r'},{'allow':false,'type':'c','major':1,'minor':3,'access':'w'}]",
                  "deny c1:-1=2" },
                { "[{'allow':true,'type':'x'}]", "!" },
                { "[{'allow':true,'type':'c','access':'rx'}]", "!" },
                { "[{'type':'c'}]", "!" },
                { "[{'allow':true,'type':'c','major':4294967296}]", "!" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *rules = fixture_json(cases[i].rules);
                _cleanup_filter_ DeviceFilter filter = {};
                Error err = ERROR_INIT;
                char text[256];
                int r = device_filter_build(rules, NULL, 0, &filter, &err);

                if ((r < 0) != (cases[i].wanted[0] == '!'))
                        fail_msg("%s: %s", cases[i].rules, r < 0 ? err.text : "not refused");
                if (r < 0) {
                        assert_non_null(strstr(err.text, "linux.resources.devices["));
                        continue;
                }
                strcpy(text, filter.allow ? "allow" : "deny");
                for (size_t k = 0; k < filter.n; k++)
                        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), " %c%d:%d=%u", filter.exceptions[k].type,
                                        (int) filter.exceptions[k].major, (int) filter.exceptions[k].minor, filter.exceptions[k].access);
                assert_string_equal(text, cases[i].wanted);
        }
}

static void the_defaults_come_after_the_rules(void **state) {
        _cleanup_json_ json_t *rules = fixture_json("[" DENY_ALL "]");
        _cleanup_filter_ DeviceFilter filter = {};

        assert_int_equal(device_filter_build(rules, cgroup_default_devices, cgroup_n_default_devices, &filter, NULL), 0);
        assert_false(filter.allow);
        assert_int_equal(filter.n, cgroup_n_default_devices);
}

static int open_devices(void *userdata) {
        static const struct {
                const char *path;
                int flags;
        } opens[] = {
                { "/dev/null", O_RDONLY }, { "/dev/null", O_WRONLY }, { "/dev/null", O_RDWR },
                { "/dev/zero", O_RDONLY }, { "/dev/zero", O_RDWR },
        };
        int result = 0;

        for (unsigned i = 0; i < ARRAY_SIZE(opens); i++)
                if (open(opens[i].path, opens[i].flags | O_CLOEXEC) >= 0)
                        result |= 1 << i;
        if (mknod("/tmp/lxcri-unit-node", S_IFCHR | 0600, makedev(1, 3)) == 0) {
                (void) unlink("/tmp/lxcri-unit-node");
                result |= 1 << 5;
        }
        return result;
}

#define NULL_R  1
#define NULL_W  2
#define NULL_RW 4
#define ZERO_R  8
#define ZERO_RW 16
#define MKNOD   32

static const struct Opened {
        const char *rules;
        int result;
} opened[] = {
        { "[" DENY_ALL "]", 0 },
        { "[{'allow':true,'type':'a'}]", NULL_R | NULL_W | NULL_RW | ZERO_R | ZERO_RW | MKNOD },
        { "[" DENY_ALL ",{'allow':true,'type':'c','major':1,'minor':3,'access':'rwm'}]", NULL_R | NULL_W | NULL_RW | MKNOD },
        { "[" DENY_ALL ",{'allow':true,'type':'c','major':1,'minor':3,'access':'r'}]", NULL_R },
        { "[" DENY_ALL ",{'allow':true,'type':'c','major':1,'access':'r'},{'allow':true,'type':'c','major':1,'minor':3,'access':'w'}]",
          NULL_R | NULL_W | ZERO_R },
        { "[" DENY_ALL ",{'allow':true,'type':'c','minor':5,'access':'rw'}]", ZERO_R | ZERO_RW },
        { "[" DENY_ALL ",{'allow':true,'type':'c','access':'m'}]", MKNOD },
        { "[" DENY_ALL ",{'allow':true,'type':'b','access':'rwm'}]", 0 },
        { "[{'allow':true},{'allow':false,'type':'c','major':1,'minor':3,'access':'w'}]", NULL_R | ZERO_R | ZERO_RW | MKNOD },
        { "[{'allow':true},{'allow':false,'type':'c','major':1,'access':'rwm'}]", 0 },
};

static void the_kernel_enforces_them(void **state) {
        needs_cgroups();
        for (size_t i = 0; i < ARRAY_SIZE(opened); i++) {
                char text[512];
                _cleanup_json_ json_t *resources = NULL;
                CgroupRequest request = { .id = "lxcri-unit-devices" };
                Cgroup *cgroup;
                int result;

                (void) snprintf(text, sizeof(text), "{'devices':%s}", opened[i].rules);
                request.resources = resources = fixture_json(text);
                cgroup = fixture_create(&request);
                result = fixture_run(cgroup, open_devices, NULL);
                if (result != opened[i].result)
                        fail_msg("%s: %d, not %d", opened[i].rules, result, opened[i].result);
                fixture_remove(cgroup);
        }
}

/* From each set of rules to each other. */
static void an_update_replaces_them(void **state) {
        needs_cgroups();
        CgroupRequest request = { .id = "lxcri-unit-devices" };
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        cgroup = fixture_create(&request);
        for (size_t i = 0; i < ARRAY_SIZE(opened); i++)
                for (size_t k = 0; k < ARRAY_SIZE(opened); k++) {
                        size_t both[] = { i, k };

                        for (unsigned n = 0; n < 2; n++) {
                                const struct Opened *o = &opened[both[n]];
                                _cleanup_json_ json_t *resources = NULL;
                                char text[512];
                                int result;

                                (void) snprintf(text, sizeof(text), "{'devices':%s}", o->rules);
                                request.resources = resources = fixture_json(text);
                                if (cgroup_update(cgroup->directories, &request, &err) < 0)
                                        fail_msg("%s: %s", o->rules, err.text);
                                result = fixture_run(cgroup, open_devices, NULL);
                                if (result != o->result)
                                        fail_msg("%s after %s: %d, not %d", o->rules, opened[i].rules, result, o->result);
                        }
                }
        fixture_remove(cgroup);
}

/* The same on a v2 cgroup even where device rules go to v1. */
static void the_program_decides_alike(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "lxcri-unit-bpf" };
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        cgroup = fixture_create(&request);
        for (size_t i = 0; cgroup->v2_fd >= 0 && i < ARRAY_SIZE(opened); i++) {
                _cleanup_json_ json_t *rules = fixture_json(opened[i].rules);
                _cleanup_filter_ DeviceFilter filter = {};
                _cleanup_free_ struct bpf_insn *program = NULL;
                size_t n;
                int result;

                assert_int_equal(device_filter_build(rules, NULL, 0, &filter, &err), 0);
                assert_int_equal(device_program(&filter, &program, &n, &err), 0);
                if (device_program_attach(cgroup->v2_fd, program, n, i > 0, &err) < 0)
                        fail_msg("%s: %s (%s)", opened[i].rules, err.text, err.hint);
                result = fixture_run(cgroup, open_devices, NULL);
                if (result != opened[i].result)
                        fail_msg("%s: %d, not %d", opened[i].rules, result, opened[i].result);
        }
        fixture_remove(cgroup);
}

/* The kernel's verifier must not take time or memory by their square. */
static void the_greatest_number_of_rules_still_loads(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "lxcri-unit-bpf" };
        _cleanup_filter_ DeviceFilter filter = {};
        _cleanup_free_ struct bpf_insn *program = NULL;
        Error err = ERROR_INIT;
        Cgroup *cgroup;
        size_t n;

        for (unsigned i = 0; i < DEVICE_RULES_MAX; i++) {
                const CgroupDeviceRule rule = { .allow = true, .type = 'c', .major = i, .minor = i, .access = CGROUP_DEVICE_READ };

                assert_int_equal(device_filter_add(&filter, &rule, "test", &err), 0);
        }
        cgroup = fixture_create(&request);
        assert_int_equal(device_program(&filter, &program, &n, &err), 0);
        if (cgroup->v2_fd >= 0 && device_program_attach(cgroup->v2_fd, program, n, false, &err) < 0)
                fail_msg("%s", err.text);
        fixture_remove(cgroup);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rules_in_order_become_a_default_with_exceptions),
                cmocka_unit_test(the_defaults_come_after_the_rules),
                cmocka_unit_test(the_kernel_enforces_them),
                cmocka_unit_test(an_update_replaces_them),
                cmocka_unit_test(the_program_decides_alike),
                cmocka_unit_test(the_greatest_number_of_rules_still_loads),
        };

        alarm(120);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
