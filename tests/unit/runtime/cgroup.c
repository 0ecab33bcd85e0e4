/* Cgroups, on the hierarchies this machine has. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "runtime/cgroup.h"
#include "scratch.h"

/* Makes the cgroups that a runtime would make for @name, and returns them; NULL where that is not possible. */
static char **make_cgroups(const char *name) {
        char **expected, **made = calloc(1, sizeof(*made));
        Error err = ERROR_INIT;

        if (cgroup_expected(name, NULL, false, &expected, &err) < 0)
                fail_msg("%s", err.text);
        for (char **c = expected; *c; c++)
                if (mkdir(*c, 0755) == 0)
                        assert_int_equal(strv_push(&made, *c, NULL), 0);
        strv_free(expected);
        return made;
}

static void move_to(char *const *cgroups, pid_t pid) {
        for (; *cgroups; cgroups++) {
                char path[PATH_MAX], text[16];
                _cleanup_close_ int fd = -EBADF;
                int n = snprintf(text, sizeof(text), "%d", (int) pid);

                /* cpuset needs its values first */
                (void) snprintf(path, sizeof(path), "%s/cpuset.mems", *cgroups);
                fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd >= 0)
                        (void) !write(fd, "0", 1);
                close_keep_errno(fd);
                (void) snprintf(path, sizeof(path), "%s/cpuset.cpus", *cgroups);
                fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd >= 0)
                        (void) !write(fd, "0", 1);
                close_keep_errno(fd);
                (void) snprintf(path, sizeof(path), "%s/cgroup.procs", *cgroups);
                fd = open(path, O_WRONLY | O_CLOEXEC);
                if (write(fd, text, (size_t) n) < 0)
                        fail_msg("%s: %m", path);
        }
        assert_int_equal(kill(pid, SIGCONT), 0);
}

/* Stopped until move_to() has put it into its cgroups: nothing that it starts is outside of them. */
static pid_t spawn_shell(const char *shell) {
        const char *argv[] = { "/bin/sh", "-c", "kill -STOP $$; eval \"$0\"", shell, NULL };
        const Spawn spawn = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .parent_death_signal = SIGKILL };
        pid_t pid;
        int status;

        assert_int_equal(process_spawn(&spawn, &pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        return pid;
}

#define with_cgroups(name)                  \
        char **cgroups = make_cgroups(name); \
        Error err __attribute__((unused)) = ERROR_INIT; \
        if (!cgroups[0])                     \
        skip()

static void finish(char **cgroups) {
        Error err = ERROR_INIT;

        if (cgroup_remove_all(cgroups, 5000, &err) < 0)
                fail_msg("%s", err.text);
        for (char **c = cgroups; *c; c++)
                assert_int_equal(access(*c, F_OK), -1);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        strv_free(cgroups);
}

static void processes_are_found_killed_and_their_cgroups_removed(void **state) {
        with_cgroups("lxcri-unit-cgroup-kill");
        _cleanup_strv_ char **found = NULL;
        _cleanup_free_ pid_t *pids = NULL;
        pid_t pid = spawn_shell("sleep 1000 & sleep 1000 & wait");
        ProcessRef second;
        char below[PATH_MAX];
        size_t n;

        move_to(cgroups, pid);
        assert_int_equal(cgroup_of_process(pid, &found, &err), 0);
        assert_non_null(found[0]);
        for (char **f = found; *f; f++) {
                char **c = cgroups;

                while (*c && strcmp(*c, *f))
                        c++;
                assert_non_null(*c);
        }
        for (n = 0; n != 3;) { /* main's alarm ends it */
                nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
                free(pids);
                pids = NULL;
                assert_int_equal(cgroup_pids(cgroups, &pids, &n, &err), 0);
        }
        assert_int_equal(process_ref(pids[1], &second, &err), 0);
        (void) snprintf(below, sizeof(below), "%s/below", cgroups[0]);
        assert_int_equal(mkdir(below, 0755), 0);
        finish(cgroups);
        assert_false(process_is_alive(&second));
}

static void a_fork_bomb_is_killed(void **state) {
        with_cgroups("lxcri-unit-cgroup-bomb");
        bool limited = false;
        pid_t pid;

        for (char **c = cgroups; *c; c++) {
                char path[PATH_MAX];
                _cleanup_close_ int fd = -EBADF;

                (void) snprintf(path, sizeof(path), "%s/pids.max", *c);
                fd = open(path, O_WRONLY | O_CLOEXEC);
                limited = (fd >= 0 && write(fd, "300", 3) == 3) || limited;
        }
        if (limited) { /* else it is too dangerous a test */
                pid = spawn_shell("f() { while :; do (sleep 1000 &); (:); done; }; f & f & f & wait");
                move_to(cgroups, pid);
                nanosleep(&(struct timespec) { .tv_nsec = 400000000 }, NULL);
        }
        finish(cgroups);
}

static void freezing_and_thawing(void **state) {
        with_cgroups("lxcri-unit-cgroup-freeze");
        pid_t pid = spawn_shell("sleep 1000");
        bool frozen = true;

        move_to(cgroups, pid);
        assert_int_equal(cgroup_is_frozen(cgroups, &frozen, &err), 0);
        assert_false(frozen);
        assert_int_equal(cgroup_freeze(cgroups, true, 5000, &err), 0);
        assert_int_equal(cgroup_is_frozen(cgroups, &frozen, &err), 0);
        assert_true(frozen);
        assert_int_equal(cgroup_freeze(cgroups, false, 5000, &err), 0);
        assert_int_equal(cgroup_is_frozen(cgroups, &frozen, &err), 0);
        assert_false(frozen);
        assert_int_equal(cgroup_freeze(cgroups, true, 5000, &err), 0);
        finish(cgroups); /* frozen, and still it goes */
}

static void an_oom_kill_is_seen(void **state) {
        with_cgroups("lxcri-unit-cgroup-oom");
        pid_t pid = spawn_shell("exec head -c 200000000 /dev/zero | tail -c 190000000 > /dev/null");
        bool oom = true, limited = false;
        int status;

        for (char **c = cgroups; *c; c++) {
                static const char *const names[] = { "memory.max", "memory.limit_in_bytes" };

                for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                        char path[PATH_MAX];
                        _cleanup_close_ int fd = -EBADF;

                        (void) snprintf(path, sizeof(path), "%s/%s", *c, names[i]);
                        fd = open(path, O_WRONLY | O_CLOEXEC);
                        limited = (fd >= 0 && write(fd, "16777216", 8) == 8) || limited;
                }
        }
        move_to(cgroups, pid);
        assert_int_equal(cgroup_was_oom_killed(cgroups, &oom, &err), 0);
        assert_false(oom);
        if (limited) {
                assert_int_equal(process_wait(pid, &status, NULL), 0);
                assert_int_equal(cgroup_was_oom_killed(cgroups, &oom, &err), 0);
                assert_true(oom);
        }
        finish(cgroups);
}

