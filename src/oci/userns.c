/* User namespaces for idmapped mounts. The kernel takes one by descriptor only, and a descriptor comes of a process that is in it. */

#include "oci/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/process.h"

#define MAP_TEXT_MAX 4095 /* bytes; a map is one write of less than a page. Source: user_namespaces(7) */

static int write_map(pid_t pid, const char *name, const IdMap *map, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(MAP_TEXT_MAX);
        _cleanup_close_ int fd = -EBADF;
        char path[64];

        for (size_t i = 0; i < map->n; i++)
                if (buf_printf(&text, err, "%u %u %u\n", map->ranges[i].container, map->ranges[i].host, map->ranges[i].size) < 0)
                        return -1;
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        if (write(fd, text.data, text.len) >= 0)
                return 0;
        if (errno == EINVAL)
                return error_set(err, ERROR_INVALID_ARGUMENT, "the kernel refuses the ranges of %s: do they overlap?", name);
        return error_set_errno(err, ERROR_FILE, errno, "write '%s'", path);
}

static int open_mapped(pid_t pid, const IdMapping *mapping, int *ret_fd, Error *err) {
        char path[64];
        int fd;

        if (write_map(pid, "uid_map", &mapping->uids, err) < 0 || write_map(pid, "gid_map", &mapping->gids, err) < 0)
                return -1;
        snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        *ret_fd = fd;
        return 0;
}

int userns_open(const IdMapping *mapping, int *ret_fd, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        int pipe_fds[2], status, r;
        pid_t pid;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a pipe");
        pid = (pid_t) syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
                char byte;

                /* Lives until its parent has what it wants, or is gone: either closes the pipe. */
                close(pipe_fds[1]);
                (void) !read(pipe_fds[0], &byte, 1);
                _exit(0);
        }
        if (pid < 0) {
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "create a user namespace");
                error_hint(err, "the kernel's limit is in /proc/sys/user/max_user_namespaces");
                r = -1;
        } else
                r = open_mapped(pid, mapping, &fd, err);
        close_keep_errno(pipe_fds[0]);
        close_keep_errno(pipe_fds[1]);
        if (pid > 0 && process_wait(pid, &status, r < 0 ? NULL : err) < 0)
                r = -1;
        if (r < 0)
                return -1;
        *ret_fd = TAKE_FD(fd);
        return 0;
}
