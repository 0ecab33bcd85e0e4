/* Making, entering and keeping network namespaces. */

#include "network/netns.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define OWN_NETNS    "/proc/thread-self/ns/net"
#define ID_MAP_MAX   (1u << 16) /* bytes of a uid_map: 340 lines, user_namespaces(7) */

int netns_open_own(int *ret_fd, Error *err) {
        int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '" OWN_NETNS "'");
        *ret_fd = fd;
        return 0;
}

static void come_back(int fd) {
        if (setns(fd, CLONE_NEWNET) < 0)
                abort();
}

int netns_call(int netns_fd, int (*function)(void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_close_ int own = -EBADF;
        int r;

        if (netns_open_own(&own, err) < 0)
                return -1;
        if (setns(netns_fd, CLONE_NEWNET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "enter a network namespace");
        r = function(userdata, err);
        come_back(own);
        return r;
}

static int make_here(int *ret_netns, Error *err) {
        _cleanup_close_ int own = -EBADF;
        int r;

        if (netns_open_own(&own, err) < 0)
                return -1;
        if (unshare(CLONE_NEWNET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a network namespace");
        r = netns_open_own(ret_netns, err);
        come_back(own);
        return r;
}

static int write_map(pid_t pid, const char *name, const IdMap *map, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(ID_MAP_MAX);
        _cleanup_close_ int fd = -EBADF;
        char path[48];

        for (size_t i = 0; i < map->n; i++)
                if (buf_printf(&text, err, "%u %u %u\n", map->ranges[i].container, map->ranges[i].host, map->ranges[i].size) < 0)
                        return -1;
        snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        return fd_write_all(fd, text.data ?: "", text.len, err) < 0 ? error_prefix(err, "'%s'", path) : 0;
}

static int open_of(pid_t pid, const char *kind, int *ret, Error *err) {
        char path[48];

        snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int) pid, kind);
        *ret = open(path, O_RDONLY | O_CLOEXEC);
        return *ret < 0 ? error_set_errno(err, ERROR_FILE, errno, "open '%s'", path) : 0;
}

/*
 * In a child: both namespaces are made by whoever enters the new user namespace, and there is no way back out of one. It lives until the
 * parent is done with it, or gone.
 */
static _Noreturn void child_main(int parent) {
        char byte = 0;

        /* The user namespace first: unshare() itself sees to that. */
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                byte = (char) errno;
        if (write(parent, &byte, 1) == 1)
                (void) !read(parent, &byte, 1);
        _exit(0);
}

static int take_namespaces(pid_t pid, int ready, const IdMapping *mapping, int *ret_netns, int *ret_userns, Error *err) {
        _cleanup_close_ int netns = -EBADF, userns = -EBADF;
        char byte = EIO;

        if (read(ready, &byte, 1) != 1 || byte != 0)
                return error_set_errno(err, ERROR_FILE, byte, "make a user namespace and its network namespace");
        if (write_map(pid, "uid_map", &mapping->uids, err) < 0 || write_map(pid, "gid_map", &mapping->gids, err) < 0 ||
            open_of(pid, "net", &netns, err) < 0 || open_of(pid, "user", &userns, err) < 0)
                return -1;
        *ret_netns = TAKE_FD(netns);
        *ret_userns = TAKE_FD(userns);
        return 0;
}

static int make_in_child(const IdMapping *mapping, int *ret_netns, int *ret_userns, Error *err) {
        int ends[2], status, r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket pair");
        pid = fork();
        if (pid == 0) {
                close(ends[0]);
                child_main(ends[1]);
        }
        close_keep_errno(ends[1]);
        r = pid < 0 ? error_set_errno(err, ERROR_FILE, errno, "fork") : take_namespaces(pid, ends[0], mapping, ret_netns, ret_userns, err);
        close_keep_errno(ends[0]);
        if (pid > 0)
                (void) process_wait(pid, &status, NULL);
        return r;
}

int netns_make(const IdMapping *mapping, int *ret_netns, int *ret_userns, Error *err) {
        *ret_userns = -EBADF;
        return mapping ? make_in_child(mapping, ret_netns, ret_userns, err) : make_here(ret_netns, err);
}

int nsfs_keep(int namespace_fd, int dir_fd, const char *dir_path, const char *name, Error *err) {
        char source[FD_PATH_MAX], path[PATH_MAX];
        int fd;

        fd = openat(dir_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s/%s'", dir_path, name);
        close(fd);
        (void) snprintf(path, sizeof(path), "%s/%s", dir_path, name);
        if (mount(fd_path(namespace_fd, source), path, NULL, MS_BIND, NULL) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "keep a namespace at '%s'", path);
        return 0;
}

int nsfs_drop(int dir_fd, const char *dir_path, const char *name, Error *err) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/%s", dir_path, name);
        while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
                ;
        if (errno != EINVAL && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "unmount '%s'", path);
        if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", path);
        return 0;
}

int nsfs_open(int dir_fd, const char *name, int *ret, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct statfs fs;

        *ret = -EBADF;
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", name);
        if (fs.f_type == NSFS_MAGIC)
                *ret = TAKE_FD(fd);
        return 0;
}
