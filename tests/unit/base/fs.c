#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/process.h"

#include "../scratch.h"

static int scratch_fd(void **state) {
        return ((Scratch *) *state)->fd;
}

static void put(int dir_fd, const char *name, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
}

static void check_content(int dir_fd, const char *name, const char *expected) {
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;

        if (file_read_at(dir_fd, name, 1 << 20, &text, NULL, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(text, expected);
}

static bool exists(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned count_entries(int dir_fd) {
        _cleanup_closedir_ DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        unsigned n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        return n - 2;
}

/* Runs @body in a child, so that limits, namespaces and credentials end with it; its assertions are its exit code. */
static void in_child(void (*body)(int dir_fd), int dir_fd) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                body(dir_fd);
                _exit(0);
        }
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(status, 0);
}

#define CHILD_CHECK(condition)                                                                                       \
        do {                                                                                                        \
                if (!(condition)) {                                                                                 \
                        fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerrordesc_np(errno)); \
                        _exit(1);                                                                                   \
                }                                                                                                   \
        } while (0)

/* A private mount namespace, with @dir_fd's directory as working directory: descriptors from before belong to the old namespace. */
static int enter_namespace(int dir_fd) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF;

        CHILD_CHECK(fd_get_path(dir_fd, &path, NULL) == 0);
        CHILD_CHECK(unshare(CLONE_NEWNS) == 0);
        CHILD_CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHILD_CHECK(chdir(path) == 0);
        CHILD_CHECK(dir_open_at(AT_FDCWD, path, &fd, NULL) == 0);
        return fd;
}

/* ---- reading ---- */

static void whole_files_are_read(void **state) {
        int fd = scratch_fd(state);
        _cleanup_free_ char *data = NULL, *proc = NULL, *sys = NULL;
        size_t len = 0;

        put(fd, "empty", "");
        check_content(fd, "empty", "");
        put(fd, "some", "some\ntext");
        check_content(fd, "some", "some\ntext");

        /* One whose size is not known beforehand, and a NUL within. */
        assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 1 << 20, &proc, NULL, NULL), 0);
        assert_non_null(strstr(proc, "State:"));
        /* One that is said to be larger than it is */
        assert_int_equal(file_read_at(AT_FDCWD, "/sys/kernel/fscaps", 16, &sys, &len, NULL), 0);
        assert_int_equal(len, 2);
        assert_int_equal(file_write_atomic_at(fd, "nul", "a\0b", 3, 0600, 0, NULL), 0);
        assert_int_equal(file_read_at(fd, "nul", 3, &data, &len, NULL), 0);
        assert_int_equal(len, 3);
        assert_memory_equal(data, "a\0b", 4);
}

