/* Scopes of systemd: the properties that limits become, and, where systemd is the init, real ones. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/process.h"
#include "cgroup-fixture.h"
#include "runtime/systemd/manager.h"
#include "runtime/unit-properties.h"
#include "scratch.h"

/* In the place of the loader: the module's functions, linked. */
const SystemdModule *systemd_module(Error *err) {
        static const SystemdModule table = { SYSTEMD_MODULE_VERSION, manager_start, manager_set, manager_stop };

        return &table;
}

static void print(const UnitProperties *properties, char *ret, size_t size) {
        ret[0] = '\0';
        for (size_t i = 0; i < properties->n; i++) {
                const UnitProperty *p = &properties->all[i];
                size_t len = strlen(ret);

                len += (size_t) snprintf(ret + len, size - len, "%s%s=%s:", i ? " " : "", p->name, p->type);
                if (!strcmp(p->type, "ay"))
                        for (size_t k = 0; k < p->n_bytes; k++)
                                len += (size_t) snprintf(ret + len, size - len, "%02x", p->bytes[k]);
                else if (strchr("sa", p->type[0]))
                        for (char **s = p->strings; s && *s; s++)
                                len += (size_t) snprintf(ret + len, size - len, "%s%s", s == p->strings ? "" : ",", *s);
                else
                        len += (size_t) snprintf(ret + len, size - len, "%lld", (long long) p->number);
        }
}

