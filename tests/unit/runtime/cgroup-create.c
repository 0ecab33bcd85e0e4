/* Making a container's cgroups, on the hierarchies this machine has. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cgroup-fixture.h"

static void write_file(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (write(fd, text, strlen(text)) < 0)
                fail_msg("%s: %m", path);
}

static void they_are_made_where_the_plan_said_and_a_process_enters_them(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "lxcri-unit-create" };
        _cleanup_strv_ char **plan = NULL, **found = NULL;
        _cleanup_free_ pid_t *pids = NULL;
        Error err = ERROR_INIT;
        Cgroup *cgroup;
        size_t n;
        pid_t pid;

        assert_int_equal(plan_cgroup(&request, &plan, &err), 0);
        for (char **p = plan; *p; p++)
                assert_int_equal(access(*p, F_OK), -1);
        cgroup = fixture_create(&request);
        assert_int_equal(strv_length(plan), strv_length(cgroup->directories));
        assert_int_equal(strv_length(plan), strv_length(cgroup->controllers));
        for (size_t i = 0; plan[i]; i++)
                assert_string_equal(plan[i], cgroup->directories[i]);
        assert_int_equal(cgroup->n_tasks + (cgroup->v2_fd >= 0), strv_length(plan));

        pid = fixture_enter(cgroup, fixture_sleep, NULL);
        for (unsigned tries = 0; tries < 1000; tries++) {
                /* it enters one after the other */
                strv_free(found);
                assert_int_equal(cgroup_of_process(pid, &found, &err), 0);
                if (strv_length(found) == strv_length(plan))
                        break;
                usleep(10000);
        }
        assert_int_equal(strv_length(found), strv_length(plan));
        assert_int_equal(cgroup_pids(cgroup->directories, &pids, &n, &err), 0);
        assert_int_equal(n, 1);
        assert_int_equal(pids[0], pid);
        fixture_remove(cgroup);
}

static void limits_are_there_before_anyone_is_inside(void **state) {
        needs_cgroups();
        static const char *const files[][2] = {
                { "memory.limit_in_bytes", "67108864" },
                { "memory.max", "67108864" },
                { "memory.soft_limit_in_bytes", "33554432" },
                { "memory.low", "33554432" },
                { "pids.max", "17" },
                { "cpu.shares", "512" },
                { "cpu.weight", "59" },
                { "cpu.cfs_quota_us", "50000" },
                { "cpu.cfs_period_us", "100000" },
                { "cpu.max", "50000 100000" },
                { "cpuset.cpus", "0" },
        };
        _cleanup_json_ json_t *resources = fixture_json("{'memory':{'limit':67108864,'reservation':33554432},'pids':{'limit':17},"
                                                        "'cpu':{'shares':512,'quota':50000,'period':100000,'cpus':'0','mems':'0'}}");
        const CgroupRequest request = { .id = "lxcri-unit-limits", .resources = resources };
        Cgroup *cgroup;
        size_t seen = 0;

        cgroup = fixture_create(&request);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (fixture_with(cgroup, files[i][0])) {
                        assert_string_equal(fixture_read(cgroup, files[i][0]), files[i][1]);
                        seen++;
                }
        assert_true(seen >= 6);
        fixture_remove(cgroup);
}

static int eat_memory(void *userdata) {
        size_t size = 256u << 20;
        volatile char *memory = malloc(size);

        for (size_t i = 0; memory && i < size; i += 4096)
                memory[i] = 1;
        return 0;
}

static void a_memory_limit_kills(void **state) {
        needs_cgroups();
        _cleanup_json_ json_t *resources = fixture_json("{'memory':{'limit':33554432,'swap':33554432}}");
        const CgroupRequest request = { .id = "lxcri-unit-memory", .resources = resources };
        Error err = ERROR_INIT;
        bool killed = false;
        Cgroup *cgroup;

        cgroup = fixture_create(&request);
        assert_int_equal(fixture_run(cgroup, eat_memory, NULL), 128 + SIGKILL);
        assert_int_equal(cgroup_was_oom_killed(cgroup->directories, &killed, &err), 0);
        assert_true(killed);
        fixture_remove(cgroup);
}

