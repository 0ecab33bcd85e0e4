/* Reservation of an id: by many at once, across removal, and after a crash. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../scratch.h"
#include "lifecycle/rundir.h"

#define PROCESSES 32

static void reserves_once(void **state) {
        _cleanup_(rundir_freep) RunDir *dir = NULL, *second = NULL;
        const Scratch *scratch = *state;
        Error err = ERROR_INIT;

        assert_int_equal(rundir_reserve(scratch->path, "a", &dir, NULL), 0);
        assert_int_equal(rundir_reserve(scratch->path, "a", &second, &err), -1);
        assert_int_equal(err.kind, ERROR_CONTAINER_EXISTS);
        assert_null(second);
        /* Another id is another matter. */
        assert_int_equal(rundir_reserve(scratch->path, "b", &second, NULL), 0);
}

static void a_missing_root_is_made(void **state) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        const Scratch *scratch = *state;
        char root[128];

        snprintf(root, sizeof(root), "%s/deep/root", scratch->path);
        assert_int_equal(rundir_open(root, "a", &dir, NULL), 0);
        assert_null(dir);
        assert_int_equal(rundir_reserve(root, "a", &dir, NULL), 0);
}

static void removal_leaves_nothing(void **state) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        const Scratch *scratch = *state;

        assert_int_equal(rundir_reserve(scratch->path, "a", &dir, NULL), 0);
        assert_int_equal(dir_make_at(dir->fd, "runtime/deep", 0700, NULL, NULL), 0);
        assert_int_equal(file_write_atomic_at(dir->fd, "journal", "x", 1, 0600, 0, NULL), 0);
        assert_int_equal(rundir_remove(dir, NULL), 0);
        assert_int_equal(faccessat(scratch->fd, "a", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* Who opened the directory before it was removed must not take its lock for the id's. */
static void a_removed_directory_is_gone(void **state) {
        _cleanup_(rundir_freep) RunDir *owner = NULL, *late = NULL, *next = NULL;
        const Scratch *scratch = *state;
        bool gone = false;

        assert_int_equal(rundir_reserve(scratch->path, "a", &owner, NULL), 0);
        assert_int_equal(rundir_open(scratch->path, "a", &late, NULL), 0);
        assert_int_equal(rundir_remove(owner, NULL), 0);
        assert_int_equal(rundir_lock(late, false, &gone, NULL), 0);
        assert_true(gone);
        assert_true(late->lock_fd < 0);
        /* And the same when the id has a new owner by then. */
        assert_int_equal(rundir_reserve(scratch->path, "a", &next, NULL), 0);
        gone = false;
        assert_int_equal(rundir_lock(late, false, &gone, NULL), 0);
        assert_true(gone);
}

/* One that was moved away by hand is no longer the id's, whoever has it open. */
static void a_moved_directory_is_gone(void **state) {
        _cleanup_(rundir_freep) RunDir *owner = NULL, *late = NULL;
        const Scratch *scratch = *state;
        bool gone = false;

        assert_int_equal(rundir_reserve(scratch->path, "a", &owner, NULL), 0);
        assert_int_equal(rundir_open(scratch->path, "a", &late, NULL), 0);
        assert_int_equal(renameat(scratch->fd, "a", scratch->fd, "b"), 0);
        rundir_unlock(owner);
        assert_int_equal(rundir_lock(late, false, &gone, NULL), 0);
        assert_true(gone);
        assert_true(late->lock_fd < 0);
}

static void a_dead_owner_leaves_no_lock(void **state) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        const Scratch *scratch = *state;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                RunDir *mine;

                if (rundir_reserve(scratch->path, "a", &mine, NULL) == 0)
                        raise(SIGKILL);
                _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(rundir_reserve(scratch->path, "a", &dir, NULL), 0);
}

/* Each of many processes reserves the id as often as it can, and meanwhile must be alone. */
static void contend(const char *root) {
        for (int won = 0; won < 5;) {
                _cleanup_(rundir_freep) RunDir *dir = NULL;
                _cleanup_close_ int fd = -EBADF;
                Error err = ERROR_INIT;

                if (rundir_reserve(root, "a", &dir, &err) < 0) {
                        if (err.kind != ERROR_CONTAINER_EXISTS) {
                                fprintf(stderr, "%s\n", err.text);
                                _exit(1);
                        }
                        (void) nanosleep(&(struct timespec) { .tv_nsec = 200000 }, NULL);
                        continue;
                }
                fd = openat(dir->fd, "alone", O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                if (fd < 0 || rundir_remove(dir, &err) < 0) {
                        fprintf(stderr, "not alone: %s %s\n", strerror(errno), err.text);
                        _exit(2);
                }
                won++;
        }
        _exit(0);
}

static void only_one_of_many_has_it(void **state) {
        const Scratch *scratch = *state;
        pid_t pids[PROCESSES];
        int status;

        for (int i = 0; i < PROCESSES; i++) {
                pids[i] = fork();
                if (pids[i] == 0)
                        contend(scratch->path);
        }
        for (int i = 0; i < PROCESSES; i++) {
                assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                assert_int_equal(status, 0);
        }
        assert_int_equal(faccessat(scratch->fd, "a", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(reserves_once),
                scratch_test(a_missing_root_is_made),
                scratch_test(removal_leaves_nothing),
                scratch_test(a_removed_directory_is_gone),
                scratch_test(a_moved_directory_is_gone),
                scratch_test(a_dead_owner_leaves_no_lock),
                scratch_test(only_one_of_many_has_it),
        };

        return cmocka_run_group_tests_name("lifecycle/rundir", tests, NULL, NULL);
}
