#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/process.h"

#ifdef TEST_HOOKS

static void only_the_named_point_fails(void **state) {
        Error err = ERROR_INIT;

        setenv("PROXMOX_LXCRI_FAULT", "layers.middle:error", 1);
        assert_int_equal(fault_point("layers.start", &err), 0);
        assert_int_equal(fault_point("layers", &err), 0);
        assert_int_equal(fault_point("layers.middle.x", &err), 0);
        assert_int_equal(fault_point("layers.middle", &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_string_equal(err.text, "injected fault at 'layers.middle': Input/output error");
        unsetenv("PROXMOX_LXCRI_FAULT");
        assert_int_equal(fault_point("layers.middle", &err), 0);
}

static void kill_takes_the_whole_process_group(void **state) {
        int status, ends[2];
        pid_t pid;
        char c;

        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                setpgid(0, 0);
                if (fork() == 0)
                        for (;;)
                                pause();
                setenv("PROXMOX_LXCRI_FAULT", "a:kill", 1);
                (void) fault_point("a", NULL);
                _exit(0);
        }
        close(ends[1]);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        alarm(30);
        assert_int_equal(read(ends[0], &c, 1), 0); /* the grandchild held the other end too */
        alarm(0);
        close(ends[0]);
}

#else

static void points_of_a_plain_build_do_nothing(void **state) {
        setenv("PROXMOX_LXCRI_FAULT", "a:kill", 1);
        assert_int_equal(fault_point("a", NULL), 0);
}

#endif

int main(void) {
        const struct CMUnitTest tests[] = {
#ifdef TEST_HOOKS
                cmocka_unit_test(only_the_named_point_fails),
                cmocka_unit_test(kill_takes_the_whole_process_group),
#else
                cmocka_unit_test(points_of_a_plain_build_do_nothing),
#endif
        };

        return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