static void what_is_there_is_taken_only_when_named_and_empty(void **state) {
        needs_cgroups();
        const CgroupRequest by_id = { .id = "lxcri-unit-there" }, by_path = { .id = "other", .path = "/lxcri-unit-there" };
        Cgroup *first, *second = NULL;
        Error err = ERROR_INIT;

        first = fixture_create(&by_id);
        assert_int_equal(create_cgroup(&by_id, &second, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_non_null(strstr(err.text, "is there already"));
        for (char **d = first->directories; *d; d++)
                assert_int_equal(access(*d, F_OK), 0);

        assert_int_equal(create_cgroup(&by_path, &second, &err), 0);
        assert_int_equal(strv_length(second->directories), strv_length(first->directories));
        second = cgroup_free(second);

        (void) fixture_enter(first, fixture_sleep, NULL);
        assert_int_equal(create_cgroup(&by_path, &second, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_non_null(strstr(err.text, "is in use by process"));
        fixture_remove(first);
}

static void the_root_and_our_own_cgroup_are_refused(void **state) {
        needs_cgroups();
        static const char *const roots[] = { "/", "/..", ".", "/a/..", "///" };
        Error err = ERROR_INIT;
        Cgroup *cgroup = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
                const CgroupRequest request = { .id = "x", .path = roots[i] };

                assert_int_equal(create_cgroup(&request, &cgroup, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        }
}

static void failing_leaves_nothing(void **state) {
        needs_cgroups();
        static const char *const impossible[] = {
                "{'memory':{'limit':67108864,'swappiness':1000}}",
                "{'pids':{'limit':5},'unified':{'nonsense.max':'1'}}",
                "{'pids':{'limit':5},'cpu':{'cpus':'100000'}}",
                "{'devices':[{'allow':true,'type':'c','access':'rwm'},{'allow':false,'type':'c','major':1,'minor':3,'access':'rwm'}]}",
        };
        Error err = ERROR_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
                _cleanup_json_ json_t *resources = fixture_json(impossible[i]);
                const CgroupRequest request = { .id = "x", .path = "/lxcri-unit-nothing/a/b", .resources = resources };
                _cleanup_strv_ char **plan = NULL;
                Cgroup *cgroup = NULL;

                assert_int_equal(plan_cgroup(&request, &plan, &err), 0);
                assert_non_null(plan[0]);
                assert_int_equal(create_cgroup(&request, &cgroup, &err), -1);
                assert_true(err.kind == ERROR_INVALID_SPEC || err.kind == ERROR_NOT_SUPPORTED);
                assert_non_null(strstr(err.text, "linux.resources."));
                for (char **p = plan; *p; p++) {
                        *strstr(*p, "/a/b") = '\0';
                        assert_int_equal(access(*p, F_OK), -1);
                }
        }
}

static void a_path_of_several_levels_is_made(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "x", .path = "/lxcri-unit-deep/../lxcri-unit-levels//a/b" };
        Cgroup *cgroup;

        cgroup = fixture_create(&request);
        for (char **d = cgroup->directories; *d; d++)
                assert_non_null(strstr(*d, "/lxcri-unit-levels/a/b"));
        /* v1's cpusets are of no use when empty */
        if (fixture_with(cgroup, "cpuset.mems"))
                assert_true(fixture_read(cgroup, "cpuset.mems")[0] || fixture_with(cgroup, "cgroup.controllers"));
        assert_int_equal(fixture_run(cgroup, fixture_nothing, NULL), 0);
        for (char **d = cgroup->directories; *d; d++) {
                char *above[] = { strdup(*d), NULL };

                *strstr(above[0], "/a/b") = '\0';
                assert_int_equal(cgroup_remove_all(above, 5000, NULL), 0);
                free(above[0]);
        }
        fixture_remove(cgroup);
}

static void a_joining_process_finds_the_same_doors(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "lxcri-unit-join" };
        Error err = ERROR_INIT;
        Cgroup *cgroup, *again;

        cgroup = fixture_create(&request);
        assert_int_equal(cgroup_open(cgroup->directories, &again, &err), 0);
        assert_int_equal(again->n_tasks, cgroup->n_tasks);
        assert_int_equal(again->v2_fd >= 0, cgroup->v2_fd >= 0);
        assert_int_equal(fixture_run(again, fixture_nothing, NULL), 0);
        cgroup_free(again);
        fixture_remove(cgroup);
}

/* On v2 a container that has divided its cgroup, as systemd does, can be joined only where its init is. */
static void a_joining_process_goes_where_the_init_is(void **state) {
        needs_cgroups();
        const CgroupRequest request = { .id = "lxcri-unit-beside" };
        char below[PATH_MAX], control[PATH_MAX], procs[PATH_MAX], text[16];
        _cleanup_strv_ char **found = NULL;
        Error err = ERROR_INIT;
        Cgroup *cgroup, *again;
        const char *v2;
        pid_t init, joining;
        size_t n = 0;

        cgroup = fixture_create(&request);
        v2 = fixture_with(cgroup, "cgroup.controllers");
        init = fixture_enter(cgroup, fixture_sleep, NULL);
        if (v2 && fixture_read(cgroup, "cgroup.controllers")[0]) {
                char given[80];

                (void) snprintf(given, sizeof(given), "+%.*s", (int) strcspn(fixture_read(cgroup, "cgroup.controllers"), " "),
                                fixture_read(cgroup, "cgroup.controllers"));
                (void) snprintf(below, sizeof(below), "%s/init.scope", v2);
                (void) snprintf(procs, sizeof(procs), "%s/init.scope/cgroup.procs", v2);
                (void) snprintf(control, sizeof(control), "%s/cgroup.subtree_control", v2);
                (void) snprintf(text, sizeof(text), "%d", (int) init);
                assert_int_equal(mkdir(below, 0755), 0);
                write_file(procs, text);
                write_file(control, given);
                assert_int_equal(cgroup_open_beside(cgroup->directories, init, &again, &err), 0);
                joining = fixture_enter(again, fixture_sleep, NULL);
                assert_int_equal(cgroup_of_process(joining, &found, &err), 0);
                for (char **f = found; *f; f++)
                        n += !strcmp(*f, below);
                assert_int_equal(n, 1);
        } else {
                assert_int_equal(cgroup_open_beside(cgroup->directories, init, &again, &err), 0);
                assert_int_equal(fixture_run(again, fixture_nothing, NULL), 0);
        }
        cgroup_free(again);
        fixture_remove(cgroup);
}

static void an_update_is_all_or_nothing(void **state) {
        needs_cgroups();
        _cleanup_json_ json_t *before = fixture_json("{'memory':{'limit':67108864,'swap':67108864},'pids':{'limit':17},"
                                                     "'cpu':{'shares':512}}");
        _cleanup_json_ json_t *raise = fixture_json("{'memory':{'limit':134217728,'swap':134217728},'pids':{'limit':18}}");
        _cleanup_json_ json_t *lower = fixture_json("{'memory':{'limit':33554432,'swap':33554432}}");
        _cleanup_json_ json_t *wrong = fixture_json("{'memory':{'limit':16777216,'swap':16777216},'pids':{'limit':99},"
                                                    "'cpu':{'cpus':'100000'}}");
        CgroupRequest request = { .id = "lxcri-unit-update", .resources = before };
        const char *memory;
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        cgroup = fixture_create(&request);
        memory = fixture_with(cgroup, "memory.limit_in_bytes") ? "memory.limit_in_bytes" : "memory.max";

        request.resources = raise;
        if (cgroup_update(cgroup->directories, &request, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(fixture_read(cgroup, memory), "134217728");
        assert_string_equal(fixture_read(cgroup, "pids.max"), "18");
        assert_string_equal(fixture_read(cgroup, fixture_with(cgroup, "cpu.shares") ? "cpu.shares" : "cpu.weight"),
                            fixture_with(cgroup, "cpu.shares") ? "512" : "59");

        request.resources = lower;
        if (cgroup_update(cgroup->directories, &request, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(fixture_read(cgroup, memory), "33554432");

        request.resources = wrong;
        assert_int_equal(cgroup_update(cgroup->directories, &request, &err), -1);
        assert_non_null(strstr(err.text, "linux.resources.cpu.cpus"));
        assert_null(strstr(err.text, "stays changed"));
        assert_string_equal(fixture_read(cgroup, memory), "33554432");
        assert_string_equal(fixture_read(cgroup, "pids.max"), "18");
        fixture_remove(cgroup);
}

static void systemd_names_are_those_of_runc(void **state) {
        needs_cgroups();
        static const struct {
                const char *path, *end; /* NULL: refused */
        } cases[] = {
                { NULL, "/system.slice/lxcri-an\\x2bid.scope" },
                { "", "/system.slice/lxcri-an\\x2bid.scope" },
                { "machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope" },
                { "a-b-c.slice:cri-containerd:x", "/a.slice/a-b.slice/a-b-c.slice/cri-containerd-x.scope" },
                { "::x", "/system.slice/x.scope" },
                { "-.slice:p:x", "/p-x.scope" },
                { "/a/b", NULL },
                { "a.slice:b", NULL },
                { "a.slice:b:", NULL },
                { "a.slice:b:c:d", NULL },
                { "a/b.slice:p:x", NULL },
                { "-a.slice:p:x", NULL },
                { "a--b.slice:p:x", NULL },
                { "a:p:x", NULL },
                { "a.slice:p:x.slice", NULL },
        };
        Error err = ERROR_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const CgroupRequest request = { .id = "an+id", .path = cases[i].path, .systemd = true };
                _cleanup_strv_ char **plan = NULL;

                if (!cases[i].end) {
                        assert_int_equal(plan_cgroup(&request, &plan, &err), -1);
                        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
                        continue;
                }
                assert_int_equal(plan_cgroup(&request, &plan, &err), 0);
                assert_non_null(plan[0]);
                for (char **p = plan; *p; p++)
                        assert_string_equal(*p + strlen(*p) - strlen(cases[i].end), cases[i].end);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(they_are_made_where_the_plan_said_and_a_process_enters_them),
                cmocka_unit_test(limits_are_there_before_anyone_is_inside),
                cmocka_unit_test(a_memory_limit_kills),
                cmocka_unit_test(what_is_there_is_taken_only_when_named_and_empty),
                cmocka_unit_test(the_root_and_our_own_cgroup_are_refused),
                cmocka_unit_test(failing_leaves_nothing),
                cmocka_unit_test(a_path_of_several_levels_is_made),
                cmocka_unit_test(a_joining_process_finds_the_same_doors),
                cmocka_unit_test(a_joining_process_goes_where_the_init_is),
                cmocka_unit_test(an_update_is_all_or_nothing),
                cmocka_unit_test(systemd_names_are_those_of_runc),
        };

        alarm(120);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