static void our_own_cgroup_and_plain_directories_are_refused(void **state) {
        Scratch *scratch = *state;
        _cleanup_strv_ char **own = NULL;
        Error err = ERROR_INIT;
        char *plain[] = { scratch->path, NULL }, *top[] = { (char *) "/sys/fs/cgroup", NULL },
             *missing[] = { (char *) "/sys/fs/cgroup/no-such", NULL };
        struct stat st;

        assert_int_equal(cgroup_of_process(getpid(), &own, &err), 0);
        assert_null(own[0]);
        assert_int_equal(cgroup_remove_all(plain, 100, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(stat(scratch->path, &st), 0);
        assert_int_equal(cgroup_remove_all(top, 100, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(cgroup_signal_all(top, SIGKILL, &err), -1);
        assert_int_equal(cgroup_remove_all(missing, 100, &err), 0);
}

static void assert_has(char *const *list, const char *end) {
        for (char *const *c = list; *c; c++)
                if (strlen(*c) > strlen(end) && !strcmp(*c + strlen(*c) - strlen(end), end))
                        return;
        fail_msg("no '%s'", end);
}

static void expected_names_follow_the_runtimes(void **state) {
        char **list;
        Error err = ERROR_INIT;

        assert_int_equal(cgroup_expected("some-id", "/a/../b//c", false, &list, &err), 0);
        assert_has(list, "/b/c");
        strv_free(list);
        assert_int_equal(cgroup_expected("some-id", NULL, false, &list, &err), 0);
        assert_has(list, "/some-id");
        strv_free(list);
        assert_int_equal(cgroup_expected("some-id", NULL, true, &list, &err), 0);
        assert_has(list, "/system.slice/crun-some-id.scope");
        assert_has(list, "/system.slice/runc-some-id.scope");
        strv_free(list);
        assert_int_equal(cgroup_expected("some-id", "a-b.slice:libpod:x", true, &list, &err), 0);
        assert_has(list, "/a.slice/a-b.slice/libpod-x.scope");
        strv_free(list);
        /* what exists is never ours, the root least of all */
        assert_int_equal(cgroup_expected("some-id", "/", false, &list, &err), 0);
        assert_null(list[0]);
        strv_free(list);
        assert_int_equal(cgroup_expected("some-id", "/../..", false, &list, &err), 0);
        assert_null(list[0]);
        strv_free(list);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(processes_are_found_killed_and_their_cgroups_removed),
                cmocka_unit_test(a_fork_bomb_is_killed),
                cmocka_unit_test(freezing_and_thawing),
                cmocka_unit_test(an_oom_kill_is_seen),
                scratch_test(our_own_cgroup_and_plain_directories_are_refused),
                cmocka_unit_test(expected_names_follow_the_runtimes),
        };

        alarm(60);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
