#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/lock.h"
#include "base/process.h"

#include "../scratch.h"

static int scratch_fd(void **state) {
        return ((Scratch *) *state)->fd;
}

static int try(int dir_fd, LockMode mode, int *ret_fd, Error *err) {
        return lock_take_at(dir_fd, "lock", mode, false, ret_fd, err);
}

static void an_exclusive_lock_is_refused_at_once_while_held(void **state) {
        _cleanup_close_ int held = -EBADF, second = -EBADF;
        Error err = ERROR_INIT;
        struct stat st;

        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &held, NULL), 0);
        assert_true(fcntl(held, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fstat(held, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &second, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_int_equal(err.errnum, EWOULDBLOCK);
        assert_int_equal(try(scratch_fd(state), LOCK_SHARED, &second, &err), -1);

        close(TAKE_FD(held));
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &second, NULL), 0);
}

static void shared_locks_stand_together_against_exclusive_ones(void **state) {
        _cleanup_close_ int a = -EBADF, b = -EBADF, c = -EBADF;

        assert_int_equal(try(scratch_fd(state), LOCK_SHARED, &a, NULL), 0);
        assert_int_equal(try(scratch_fd(state), LOCK_SHARED, &b, NULL), 0);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &c, NULL), -1);
        close(TAKE_FD(a));
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &c, NULL), -1);
        close(TAKE_FD(b));
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &c, NULL), 0);
}

/* A child that holds the lock, does @then after a while, and lets go by being killed. */
static pid_t start_holder(int dir_fd, void (*then)(int dir_fd)) {
        int ready[2];
        pid_t pid;
        char c;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                int fd;

                if (try(dir_fd, LOCK_EXCLUSIVE, &fd, NULL) < 0 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                usleep(200 * 1000);
                if (then)
                        then(dir_fd);
                raise(SIGKILL);
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        close(ready[0]);
        close(ready[1]);
        return pid;
}

static void a_killed_holder_frees_the_lock_for_who_waits(void **state) {
        _cleanup_close_ int fd = -EBADF;
        int status;
        pid_t pid = start_holder(scratch_fd(state), NULL);

        assert_int_equal(lock_take_at(scratch_fd(state), "lock", LOCK_EXCLUSIVE, true, &fd, NULL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
}

static void remove_lock(int dir_fd) {
        (void) unlinkat(dir_fd, "lock", 0);
}

static void replace_lock(int dir_fd) {
        (void) unlinkat(dir_fd, "lock", 0);
        close(openat(dir_fd, "lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* Who waited must end with a lock on the file that has the name, or another could lock that one beside it. */
static void check_after(void **state, void (*then)(int dir_fd)) {
        _cleanup_close_ int fd = -EBADF, second = -EBADF;
        struct stat held, named;
        int status;
        pid_t pid = start_holder(scratch_fd(state), then);

        assert_int_equal(lock_take_at(scratch_fd(state), "lock", LOCK_EXCLUSIVE, true, &fd, NULL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(fstat(fd, &held), 0);
        assert_int_equal(fstatat(scratch_fd(state), "lock", &named, 0), 0);
        assert_int_equal(held.st_ino, named.st_ino);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &second, NULL), -1);
}

static void a_lock_removed_while_waiting_is_made_anew(void **state) {
        check_after(state, remove_lock);
}

static void a_lock_replaced_while_waiting_is_taken_anew(void **state) {
        check_after(state, replace_lock);
}

static void a_symlink_is_never_locked(void **state) {
        _cleanup_close_ int fd = -EBADF;
        Error err = ERROR_INIT;

        assert_int_equal(symlinkat("elsewhere", scratch_fd(state), "lock"), 0);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &fd, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(faccessat(scratch_fd(state), "elsewhere", F_OK, 0), -1);
}

static void a_forked_child_shares_the_lock(void **state) {
        int held, status;
        _cleanup_close_ int second = -EBADF;
        pid_t pid;

        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &held, NULL), 0);
        pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        close(held);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &second, NULL), -1);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(try(scratch_fd(state), LOCK_EXCLUSIVE, &second, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(an_exclusive_lock_is_refused_at_once_while_held),
                scratch_test(shared_locks_stand_together_against_exclusive_ones),
                scratch_test(a_killed_holder_frees_the_lock_for_who_waits),
                scratch_test(a_lock_removed_while_waiting_is_made_anew),
                scratch_test(a_lock_replaced_while_waiting_is_taken_anew),
                scratch_test(a_symlink_is_never_locked),
                scratch_test(a_forked_child_shares_the_lock),
        };

        alarm(60); /* a lock that never comes */
        return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