static void annotations_become_properties(void **state) {
        static const struct {
                const char *name, *value, *wanted; /* NULL: refused */
        } cases[] = {
                { "CPUWeight", "uint64 5", "CPUWeight=t:5" },
                { "Anything", "5", "Anything=i:5" },
                { "Anything", "int64 -5", "Anything=x:-5" },
                { "Anything", "byte 255", "Anything=y:255" },
                { "SendSIGHUP", "true", "SendSIGHUP=b:1" },
                { "SendSIGHUP", "false", "SendSIGHUP=b:0" },
                { "KillMode", "'mixed'", "KillMode=s:mixed" },
                { "KillMode", "\"mixed\"", "KillMode=s:mixed" },
                { "Description", "'it\\'s \\\\ this'", "Description=s:it's \\ this" },
                { "Before", "['a.service', 'b.service']", "Before=as:a.service,b.service" },
                { "Before", "[]", "Before=as:" },
                { "Before", "@as []", "Before=as:" },
                { "TimeoutStopSec", "uint64 10", "TimeoutStopUSec=t:10000000" },
                { "TimeoutStopUSec", "uint64 10", "TimeoutStopUSec=t:10" },
                { "Anything", "", NULL },
                { "Anything", "mixed", NULL },
                { "Anything", "'mixed", NULL },
                { "Anything", "'mixed' 5", NULL },
                { "Anything", "['a' 'b']", NULL },
                { "Anything", "[5]", NULL },
                { "Anything", "byte 256", NULL },
                { "Anything", "3000000000", NULL },
                { "Anything", "uint64 -1", NULL },
                { "Anything", "(5, 6)", NULL },
                { "An", "5", NULL },
                { "Any-thing", "5", NULL },
                { "", "5", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *annotations = json_object();
                _cleanup_properties_ UnitProperties properties = {};
                Error err = ERROR_INIT;
                char key[128], text[256];
                int r;

                (void) snprintf(key, sizeof(key), "org.systemd.property.%s", cases[i].name);
                json_object_set_new(annotations, key, json_string(cases[i].value));
                json_object_set_new(annotations, "org.systemd.other", json_string("nonsense"));
                r = properties_from_annotations(annotations, &properties, &err);
                if ((r < 0) != !cases[i].wanted)
                        fail_msg("%s: %s", cases[i].value, r < 0 ? err.text : "not refused");
                if (r < 0) {
                        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
                        continue;
                }
                print(&properties, text, sizeof(text));
                assert_string_equal(text, cases[i].wanted);
        }
}

static void limits_become_properties(void **state) {
        static const struct {
                const char *resources, *v1, *v2;
        } cases[] = {
                { "{}", "", "" },
                { "{'memory':{'limit':1000,'swap':3000,'reservation':500}}", "MemoryLimit=t:1000",
                  "MemoryMax=t:1000 MemoryLow=t:500 MemorySwapMax=t:2000" },
                { "{'memory':{'limit':-1}}", "MemoryLimit=t:-1", "MemoryMax=t:-1 MemorySwapMax=t:-1" },
                { "{'cpu':{'shares':1024}}", "CPUShares=t:1024", "CPUWeight=t:100" },
                { "{'cpu':{'shares':1024,'idle':1}}", "CPUShares=t:1024", "CPUWeight=t:0" },
                { "{'cpu':{'quota':25000,'period':50000}}", "CPUQuotaPeriodUSec=t:50000 CPUQuotaPerSecUSec=t:500000",
                  "CPUQuotaPeriodUSec=t:50000 CPUQuotaPerSecUSec=t:500000" },
                { "{'cpu':{'quota':12345}}", "CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:130000",
                  "CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:130000" },
                { "{'cpu':{'quota':-1}}", "CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:-1",
                  "CPUQuotaPeriodUSec=t:100000 CPUQuotaPerSecUSec=t:-1" },
                { "{'cpu':{'cpus':'0-2,9','mems':'1'}}", "AllowedCPUs=ay:0702 AllowedMemoryNodes=ay:02",
                  "AllowedCPUs=ay:0702 AllowedMemoryNodes=ay:02" },
                { "{'pids':{'limit':7}}", "TasksMax=t:7", "TasksMax=t:7" },
                { "{'pids':{'limit':-1}}", "TasksMax=t:-1", "TasksMax=t:-1" },
        };
        Scratch *scratch = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (unsigned v2 = 0; v2 < 2; v2++) {
                        _cleanup_json_ json_t *resources = fixture_json(cases[i].resources);
                        _cleanup_properties_ UnitProperties properties = {};
                        _cleanup_settings_ CgroupSettings settings = {};
                        CgroupTarget target;
                        Error err = ERROR_INIT;
                        char text[512];

                        cgroup_target_init(&target);
                        for (size_t k = 0; k < _CONTROLLER_MAX; k++) {
                                target.at[k].fd = scratch->fd;
                                target.at[k].v2 = v2;
                        }
                        if (cgroup_settings_build(resources, &target, &settings, &err) < 0 ||
                            properties_from_settings(&settings, v2, &properties, &err) < 0)
                                fail_msg("%s: %s", cases[i].resources, err.text);
                        print(&properties, text, sizeof(text));
                        assert_string_equal(text, v2 ? cases[i].v2 : cases[i].v1);
                }
}

static void device_rules_become_properties_where_systemd_has_words_for_them(void **state) {
        static const struct {
                const char *rules, *wanted;
        } cases[] = {
                { "[{'allow':false}]", "DeviceAllow=a(ss): DeviceAllow=a(ss): DevicePolicy=s:strict" },
                { "[{'allow':true}]", "DeviceAllow=a(ss): DevicePolicy=s:auto" },
                { "[{'allow':true,'type':'c','major':1,'minor':3,'access':'rw'},{'allow':true,'type':'b','access':'m'}]",
                  "DeviceAllow=a(ss): DeviceAllow=a(ss):/dev/char/1:3,rw,block-*,m DevicePolicy=s:strict" },
                { "[{'allow':true,'type':'c','major':1,'access':'r'}]",
                  "DeviceAllow=a(ss): DeviceAllow=a(ss):char-mem,r DevicePolicy=s:strict" },
                { "[{'allow':true,'type':'c','minor':3,'access':'r'}]", "DeviceAllow=a(ss): DevicePolicy=s:auto" },
                { "[{'allow':true,'type':'c','major':4000,'access':'r'}]", "DeviceAllow=a(ss): DevicePolicy=s:auto" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *rules = fixture_json(cases[i].rules);
                _cleanup_properties_ UnitProperties properties = {};
                _cleanup_filter_ DeviceFilter filter = {};
                char text[512];

                assert_int_equal(device_filter_build(rules, NULL, 0, &filter, NULL), 0);
                assert_int_equal(properties_from_devices(&filter, &properties, NULL), 0);
                print(&properties, text, sizeof(text));
                assert_string_equal(text, cases[i].wanted);
        }
}

static bool systemd_is_here(void) {
        return access("/run/systemd/system", F_OK) == 0;
}

static void without_systemd_that_is_said_and_nothing_is_left(void **state) {
        const CgroupRequest request = { .id = "lxcri-unit-none", .systemd = true };
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        if (systemd_is_here())
                skip();
        assert_int_equal(create_cgroup(&request, &cgroup, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
        assert_true(err.hint[0]);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* the holder is gone */
}

static void run(const char *const argv[]) {
        const Spawn spawn = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
        int status;
        pid_t pid;

        assert_int_equal(process_spawn(&spawn, &pid, NULL, NULL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
}

static int open_zero_and_null(void *userdata) {
        return (open("/dev/null", O_RDWR | O_CLOEXEC) >= 0 ? 1 : 0) | (open("/dev/zero", O_RDONLY | O_CLOEXEC) >= 0 ? 2 : 0);
}

static void a_scope_is_made_limited_kept_over_a_reload_updated_and_ended(void **state) {
        if (!systemd_is_here())
                skip();
        static const char *const reload[] = { "/usr/bin/systemctl", "daemon-reload", NULL };
        _cleanup_json_ json_t *resources = fixture_json(
                "{'memory':{'limit':67108864},'pids':{'limit':17},'cpu':{'shares':512,'quota':12345},"
                "'devices':[{'allow':false},{'allow':true,'type':'c','major':1,'minor':3,'access':'rwm'}]}");
        _cleanup_json_ json_t *raise = fixture_json("{'memory':{'limit':134217728},'pids':{'limit':18}}");
        _cleanup_json_ json_t *annotations = fixture_json("{'org.systemd.property.TimeoutStopSec':'uint64 7'}");
        CgroupRequest request = {
                .id = "real",
                .path = "lxcri-unit.slice:lxcri-unit:real",
                .systemd = true,
                .resources = resources,
                .annotations = annotations,
        };
        _cleanup_free_ pid_t *pids = NULL;
        Error err = ERROR_INIT;
        Cgroup *cgroup, *doors;
        size_t n;

        cgroup = fixture_create(&request);
        for (char **d = cgroup->directories; *d; d++)
                assert_non_null(strstr(*d, "/lxcri.slice/lxcri-unit.slice/lxcri-unit-real.scope"));
        assert_true(cgroup->holder > 0);
        (void) fixture_enter(cgroup, fixture_sleep, NULL);
        assert_int_equal(cgroup_open(cgroup->directories, &doors, &err), 0);
        kill(cgroup->holder, SIGKILL);
        assert_int_equal(waitpid(cgroup->holder, NULL, 0), cgroup->holder);
        cgroup->holder = 0;

        for (unsigned i = 0; i < 2; i++) {
                const char *memory = fixture_with(cgroup, "memory.max") ? "memory.max" : "memory.limit_in_bytes";

                assert_string_equal(fixture_read(cgroup, memory), "67108864");
                assert_string_equal(fixture_read(cgroup, "pids.max"), "17");
                if (i == 0 && fixture_with(cgroup, "cpu.max"))
                        assert_string_equal(fixture_read(cgroup, "cpu.max"), "12345 100000");
                assert_int_equal(fixture_run(doors, open_zero_and_null, NULL), 1);
                run(reload);
        }
        request.resources = raise;
        if (cgroup_update(cgroup->directories, &request, &err) < 0)
                fail_msg("%s", err.text);
        run(reload);
        assert_string_equal(fixture_read(cgroup, "pids.max"), "18");
        assert_int_equal(fixture_run(doors, open_zero_and_null, NULL), 1);
        assert_int_equal(cgroup_pids(cgroup->directories, &pids, &n, &err), 0);
        assert_int_equal(n, 1);

        cgroup_free(doors);
        if (cgroup_release(cgroup->directories, &request, 30000, &err) < 0)
                fail_msg("%s", err.text);
        for (char **d = cgroup->directories; *d; d++)
                assert_int_equal(access(*d, F_OK), -1);
        assert_int_equal(cgroup_release(cgroup->directories, &request, 30000, &err), 0);
        fixture_remove(cgroup);
}

static void what_systemd_refuses_leaves_nothing(void **state) {
        if (!systemd_is_here())
                skip();
        _cleanup_json_ json_t *unknown = fixture_json("{'org.systemd.property.NoSuchProperty':'true'}");
        _cleanup_json_ json_t *impossible = fixture_json("{'pids':{'limit':5},'unified':{'nonsense.max':'1'}}");
        CgroupRequest request = { .id = "refused", .path = ":lxcri-unit:refused", .systemd = true, .annotations = unknown };
        _cleanup_strv_ char **plan = NULL;
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        assert_int_equal(plan_cgroup(&request, &plan, &err), 0);
        assert_int_equal(create_cgroup(&request, &cgroup, &err), -1);
        assert_non_null(strstr(err.text, "NoSuchProperty"));
        request.annotations = NULL;
        request.resources = impossible;
        assert_int_equal(create_cgroup(&request, &cgroup, &err), -1);
        assert_int_equal(err.kind, ERROR_NOT_SUPPORTED);
        for (char **p = plan; *p; p++)
                assert_int_equal(access(*p, F_OK), -1);

        /* and the name is free again */
        request.resources = NULL;
        cgroup = fixture_create(&request);
        assert_int_equal(cgroup_release(cgroup->directories, &request, 30000, &err), 0);
        fixture_remove(cgroup);
}

static void a_scope_whose_creator_ends_before_the_container_is_collected(void **state) {
        if (!systemd_is_here())
                skip();
        const CgroupRequest request = { .id = "orphan", .path = ":lxcri-unit:orphan", .systemd = true };
        _cleanup_strv_ char **plan = NULL;
        Error err = ERROR_INIT;
        pid_t pid;

        assert_int_equal(plan_cgroup(&request, &plan, &err), 0);
        pid = fork();
        if (pid == 0) {
                Cgroup *cgroup;

                _exit(create_cgroup(&request, &cgroup, &err) < 0);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        /* systemd takes away what it made itself (main's alarm ends the wait); on v1 the plan, noted before, knows the rest */
        for (char **p = plan; *p;)
                if (access(*p, F_OK) < 0 || !(strstr(*p, "/systemd/") || strstr(*p, "cgroup/system.slice/")))
                        p++;
                else
                        usleep(20000);
        assert_int_equal(cgroup_release(plan, &request, 10000, &err), 0);
        for (char **p = plan; *p; p++)
                assert_int_equal(access(*p, F_OK), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(annotations_become_properties),
                scratch_test(limits_become_properties),
                cmocka_unit_test(device_rules_become_properties_where_systemd_has_words_for_them),
                cmocka_unit_test(without_systemd_that_is_said_and_nothing_is_left),
                cmocka_unit_test(a_scope_is_made_limited_kept_over_a_reload_updated_and_ended),
                cmocka_unit_test(what_systemd_refuses_leaves_nothing),
                cmocka_unit_test(a_scope_whose_creator_ends_before_the_container_is_collected),
        };

        alarm(300);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
