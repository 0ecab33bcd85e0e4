/* Limits of the runtime-spec as the files that they become: tables for v1 and v2, on directories that have a cgroup's files. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "runtime/cgroup-settings.h"
#include "scratch.h"

/* A directory with the files named in @files ("name=content name=content"), as the target of every controller. */
static void make_target(Scratch *scratch, bool v2, const char *files, CgroupTarget *ret) {
        char copy[1024], *p = copy, *word;
        int fd;

        cgroup_target_init(ret);
        assert_int_equal(dir_remove_tree_at(scratch->fd, "cgroup", NULL), 0);
        assert_int_equal(mkdirat(scratch->fd, "cgroup", 0700), 0);
        fd = openat(scratch->fd, "cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(strlen(files) < sizeof(copy));
        strcpy(copy, files);
        while ((word = strsep(&p, " "))) {
                char *content = strchr(word, '=');

                if (!content)
                        continue;
                *content++ = '\0';
                for (char *c = content; *c; c++)
                        *c = *c == '~' ? ' ' : *c == '|' ? '\n' : *c;
                assert_int_equal(file_write_atomic_at(fd, word, content, strlen(content), 0600, 0, NULL), 0);
        }
        assert_int_equal(cgroup_target_add(ret, fd, v2 ? "" : "cpu,cpuset,memory,pids,blkio,hugetlb,rdma,net_cls,net_prio", NULL), 0);
        for (size_t i = 0; v2 && i < _CONTROLLER_MAX; i++)
                if (controller_name(i, true))
                        ret->at[i].fd = fd, ret->at[i].v2 = true;
}

/* 2^64 - 1 is written as the real that spec_load() makes of it. */
static json_t *parse(const char *text) {
        Error err = ERROR_INIT;
        json_t *json;
        _cleanup_free_ char *copy = strdup(text);

        for (char *c = copy; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        if (json_parse(copy, strlen(copy), "test", &json, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        return json;
}

/* The settings as "file=value file=value". */
static void print(const CgroupSettings *settings, char *ret, size_t size) {
        ret[0] = '\0';
        for (size_t i = 0; i < settings->n; i++)
                (void) snprintf(ret + strlen(ret), size - strlen(ret), "%s%s=%s", i ? ", " : "", settings->all[i].file,
                                settings->all[i].value);
}

typedef struct Case {
        const char *resources;
        const char *v1, *v2; /* the settings; "!" and a part of the text: an error */
} Case;

static void check(Scratch *scratch, const Case *c, bool v2, const char *files, bool update) {
        const char *wanted = v2 ? c->v2 : c->v1;
        _cleanup_target_ CgroupTarget target;
        _cleanup_settings_ CgroupSettings settings = {};
        _cleanup_json_ json_t *resources = parse(c->resources);
        Error err = ERROR_INIT;
        char text[1024];
        int r;

        make_target(scratch, v2, files, &target);
        target.update = update;
        r = cgroup_settings_build(resources, &target, &settings, &err);
        if (wanted[0] == '!') {
                if (r == 0 || !strstr(err.text, wanted + 1) || (err.kind != ERROR_NOT_SUPPORTED && err.kind != ERROR_INVALID_SPEC))
                        fail_msg("%s on v%d: %s", c->resources, v2 ? 2 : 1, r == 0 ? "no error" : err.text);
                return;
        }
        if (r < 0)
                fail_msg("%s on v%d: %s", c->resources, v2 ? 2 : 1, err.text);
        print(&settings, text, sizeof(text));
        if (strcmp(text, wanted))
                fail_msg("%s on v%d: '%s', not '%s'", c->resources, v2 ? 2 : 1, text, wanted);
}

#define FILES_V1 "memory.use_hierarchy=1 memory.memsw.limit_in_bytes=0 blkio.bfq.weight=100"
#define FILES_V2 "cpu.max=max~100000 memory.max=max"

static void every_limit_becomes_its_files(void **state) {
        static const Case cases[] = {
                { "{}", "", "" },
                { "{'memory':{},'cpu':{},'pids':{},'blockIO':{},'network':{},'rdma':{},'unified':{},'hugepageLimits':[]}", "", "" },
                { "{'memory':null,'cpu':{'shares':0,'quota':0,'period':0,'cpus':''},'pids':{'limit':0},'blockIO':{'weight':0}}", "", "" },
                /* memory */
                { "{'memory':{'limit':1048576}}", "memory.limit_in_bytes=1048576", "memory.max=1048576" },
                { "{'memory':{'limit':-1}}", "memory.limit_in_bytes=-1, memory.memsw.limit_in_bytes=-1", "memory.swap.max=max, memory.max=max" },
                { "{'memory':{'limit':1000,'swap':3000}}", "memory.limit_in_bytes=1000, memory.memsw.limit_in_bytes=3000",
                  "memory.swap.max=2000, memory.max=1000" },
                { "{'memory':{'limit':1000,'swap':1000}}", "memory.limit_in_bytes=1000, memory.memsw.limit_in_bytes=1000",
                  "memory.swap.max=0, memory.max=1000" },
                { "{'memory':{'limit':1000,'swap':-1}}", "memory.limit_in_bytes=1000, memory.memsw.limit_in_bytes=-1",
                  "memory.swap.max=max, memory.max=1000" },
                { "{'memory':{'limit':-1,'swap':3000}}", "memory.limit_in_bytes=-1, memory.memsw.limit_in_bytes=3000",
                  "memory.swap.max=3000, memory.max=max" },
                { "{'memory':{'limit':3000,'swap':1000}}", "!memory.swap: 1000 is less", "!memory.swap: 1000 is less" },
                { "{'memory':{'swap':1000}}", "memory.memsw.limit_in_bytes=1000", "!memory.swap: without a limit" },
                { "{'memory':{'limit':-2}}", "!'limit' is -2", "!'limit' is -2" },
                { "{'memory':{'reservation':500}}", "memory.soft_limit_in_bytes=500", "memory.low=500" },
                { "{'memory':{'reservation':-1}}", "memory.soft_limit_in_bytes=-1", "memory.low=max" },
                { "{'memory':{'kernel':500}}", "memory.kmem.limit_in_bytes=500", "!memory.kernel: cgroup v2 has no" },
                { "{'memory':{'kernel':-1}}", "", "" },
                { "{'memory':{'kernelTCP':500}}", "memory.kmem.tcp.limit_in_bytes=500", "!memory.kernelTCP: cgroup v2 has no" },
                { "{'memory':{'swappiness':0}}", "memory.swappiness=0", "!memory.swappiness: cgroup v2 has no" },
                { "{'memory':{'swappiness':101}}", "!memory.swappiness: 101", "!memory.swappiness: 101" },
                { "{'memory':{'swappiness':1.8446744073709552e19}}", "", "" },
                { "{'memory':{'disableOOMKiller':false}}", "", "" },
                { "{'memory':{'disableOOMKiller':true}}", "memory.oom_control=1", "!memory.disableOOMKiller: cgroup v2 cannot" },
                { "{'memory':{'useHierarchy':true}}", "", "" },
                { "{'memory':{'useHierarchy':false}}", "memory.use_hierarchy=0", "!memory.useHierarchy: cgroup v2 always" },
                /* cpu */
                { "{'cpu':{'shares':1024}}", "cpu.shares=1024", "cpu.weight=100" },
                { "{'cpu':{'shares':2}}", "cpu.shares=2", "cpu.weight=1" },
                { "{'cpu':{'shares':262144}}", "cpu.shares=262144", "cpu.weight=10000" },
                { "{'cpu':{'shares':262145}}", "!cpu.shares: 262145", "cpu.weight=10000" },
                { "{'cpu':{'quota':50000}}", "cpu.cfs_quota_us=50000", "cpu.max=50000 100000" },
                { "{'cpu':{'quota':-1}}", "cpu.cfs_quota_us=-1", "cpu.max=max 100000" },
                { "{'cpu':{'quota':50000,'period':200000}}", "cpu.cfs_period_us=200000, cpu.cfs_quota_us=50000", "cpu.max=50000 200000" },
                { "{'cpu':{'period':200000}}", "cpu.cfs_period_us=200000", "cpu.max=max 200000" },
                { "{'cpu':{'quota':50000,'burst':10000}}", "cpu.cfs_burst_us=10000, cpu.cfs_quota_us=50000",
                  "cpu.max.burst=10000, cpu.max=50000 100000" },
                { "{'cpu':{'burst':0}}", "cpu.cfs_burst_us=0", "cpu.max.burst=0" },
                { "{'cpu':{'idle':1}}", "cpu.idle=1", "cpu.idle=1" },
                { "{'cpu':{'idle':2}}", "!'idle' is 2", "!'idle' is 2" },
                { "{'cpu':{'shares':512,'idle':0}}", "cpu.shares=512, cpu.idle=0", "cpu.weight=59, cpu.idle=0" },
                { "{'cpu':{'realtimeRuntime':9000,'realtimePeriod':10000}}", "cpu.rt_period_us=10000, cpu.rt_runtime_us=9000",
                  "!cpu.realtimeRuntime: cgroup v2 does not" },
                { "{'cpu':{'cpus':'0-1,3','mems':'0'}}", "cpuset.mems=0, cpuset.cpus=0-1,3", "cpuset.mems=0, cpuset.cpus=0-1,3" },
                { "{'cpu':{'cpus':'all'}}", "!cpu.cpus: 'all'", "!cpu.cpus: 'all'" },
                /* the rest */
                { "{'pids':{'limit':7}}", "pids.max=7", "pids.max=7" },
                { "{'pids':{'limit':-1}}", "pids.max=max", "pids.max=max" },
                { "{'blockIO':{'weight':10}}", "blkio.bfq.weight=10", "io.weight=1" },
                { "{'blockIO':{'weight':500}}", "blkio.bfq.weight=500", "io.weight=4950" },
                { "{'blockIO':{'weight':1000}}", "blkio.bfq.weight=1000", "io.weight=10000" },
                { "{'blockIO':{'weight':9}}", "!blockIO.weight: 9", "!blockIO.weight: 9" },
                { "{'blockIO':{'leafWeight':500}}", "blkio.leaf_weight=500", "!blockIO.leafWeight: cgroup v2" },
                { "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':500}]}}", "blkio.bfq.weight_device=8:0 500", "io.weight=8:0 4950" },
                { "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'leafWeight':500}]}}", "blkio.leaf_weight_device=8:0 500",
                  "!weightDevice[0]: cgroup v2 has no leaf" },
                { "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':16,'rate':1000}]}}", "blkio.throttle.read_bps_device=8:16 1000",
                  "io.max=8:16 rbps=1000" },
                { "{'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':16,'rate':0}]}}", "blkio.throttle.write_iops_device=8:16 0",
                  "io.max=8:16 wiops=max" },
                { "{'hugepageLimits':[{'pageSize':'2MB','limit':4194304}]}",
                  "hugetlb.2MB.limit_in_bytes=4194304, hugetlb.2MB.rsvd.limit_in_bytes=4194304",
                  "hugetlb.2MB.max=4194304, hugetlb.2MB.rsvd.max=4194304" },
                { "{'hugepageLimits':[{'pageSize':'1GB','limit':1.8446744073709552e19}]}",
                  "hugetlb.1GB.limit_in_bytes=-1, hugetlb.1GB.rsvd.limit_in_bytes=-1", "hugetlb.1GB.max=max, hugetlb.1GB.rsvd.max=max" },
                { "{'hugepageLimits':[{'pageSize':'../2MB','limit':1}]}", "!not a page size", "!not a page size" },
                { "{'network':{'classID':1048577}}", "net_cls.classid=1048577", "!network.classID: cgroup v2 has no net_cls" },
                { "{'network':{'priorities':[{'name':'eth0','priority':500}]}}", "net_prio.ifpriomap=eth0 500",
                  "!network.priorities[0]: cgroup v2 has no net_prio" },
                { "{'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000}}}", "rdma.max=mlx5_1 hca_handle=3 hca_object=10000",
                  "rdma.max=mlx5_1 hca_handle=3 hca_object=10000" },
                { "{'rdma':{'mlx5_1':{'hcaObjects':0}}}", "rdma.max=mlx5_1 hca_object=0", "rdma.max=mlx5_1 hca_object=0" },
                { "{'unified':{'memory.high':'1000','io.max':'8:0 rbps=1\\n8:16 rbps=2\\n'}}", "!unified: the container's cgroup has no v2",
                  "memory.high=1000, io.max=8:0 rbps=1, io.max=8:16 rbps=2" },
                { "{'unified':{'cgroup.procs':'1'}}", "!unified", "!unified: 'cgroup.procs' is not a resource" },
                { "{'unified':{'../cgroup.procs':'1'}}", "!unified", "!is not the name of a cgroup file" },
                { "{'memory':{'limit':1000},'unified':{'memory.max':'2000'}}", "!unified", "memory.max=1000, memory.max=2000" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                check(*state, &cases[i], false, FILES_V1, false);
                check(*state, &cases[i], true, FILES_V2, false);
        }
}

static void an_update_leaves_what_it_does_not_name(void **state) {
        static const Case cases[] = {
                { "{'cpu':{'quota':50000}}", "cpu.cfs_quota_us=50000", "cpu.max=50000" },
                { "{'cpu':{'period':50000}}", "cpu.cfs_period_us=50000", "cpu.max=20000 50000" },
                { "{'cpu':{'quota':-1}}", "cpu.cfs_quota_us=-1", "cpu.max=max" },
                { "{'memory':{'swap':5000}}", "memory.memsw.limit_in_bytes=5000", "memory.swap.max=4000" },
                { "{'memory':{'swap':500}}", "memory.memsw.limit_in_bytes=500", "!memory.swap: 500 is less than the limit 1000" },
                { "{'memory':{'disableOOMKiller':false}}", "memory.oom_control=0", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                check(*state, &cases[i], false, FILES_V1 " memory.oom_control=oom_kill_disable~1|under_oom~0", true);
                check(*state, &cases[i], true, "cpu.max=20000~100000 memory.max=1000", true);
        }
}

static void weights_go_to_the_file_that_the_kernel_has(void **state) {
        static const Case cfq = { "{'blockIO':{'weight':500,'weightDevice':[{'major':8,'minor':0,'weight':300}]}}",
                                  "blkio.weight=500, blkio.weight_device=8:0 300", "" };
        static const Case bfq = { "{'blockIO':{'weight':500,'weightDevice':[{'major':8,'minor':0,'weight':300}]}}", "",
                                  "io.bfq.weight=500, io.bfq.weight=8:0 300" };

        check(*state, &cfq, false, "blkio.weight=500 blkio.bfq.weight=500", false);
        check(*state, &bfq, true, "io.bfq.weight=default~100", false);
}

static void a_limit_below_the_usage_is_refused_before_anything_changes_when_asked(void **state) {
        _cleanup_json_ json_t *resources = parse("{'memory':{'limit':1000,'checkBeforeUpdate':true}}");
        Error err = ERROR_INIT;

        for (unsigned v2 = 0; v2 < 2; v2++) {
                _cleanup_target_ CgroupTarget target;
                CgroupSettings settings = {};

                make_target(*state, v2, v2 ? "memory.current=5000" : "memory.usage_in_bytes=5000 memory.use_hierarchy=1", &target);
                assert_int_equal(cgroup_settings_build(resources, &target, &settings, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_STATE);
                assert_non_null(strstr(err.text, "linux.resources.memory.limit: 1000 is no more than the 5000 bytes"));
        }
}

static void what_the_host_lacks_is_named_by_its_place(void **state) {
        static const struct {
                const char *resources, *text;
        } cases[] = {
                { "{'memory':{'limit':1000,'swap':2000}}", "linux.resources.memory.swap: the kernel does not count swap" },
                { "{'hugepageLimits':[{'pageSize':'2MB','limit':1}]}",
                  "linux.resources.hugepageLimits[0]: this kernel has no huge pages of that size" },
                { "{'blockIO':{'weight':100}}", "linux.resources.blockIO.weight: this kernel has no weights of block IO (BFQ, or io.cost on cgroup v2)" },
                { "{'unified':{'misc.max':'1'}}",
                  "linux.resources.unified.misc.max: the container's cgroup has no such file, or not its controller" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_json_ json_t *resources = parse(cases[i].resources);
                _cleanup_settings_ CgroupSettings settings = {};
                _cleanup_target_ CgroupTarget target;
                Error err = ERROR_INIT;

                make_target(*state, true, "memory.max=max", &target);
                assert_int_equal(cgroup_settings_build(resources, &target, &settings, &err), 0);
                assert_int_equal(cgroup_settings_apply(&settings, &target, &err), -1);
                assert_int_equal(err.kind, ERROR_NOT_SUPPORTED);
                assert_string_equal(err.text, cases[i].text);
        }
}

static void lifting_a_limit_that_cannot_be_set_is_no_error(void **state) {
        _cleanup_json_ json_t *resources = parse("{'memory':{'limit':1000,'swap':-1},'pids':{'limit':-1}}");
        _cleanup_settings_ CgroupSettings settings = {};
        _cleanup_target_ CgroupTarget target;
        Error err = ERROR_INIT;

        make_target(*state, true, "memory.max=max pids.max=5", &target);
        assert_int_equal(cgroup_settings_build(resources, &target, &settings, &err), 0);
        assert_int_equal(cgroup_settings_apply(&settings, &target, &err), 0);
}

static void no_controller_is_an_error_only_for_what_needs_it(void **state) {
        static const char *const needed[] = {
                "{'memory':{'limit':1}}", "{'cpu':{'shares':2}}", "{'cpu':{'cpus':'0'}}", "{'pids':{'limit':1}}", "{'blockIO':{'weight':10}}",
                "{'network':{'classID':1}}", "{'rdma':{'a':{'hcaHandles':1}}}", "{'unified':{'a.b':'1'}}",
                "{'hugepageLimits':[{'pageSize':'2MB','limit':1}]}",
        };
        static const char *const not_needed[] = { "{'memory':{'limit':-1,'swap':-1}}", "{'cpu':{'quota':-1}}", "{'pids':{'limit':-1}}" };
        CgroupSettings settings = {};
        Error err = ERROR_INIT;
        CgroupTarget target;

        cgroup_target_init(&target);
        for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
                _cleanup_json_ json_t *resources = parse(needed[i]);

                assert_int_not_equal(resources_need(resources), 0);
                if (cgroup_settings_build(resources, &target, &settings, &err) == 0 || err.kind != ERROR_NOT_SUPPORTED)
                        fail_msg("%s: %s", needed[i], err.text);
        }
        for (size_t i = 0; i < ARRAY_SIZE(not_needed); i++) {
                _cleanup_json_ json_t *resources = parse(not_needed[i]);

                if (cgroup_settings_build(resources, &target, &settings, &err) < 0)
                        fail_msg("%s: %s", not_needed[i], err.text);
                assert_int_equal(settings.n, 0);
        }
}

/* The formula with libm's functions, which the program does without. */
static void shares_become_weights_as_the_runtimes_have_it(void **state) {
        for (uint64_t shares = 3; shares < 262144; shares++) {
                double l = log2((double) shares);
                double exact = pow(10, (l * l + 125 * l) / 612 - 7.0 / 34);
                uint64_t wanted = (uint64_t) ceil(exact - 1e-9);

                if (cpu_weight_from_shares(shares) != wanted)
                        fail_msg("%llu: %llu, not %llu", (unsigned long long) shares, (unsigned long long) cpu_weight_from_shares(shares),
                                 (unsigned long long) wanted);
        }
        assert_int_equal(cpu_weight_from_shares(0), 1);
        assert_int_equal(cpu_weight_from_shares(1024), 100);
        assert_int_equal(cpu_weight_from_shares(UINT64_MAX), 10000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(every_limit_becomes_its_files),
                scratch_test(an_update_leaves_what_it_does_not_name),
                scratch_test(weights_go_to_the_file_that_the_kernel_has),
                scratch_test(a_limit_below_the_usage_is_refused_before_anything_changes_when_asked),
                scratch_test(what_the_host_lacks_is_named_by_its_place),
                scratch_test(lifting_a_limit_that_cannot_be_set_is_no_error),
                cmocka_unit_test(no_controller_is_an_error_only_for_what_needs_it),
                cmocka_unit_test(shares_become_weights_as_the_runtimes_have_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
