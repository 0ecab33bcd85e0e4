/* Statistics and news of a container's cgroups. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <time.h>

#include "cgroup-fixture.h"
#include "oci/runtime-spec.h"

static int use_memory_and_time(void *userdata) {
        volatile char *memory = malloc(16u << 20);
        clock_t end = clock() + CLOCKS_PER_SEC / 20;
        int *ready = userdata;

        for (size_t i = 0; i < 16u << 20; i += 4096)
                memory[i] = 1;
        while (clock() < end)
                ;
        (void) !write(ready[1], "", 1);
        return pause();
}

static json_int_t number(const json_t *data, const char *part, const char *entry, const char *key) {
        const json_t *object = json_object_get(data, part);

        if (entry)
                object = json_object_get(object, entry);
        return json_integer_value(json_object_get(object, key));
}

static void they_have_the_names_of_runc_and_true_numbers(void **state) {
        static const char *const parts[] = { "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt" };
        _cleanup_json_ json_t *resources = fixture_json("{'memory':{'limit':67108864},'pids':{'limit':17}}"), *data = NULL;
        const CgroupRequest request = { .id = "lxcri-unit-stats", .resources = resources };
        Error err = ERROR_INIT;
        Cgroup *cgroup;
        int ready[2];
        char byte;

        needs_cgroups();
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        cgroup = fixture_create(&request);
        (void) fixture_enter(cgroup, use_memory_and_time, ready);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        if (cgroup_stats(cgroup->directories, &data, &err) < 0)
                fail_msg("%s", err.text);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                assert_true(json_is_object(json_object_get(data, parts[i])));
        assert_true(json_is_null(json_object_get(data, "network_interfaces")));
        assert_true(number(data, "cpu", "usage", "total") >= 10000000); /* ns */
        assert_true(number(data, "cpu", "usage", "total") < 60000000000);
        assert_int_equal(number(data, "pids", NULL, "current"), 1);
        assert_int_equal(number(data, "pids", NULL, "limit"), 17);
        assert_int_equal(number(data, "memory", "usage", "limit"), 67108864);
        assert_true(number(data, "memory", "usage", "usage") >= 16 << 20);
        assert_true(number(data, "memory", "usage", "usage") <= 67108864);
        assert_true(number(data, "memory", "swap", "usage") >= 16 << 20);
        assert_true(json_object_size(json_object_get(json_object_get(data, "memory"), "raw")) > 10);
        fixture_remove(cgroup);
        close(ready[0]);
        close(ready[1]);
}

static void no_limit_is_printed_as_an_integer(void **state) {
        _cleanup_json_ json_t *data = json_pack("{s:f, s:s}", "limit", 0x1p64, "text", "1.8446744073709552e19");
        _cleanup_free_ char *text = NULL;

        assert_int_equal(spec_print(data, &text, NULL), 0);
        assert_string_equal(text, "{\"limit\":18446744073709551615,\"text\":\"1.8446744073709552e19\"}");
}

static void of_cgroups_that_are_gone_there_are_none(void **state) {
        char *gone[] = { (char *) "/sys/fs/cgroup/lxcri-unit-gone", NULL };
        _cleanup_json_ json_t *data = NULL;

        assert_int_equal(cgroup_stats(gone, &data, NULL), 0);
        assert_int_equal(number(data, "pids", NULL, "current"), 0);
}

static int eat_memory(void *userdata) {
        for (unsigned n = 0; n < 256; n++) {
                volatile char *memory = malloc(1u << 20);

                for (size_t i = 0; memory && i < 1u << 20; i += 4096)
                        memory[i] = 1;
        }
        return 0;
}

static void running_out_of_memory_is_heard_of_and_so_is_the_end(void **state) {
        _cleanup_json_ json_t *resources = fixture_json("{'memory':{'limit':33554432,'swap':33554432}}");
        const CgroupRequest request = { .id = "lxcri-unit-oom", .resources = resources };
        struct pollfd poll_fd = { .events = POLLIN };
        bool killed = true, gone = true;
        Error err = ERROR_INIT;
        CgroupOom oom;
        Cgroup *cgroup;

        needs_cgroups();
        cgroup = fixture_create(&request);
        (void) fixture_enter(cgroup, fixture_sleep, NULL);
        if (cgroup_oom_open(cgroup->directories, &oom, &err) < 0)
                fail_msg("%s", err.text);
        poll_fd.fd = oom.fd;
        assert_int_equal(cgroup_oom_read(&oom, &killed, &gone, &err), 0);
        assert_false(killed || gone);
        assert_int_equal(fixture_run(cgroup, fixture_nothing, NULL), 0);
        assert_int_equal(cgroup_oom_read(&oom, &killed, &gone, &err), 0);
        assert_false(killed || gone);

        assert_int_equal(fixture_run(cgroup, eat_memory, NULL), 128 + SIGKILL);
        for (killed = false; !killed;) {
                assert_int_equal(poll(&poll_fd, 1, 60000), 1);
                assert_int_equal(cgroup_oom_read(&oom, &killed, &gone, &err), 0);
                assert_false(gone);
        }
        fixture_remove(cgroup);
        while (!gone) {
                assert_int_equal(poll(&poll_fd, 1, 60000), 1);
                assert_int_equal(cgroup_oom_read(&oom, &killed, &gone, &err), 0);
        }
        assert_false(killed);
        cgroup_oom_close(&oom);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(they_have_the_names_of_runc_and_true_numbers),
                cmocka_unit_test(no_limit_is_printed_as_an_integer),
                cmocka_unit_test(of_cgroups_that_are_gone_there_are_none),
                cmocka_unit_test(running_out_of_memory_is_heard_of_and_so_is_the_end),
        };

        alarm(120);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
