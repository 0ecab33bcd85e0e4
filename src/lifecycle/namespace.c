/* Entering another mount namespace for one call. */

#include "lifecycle/namespace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* Opens a process's mount namespace if it is the wanted one; -EBADF otherwise. */
static int open_if(pid_t pid, uint64_t inode) {
        _cleanup_close_ int fd = -EBADF;
        char path[48];
        struct stat st;

        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != inode)
                return -EBADF;
        return TAKE_FD(fd);
}

static bool is_of_our_user_namespace(pid_t pid) {
        struct stat own, its;
        char path[48];

        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        return stat("/proc/self/ns/user", &own) < 0 || stat(path, &its) < 0 || own.st_ino == its.st_ino;
}

/* Any process at all that is in it; @foreign: and in another user namespace than ours. */
static int search(uint64_t inode, bool foreign, pid_t *ret_pid) {
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct dirent *entry;

        while (proc && (entry = readdir(proc))) {
                pid_t pid = (pid_t) atoi(entry->d_name);
                int fd = pid > 0 ? open_if(pid, inode) : -EBADF;

                if (fd >= 0 && foreign && is_of_our_user_namespace(pid)) {
                        close(fd);
                        continue;
                }
                if (fd >= 0) {
                        *ret_pid = pid;
                        return fd;
                }
        }
        return -EBADF;
}

pid_t namespace_process(uint64_t inode) {
        pid_t pid = 0;
        int fd = search(inode, true, &pid);

        close_keep_errno(fd);
        return fd < 0 ? 0 : pid;
}

typedef struct Visit {
        int namespace_fd;
        int (*function)(void *userdata, Error *err);
        void *userdata;
} Visit;

static int visit(void *userdata, Error *err) {
        Visit *v = userdata;

        if (setns(v->namespace_fd, CLONE_NEWNS) < 0)
                return error_set_errno(err, ERROR_INVALID_STATE, errno, "enter the mount namespace of the container's root");
        return v->function(v->userdata, err);
}

int namespace_call(uint64_t inode, const ProcessRef *process, int (*function)(void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        uint64_t own;
        pid_t pid;

        if (process_mount_namespace(0, &own, err) < 0)
                return -1;
        if (inode == 0 || inode == own)
                return function(userdata, err);
        if (process && process_is_alive(process))
                fd = open_if(process->pid, inode);
        if (fd < 0)
                fd = search(inode, false, &pid);
        return fd < 0 ? 0 : process_call(visit, &(Visit) { fd, function, userdata }, err);
}
