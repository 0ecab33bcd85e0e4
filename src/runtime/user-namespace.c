/* Making and joining namespaces as a user without privileges. */

#include "runtime/user-namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/process.h"

#define COMPLAINT_MAX 512 /* bytes of what newuidmap says; its own are one line */

/* Runs a program to its end; what it says on standard error is the error's text. */
static int run_program(char *const *argv, Error *err) {
        _cleanup_close_ int complaint = -EBADF;
        char text[COMPLAINT_MAX];
        int ends[2], status, r;
        ssize_t n;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        complaint = ends[0];
        r = process_spawn(&(Spawn) { .argv = (const char *const *) argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = ends[1] }, &pid,
                          NULL, err);
        close_keep_errno(ends[1]);
        if (r < 0) {
                if (err && err->kind == ERROR_RUNTIME_NOT_AVAILABLE)
                        error_hint(err, "install uidmap, which has newuidmap and newgidmap");
                return -1;
        }
        do
                n = read(complaint, text, sizeof(text) - 1);
        while (n < 0 && errno == EINTR);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        error_set(err, ERROR_FILE, "%s failed (%d): %s", argv[0], exit_code_of(status), text);
        return error_hint(err, "it needs its setuid bit or capability, and ranges in /etc/subuid and /etc/subgid that are the user's "
                               "alone");
}

static int push_number(char ***argv, unsigned number, Error *err) {
        _cleanup_free_ char *text = NULL;

        return string_format(&text, err, "%u", number) < 0 ? -1 : strv_push(argv, text, err);
}

static int write_map(const char *program, pid_t pid, const IdMap *map, Error *err) {
        _cleanup_strv_ char **argv = NULL;

        if (strv_push(&argv, program, err) < 0 || push_number(&argv, (unsigned) pid, err) < 0)
                return -1;
        for (size_t i = 0; i < map->n; i++)
                if (push_number(&argv, map->ranges[i].container, err) < 0 || push_number(&argv, map->ranges[i].host, err) < 0 ||
                    push_number(&argv, map->ranges[i].size, err) < 0)
                        return -1;
        return run_program(argv, err);
}

/* The helper stays outside: within there is nobody yet who could give us ids. */
static _Noreturn void helper_main(pid_t pid, const IdMapping *mapping, int gate, int report) {
        Error e = ERROR_INIT;
        char byte;

        if (read(gate, &byte, 1) != 1)
                _exit(0);
        if (write_map("newuidmap", pid, &mapping->uids, &e) == 0)
                (void) write_map("newgidmap", pid, &mapping->gids, &e);
        _exit(write(report, &e, sizeof(e)) == (ssize_t) sizeof(e) ? 0 : 1);
}

static int refused(int errnum, Error *err) {
        error_set_errno(err, ERROR_NOT_SUPPORTED, errnum, "a user namespace cannot be made");
        return error_hint(err, "the system's administrator allows them: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                               "kernel.apparmor_restrict_unprivileged_userns");
}

/* Enters the new namespaces and waits for the helper's word on the maps. */
static int enter_new(int gate, int report, Error *err) {
        Error e = ERROR_INIT;
        ssize_t n;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return refused(errno, err);
        if (write(gate, "", 1) != 1)
                return error_set_errno(err, ERROR_FILE, errno, "write to a pipe");
        do
                n = read(report, &e, sizeof(e));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(e))
                return error_set(err, ERROR_FILE, "the helper that maps ids died");
        if (error_is_set(&e)) {
                if (err)
                        *err = e;
                return -1;
        }
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become root of a user namespace");
        return 0;
}

int user_namespace_make(const IdMapping *mapping, Error *err) {
        int gate[2], report[2], status, r;
        pid_t self = getpid(), helper;

        if (pipe2(gate, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        if (pipe2(report, O_CLOEXEC) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "make a pipe");
                close_keep_errno(gate[0]);
                close_keep_errno(gate[1]);
                return -1;
        }
        helper = fork();
        if (helper == 0) {
                close(gate[1]);
                helper_main(self, mapping, gate[0], report[1]);
        }
        r = helper < 0 ? error_set_errno(err, ERROR_FILE, errno, "fork") : 0;
        close_keep_errno(gate[0]);
        close_keep_errno(report[1]);
        if (r == 0)
                r = enter_new(gate[1], report[0], err);
        close_keep_errno(gate[1]);
        close_keep_errno(report[0]);
        if (helper > 0 && process_wait(helper, &status, r < 0 ? NULL : err) < 0)
                r = -1;
        return r;
}

static int open_namespace(pid_t pid, const char *name, struct stat *ret_st, Error *err) {
        char path[48];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int) pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, ret_st) < 0) {
                error_set_errno(err, ERROR_INVALID_STATE, errno, "open '%s'", path);
                close_keep_errno(fd);
                return -1;
        }
        return fd;
}

/* The ancestor of @fd, or itself, whose parent is our own; closes @fd. */
static int climb(int fd, ino_t own, Error *err) {
        for (;;) {
                int parent = ioctl(fd, NS_GET_PARENT);
                struct stat st;

                if (parent < 0 || fstat(parent, &st) < 0) {
                        error_set_errno(err, ERROR_INVALID_STATE, errno, "the container's user namespace is not below ours");
                        close_keep_errno(parent);
                        close_keep_errno(fd);
                        return -1;
                }
                if (st.st_ino == own) {
                        close(parent);
                        return fd;
                }
                close(fd);
                fd = parent;
        }
}

int user_namespace_join(pid_t pid, uint64_t mount_namespace, Error *err) {
        _cleanup_close_ int user = -EBADF, mounts = -EBADF;
        _cleanup_free_ char *directory = getcwd(NULL, 0);
        struct stat st, own;

        if (stat("/proc/self/ns/user", &own) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '/proc/self/ns/user'");
        user = open_namespace(pid, "user", &st, err);
        if (user < 0)
                return -1;
        user = climb(user, own.st_ino, err);
        if (user < 0)
                return -1;
        mounts = open_namespace(pid, "mnt", &st, err);
        if (mounts < 0)
                return -1;
        if (setns(user, CLONE_NEWUSER) < 0)
                return error_set_errno(err, ERROR_INVALID_STATE, errno, "enter the container's user namespace");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become root of a user namespace");
        if (st.st_ino == mount_namespace ? setns(mounts, CLONE_NEWNS) < 0 : unshare(CLONE_NEWNS) < 0)
                return error_set_errno(err, ERROR_INVALID_STATE, errno, "enter a mount namespace");
        if (directory && chdir(directory) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "go back to '%s' in the container's mount namespace", directory);
        return 0;
}