static void a_file_beyond_its_cap_is_efbig(void **state) {
        int fd = scratch_fd(state), pipe_fds[2];
        char *data = NULL;
        Error err = ERROR_INIT;

        put(fd, "five", "12345");
        assert_int_equal(file_read_at(fd, "five", 5, &data, NULL, &err), 0);
        free(data);
        data = NULL;
        assert_int_equal(file_read_at(fd, "five", 4, &data, NULL, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(err.errnum, EFBIG);
        assert_null(data);

        /* One that hides its size */
        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        assert_int_equal(write(pipe_fds[1], "12345", 5), 5);
        close(pipe_fds[1]);
        assert_int_equal(file_read_fd(pipe_fds[0], "pipe", 4, &data, NULL, &err), -1);
        assert_int_equal(err.errnum, EFBIG);
        close(pipe_fds[0]);
}

static void what_is_no_file_is_refused_at_once(void **state) {
        int fd = scratch_fd(state);
        char *data = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(file_read_at(fd, "absent", 10, &data, NULL, &err), -1);
        assert_int_equal(err.errnum, ENOENT);
        assert_int_equal(mkdirat(fd, "dir", 0700), 0);
        assert_int_equal(file_read_at(fd, "dir", 10, &data, NULL, &err), -1);
        assert_int_equal(err.errnum, EISDIR);
        put(fd, "target", "secret");
        assert_int_equal(symlinkat("target", fd, "link"), 0);
        assert_int_equal(file_read_at(fd, "link", 10, &data, NULL, &err), -1);
        assert_int_equal(err.errnum, ELOOP);
        assert_null(data);

        /* A FIFO without a writer: it must not hang. */
        assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
        alarm(10);
        (void) file_read_at(fd, "fifo", 10, &data, NULL, &err);
        alarm(0);
        free(data);
}

/* ---- writing ---- */

static void an_atomic_write_replaces_and_leaves_no_temporary(void **state) {
        int fd = scratch_fd(state);
        struct stat st;

        umask(077);
        put(fd, "f", "old, and longer than the new");
        assert_int_equal(file_write_atomic_at(fd, "f", "new", 3, 0644, WRITE_DURABLE, NULL), 0);
        check_content(fd, "f", "new");
        assert_int_equal(fstatat(fd, "f", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(count_entries(fd), 1);
}

static void an_atomic_write_replaces_a_symlink_not_its_target(void **state) {
        int fd = scratch_fd(state);

        put(fd, "target", "kept");
        assert_int_equal(symlinkat("target", fd, "f"), 0);
        assert_int_equal(file_write_atomic_at(fd, "f", "new", 3, 0600, 0, NULL), 0);
        check_content(fd, "f", "new");
        check_content(fd, "target", "kept");
}

static void an_exclusive_write_never_replaces(void **state) {
        int fd = scratch_fd(state);
        Error err = ERROR_INIT;

        assert_int_equal(file_write_atomic_at(fd, "f", "first", 5, 0600, WRITE_EXCLUSIVE, NULL), 0);
        assert_int_equal(file_write_atomic_at(fd, "f", "second", 6, 0600, WRITE_EXCLUSIVE, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(err.errnum, EEXIST);
        check_content(fd, "f", "first");
        assert_int_equal(count_entries(fd), 1);
}

static void write_to_full_disk(int dir_fd) {
        static char data[2 << 20];
        _cleanup_close_ int fd = enter_namespace(dir_fd), small = -EBADF;
        Error err = ERROR_INIT;

        CHILD_CHECK(mkdir("small", 0700) == 0);
        CHILD_CHECK(mount("tmpfs", "small", "tmpfs", 0, "size=1m") == 0);
        CHILD_CHECK(dir_open_at(fd, "small", &small, NULL) == 0);
        CHILD_CHECK(file_write_atomic_at(small, "f", "kept", 4, 0600, 0, NULL) == 0);
        CHILD_CHECK(file_write_atomic_at(small, "f", data, sizeof(data), 0600, 0, &err) == -1);
        CHILD_CHECK(err.kind == ERROR_FILE && err.errnum == ENOSPC);
        check_content(small, "f", "kept");
        CHILD_CHECK(count_entries(small) == 1);
}

static void a_full_disk_leaves_the_old_file(void **state) {
        if (geteuid())
                skip();
        in_child(write_to_full_disk, scratch_fd(state));
}

/* ---- directories ---- */

static void directories_are_made_with_their_parents(void **state) {
        int fd = scratch_fd(state);
        _cleanup_close_ int made = -EBADF;
        struct stat st;
        Error err = ERROR_INIT;

        umask(077);
        assert_int_equal(dir_make_at(fd, "a/b//c/", 0755, &made, NULL), 0);
        assert_int_equal(fstatat(fd, "a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);
        assert_true(fcntl(made, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(dir_make_at(fd, "a/b/c", 0700, NULL, NULL), 0); /* what is there keeps its mode */
        assert_int_equal(fstatat(fd, "a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);

        put(fd, "file", "");
        assert_int_equal(dir_make_at(fd, "file/x", 0755, NULL, &err), -1);
        assert_int_equal(err.errnum, ENOTDIR);
        assert_int_equal(dir_make_at(fd, "file", 0755, NULL, &err), -1);
        assert_int_equal(dir_make_at(fd, "", 0755, NULL, &err), -1);
        assert_int_equal(err.errnum, ENOENT);
}

/* ---- removing ---- */

static void removing_what_is_not_there_succeeds(void **state) {
        assert_int_equal(dir_remove_tree_at(scratch_fd(state), "absent", NULL), 0);
}

static void every_kind_of_entry_is_removed(void **state) {
        int fd = scratch_fd(state);
        _cleanup_close_ int tree = -EBADF;

        assert_int_equal(dir_make_at(fd, "tree/sub/deeper", 0700, NULL, NULL), 0);
        assert_int_equal(dir_make_at(fd, "tree/sub/empty", 0, NULL, NULL), 0);
        assert_int_equal(dir_make_at(fd, "tree/.removed-0", 0700, &tree, NULL), 0); /* the name used while flattening */
        put(tree, ".removed-1", "");
        put(tree, "x", "");
        assert_int_equal(dir_make_at(tree, "y/z/w", 0700, NULL, NULL), 0);
        assert_int_equal(mkfifoat(fd, "tree/sub/fifo", 0600), 0);
        assert_int_equal(symlinkat("absent", fd, "tree/sub/deeper/dangling"), 0);
        put(fd, "tree/sub/read-only", "");
        assert_int_equal(fchmodat(fd, "tree/sub/read-only", 0400, 0), 0);
        assert_int_equal(dir_remove_tree_at(fd, "tree", NULL), 0);
        assert_int_equal(count_entries(fd), 0);

        put(fd, "file", "");
        assert_int_equal(dir_remove_tree_at(fd, "file", NULL), 0);
        assert_int_equal(count_entries(fd), 0);
}

static void symlinks_are_removed_not_followed(void **state) {
        int fd = scratch_fd(state);

        assert_int_equal(dir_make_at(fd, "outside/dir", 0700, NULL, NULL), 0);
        put(fd, "outside/dir/file", "kept");
        assert_int_equal(dir_make_at(fd, "tree/sub", 0700, NULL, NULL), 0);
        assert_int_equal(symlinkat("../outside", fd, "tree/link"), 0);
        assert_int_equal(symlinkat("../../outside/dir", fd, "tree/sub/link"), 0);
        assert_int_equal(dir_remove_tree_at(fd, "tree", NULL), 0);
        check_content(fd, "outside/dir/file", "kept");

        assert_int_equal(symlinkat("outside", fd, "link"), 0);
        assert_int_equal(dir_remove_tree_at(fd, "link", NULL), 0);
        assert_false(exists(fd, "link"));
        check_content(fd, "outside/dir/file", "kept");
}

/* @depth directories, each with a file beside the next one; paths are far longer than PATH_MAX. */
static void make_deep(int fd, const char *name, unsigned depth) {
        int at = fd;

        for (unsigned i = 0; i < depth; i++) {
                const char *here = i ? "some-directory" : name;
                int next;

                CHILD_CHECK(mkdirat(at, here, 0700) == 0);
                next = openat(at, here, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                CHILD_CHECK(next >= 0);
                CHILD_CHECK(mknodat(next, "file", S_IFREG | 0600, 0) == 0);
                if (at != fd)
                        close(at);
                at = next;
        }
        close(at);
}

static void remove_deep(int fd) {
        struct rlimit files = { .rlim_cur = 24, .rlim_max = 24 }, stack = { .rlim_cur = 256 << 10, .rlim_max = 256 << 10 };
        Error err = ERROR_INIT;

        make_deep(fd, "deep", 5000);
        CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
        CHILD_CHECK(setrlimit(RLIMIT_STACK, &stack) == 0);
        if (dir_remove_tree_at(fd, "deep", &err) < 0)
                fprintf(stderr, "%s\n", err.text);
        CHILD_CHECK(!exists(fd, "deep"));
}

static void depth_costs_neither_stack_nor_descriptors(void **state) {
        in_child(remove_deep, scratch_fd(state));
}

static void wide_trees_are_removed(void **state) {
        int fd = scratch_fd(state);

        for (unsigned i = 0; i < 300; i++) {
                char name[64];

                snprintf(name, sizeof(name), "tree/%u/a/b", i);
                assert_int_equal(dir_make_at(fd, name, 0700, NULL, NULL), 0);
                snprintf(name, sizeof(name), "tree/0/%u/a", i);
                assert_int_equal(dir_make_at(fd, name, 0700, NULL, NULL), 0);
        }
        assert_int_equal(dir_remove_tree_at(fd, "tree", NULL), 0);
        assert_false(exists(fd, "tree"));
}

static void remove_with_mounts(int dir_fd) {
        static const char *const places[] = { "tree/mount", "tree/sub/mount", "tree/a/b/c/mount", "mount" };
        _cleanup_close_ int fd = enter_namespace(dir_fd);

        CHILD_CHECK(dir_make_at(fd, "outside", 0700, NULL, NULL) == 0);
        put(fd, "outside/file", "kept");
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_close_ int mount_fd = -EBADF;
                Error err = ERROR_INIT;

                CHILD_CHECK(dir_make_at(fd, places[i], 0700, NULL, NULL) == 0);
                CHILD_CHECK(mount("outside", places[i], NULL, MS_BIND, NULL) == 0);
                CHILD_CHECK(dir_open_at(fd, places[i], &mount_fd, NULL) == 0);
                CHILD_CHECK(dir_remove_tree_at(fd, i == 3 ? "mount" : "tree", &err) == -1);
                CHILD_CHECK(err.kind == ERROR_FILE && err.errnum == EBUSY);
                check_content(mount_fd, "file", "kept");
                /* The mount may have been moved with the directory that holds it, so it is left by its descriptor. */
                CHILD_CHECK(fchdir(mount_fd) == 0 && umount2(".", MNT_DETACH) == 0 && fchdir(fd) == 0);
                CHILD_CHECK(dir_remove_tree_at(fd, i == 3 ? "mount" : "tree", NULL) == 0);
        }

        /* A file that is a mount */
        CHILD_CHECK(dir_make_at(fd, "tree/sub", 0700, NULL, NULL) == 0);
        put(fd, "tree/sub/file", "");
        CHILD_CHECK(mount("outside/file", "tree/sub/file", NULL, MS_BIND, NULL) == 0);
        CHILD_CHECK(dir_remove_tree_at(fd, "tree", NULL) == -1);
        check_content(fd, "outside/file", "kept");
}

static void mounts_inside_are_ebusy_and_untouched(void **state) {
        if (geteuid())
                skip();
        in_child(remove_with_mounts, scratch_fd(state));
}

/* Exchanges tree/sub with a symlink to outside, as fast as it can, until killed. */
static pid_t start_swapping(int fd) {
        pid_t pid = fork();

        if (pid == 0)
                for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
                        (void) renameat2(fd, "tree/sub", fd, "tree/link", RENAME_EXCHANGE);
        return pid;
}

static void a_race_never_leads_outside(void **state) {
        int fd = scratch_fd(state), status;
        time_t end = time(NULL) + 2;
        pid_t swapper;

        assert_int_equal(dir_make_at(fd, "outside/dir", 0700, NULL, NULL), 0);
        put(fd, "outside/file", "kept");
        put(fd, "outside/dir/file", "kept");
        swapper = start_swapping(fd);
        while (time(NULL) < end) {
                assert_int_equal(dir_make_at(fd, "tree/sub/a/b", 0700, NULL, NULL), 0);
                assert_int_equal(symlinkat("../outside", fd, "tree/link"), 0);
                /* It may fail, as somebody works against it, but then it says so and works once that has ended. */
                while (dir_remove_tree_at(fd, "tree", NULL) < 0)
                        ;
        }
        assert_int_equal(kill(swapper, SIGKILL), 0);
        assert_int_equal(process_wait(swapper, &status, NULL), 0);
        check_content(fd, "outside/file", "kept");
        check_content(fd, "outside/dir/file", "kept");
}

static void an_immutable_file_is_named_with_its_own_error(void **state) {
        int fd = scratch_fd(state);
        const char *const chattr[] = { "chattr", "+i", "tree/sub/fixed", NULL };
        const char *const undo[] = { "chattr", "-i", "tree/sub/fixed", NULL };
        Spawn spawn = { .argv = chattr, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
        Error err = ERROR_INIT;
        int status, r;
        pid_t pid;

        assert_int_equal(dir_make_at(fd, "tree/sub", 0700, NULL, NULL), 0);
        put(fd, "tree/sub/fixed", "");
        assert_int_equal(fchdir(fd), 0);
        if (process_spawn(&spawn, &pid, NULL, NULL) < 0 || process_wait(pid, &status, NULL) < 0 || status != 0)
                skip(); /* no chattr, no right to, or a file system without the flag */
        r = dir_remove_tree_at(fd, "tree", &err);
        spawn.argv = undo;
        assert_int_equal(process_spawn(&spawn, &pid, NULL, NULL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(r, -1);
        assert_int_equal(err.errnum, EPERM);
        assert_non_null(strstr(err.text, "'fixed'"));
}

/* ---- paths ---- */

static void in_root_stops_at_the_root(void **state) {
        int fd = scratch_fd(state);
        _cleanup_close_ int root = -EBADF, up = -EBADF, absolute = -EBADF, created = -EBADF;

        assert_int_equal(dir_make_at(fd, "root/etc", 0700, &root, NULL), 0);
        close(root);
        assert_int_equal(dir_open_at(fd, "root", &root, NULL), 0);
        put(fd, "secret", "outside");
        put(root, "secret", "inside");
        put(root, "etc/passwd", "root's own");
        assert_int_equal(symlinkat("../../../../secret", root, "up"), 0);
        assert_int_equal(symlinkat("/etc/passwd", root, "absolute"), 0);
        assert_int_equal(symlinkat("/proc/self/root", root, "magic"), 0);
        assert_int_equal(symlinkat("loop", root, "loop"), 0);

        up = open_in_root(root, "up", O_RDONLY, 0);
        assert_true(up >= 0);
        assert_true(fcntl(up, F_GETFD) & FD_CLOEXEC);
        check_content(root, "secret", "inside");
        {
                _cleanup_free_ char *text = NULL, *passwd = NULL;

                assert_int_equal(file_read_fd(up, "up", 100, &text, NULL, NULL), 0);
                assert_string_equal(text, "inside");
                absolute = open_in_root(root, "absolute", O_RDONLY, 0);
                assert_int_equal(file_read_fd(absolute, "absolute", 100, &passwd, NULL, NULL), 0);
                assert_string_equal(passwd, "root's own");
        }
        assert_int_equal(open_in_root(root, "loop", O_RDONLY, 0), -1);
        assert_int_equal(errno, ELOOP);
        assert_int_equal(open_in_root(root, "magic/etc", O_RDONLY, 0), -1);
        created = open_in_root(root, "../new", O_WRONLY | O_CREAT | O_EXCL, 0640);
        assert_true(created >= 0);
        assert_true(exists(root, "new"));
}

static void beneath_refuses_every_way_out(void **state) {
        static const char *const ways[] = { "..", "../secret", "/etc/passwd", "link", "link/x", "dir/../../secret", "self" };
        int fd = scratch_fd(state);
        _cleanup_close_ int root = -EBADF, ok = -EBADF;

        assert_int_equal(dir_make_at(fd, "root/dir", 0700, NULL, NULL), 0);
        assert_int_equal(dir_open_at(fd, "root", &root, NULL), 0);
        put(fd, "secret", "");
        put(root, "dir/file", "");
        assert_int_equal(symlinkat("..", root, "link"), 0);
        assert_int_equal(symlinkat("dir/file", root, "self"), 0); /* even one that stays inside */
        for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
                assert_int_equal(open_beneath(root, ways[i], O_RDONLY, 0), -1);
        ok = open_beneath(root, "dir/file", O_RDONLY, 0);
        assert_true(ok >= 0);
        assert_true(fcntl(ok, F_GETFD) & FD_CLOEXEC);
}

static void descriptors_have_paths(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *path = NULL, *absolute = NULL, *relative = NULL;
        char buffer[FD_PATH_MAX];
        struct stat a, b;

        assert_int_equal(fd_get_path(scratch->fd, &path, NULL), 0);
        assert_string_equal(path, scratch->path);
        assert_int_equal(stat(fd_path(scratch->fd, buffer), &a), 0);
        assert_int_equal(fstat(scratch->fd, &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);

        assert_int_equal(fchdir(scratch->fd), 0);
        assert_int_equal(path_absolute("/x/../y", &absolute, NULL), 0);
        assert_string_equal(absolute, "/x/../y");
        assert_int_equal(path_absolute("x", &relative, NULL), 0);
        assert_true(!strncmp(relative, scratch->path, strlen(scratch->path)) && !strcmp(relative + strlen(scratch->path), "/x"));
        assert_int_equal(chdir("/"), 0);
        free(relative);
        assert_int_equal(path_absolute("x", &relative, NULL), 0);
        assert_string_equal(relative, "/x");
}

static void the_names_in_a_directory_are_read_from_the_first_one_each_time(void **state) {
        int fd = scratch_fd(state);

        put(fd, "a", "");
        put(fd, ".b", "");
        for (int times = 0; times < 2; times++) {
                _cleanup_closedir_ DIR *dir = NULL;
                struct dirent *entry;
                unsigned found = 0;

                assert_int_equal(dir_read(fd, &dir, NULL), 0);
                while ((entry = dir_next(dir)))
                        found += !strcmp(entry->d_name, "a") ? 1 : !strcmp(entry->d_name, ".b") ? 10 : 100;
                assert_int_equal(errno, 0);
                assert_int_equal(found, 11);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(whole_files_are_read),
                scratch_test(a_file_beyond_its_cap_is_efbig),
                scratch_test(what_is_no_file_is_refused_at_once),
                scratch_test(an_atomic_write_replaces_and_leaves_no_temporary),
                scratch_test(an_atomic_write_replaces_a_symlink_not_its_target),
                scratch_test(an_exclusive_write_never_replaces),
                scratch_test(a_full_disk_leaves_the_old_file),
                scratch_test(directories_are_made_with_their_parents),
                scratch_test(the_names_in_a_directory_are_read_from_the_first_one_each_time),
                scratch_test(removing_what_is_not_there_succeeds),
                scratch_test(every_kind_of_entry_is_removed),
                scratch_test(symlinks_are_removed_not_followed),
                scratch_test(depth_costs_neither_stack_nor_descriptors),
                scratch_test(wide_trees_are_removed),
                scratch_test(mounts_inside_are_ebusy_and_untouched),
                scratch_test(a_race_never_leads_outside),
                scratch_test(an_immutable_file_is_named_with_its_own_error),
                scratch_test(in_root_stops_at_the_root),
                scratch_test(beneath_refuses_every_way_out),
                scratch_test(descriptors_have_paths),
        };

        return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
