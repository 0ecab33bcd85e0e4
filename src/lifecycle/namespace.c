/* Entering another mount namespace for one call. */

#include "lifecycle/namespace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/* Any process at all that is in it. */
static int search(uint64_t inode) {
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct dirent *entry;

        while (proc && (entry = readdir(proc))) {
                pid_t pid = (pid_t) atoi(entry->d_name);
                int fd = pid > 0 ? open_if(pid, inode) : -EBADF;

                if (fd >= 0)
                        return fd;
        }
        return -EBADF;
}

static int call_in_child(int namespace_fd, int (*function)(void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_close_ int report = -EBADF;
        Error e = ERROR_INIT;
        int ends[2], status = 0;
        ssize_t n;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report = ends[0];
        pid = fork();
        if (pid == 0) {
                if (setns(namespace_fd, CLONE_NEWNS) < 0)
                        error_set_errno(&e, ERROR_INVALID_STATE, errno, "enter the mount namespace of the container's root");
                else
                        (void) function(userdata, &e);
                _exit(write(ends[1], &e, sizeof(e)) == (ssize_t) sizeof(e) ? 0 : 1);
        }
        close_keep_errno(ends[1]);
        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        do
                n = read(report, &e, sizeof(e));
        while (n < 0 && errno == EINTR);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (n != (ssize_t) sizeof(e))
                return error_set(err, ERROR_INVALID_STATE, "the helper in the container's mount namespace died (%d)", exit_code_of(status));
        if (!error_is_set(&e))
                return 0;
        if (err)
                *err = e;
        return -1;
}

int namespace_call(uint64_t inode, const ProcessRef *process, int (*function)(void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        uint64_t own;

        if (process_mount_namespace(0, &own, err) < 0)
                return -1;
        if (inode == 0 || inode == own)
                return function(userdata, err);
        if (process && process_is_alive(process))
                fd = open_if(process->pid, inode);
        if (fd < 0)
                fd = search(inode);
        return fd < 0 ? 0 : call_in_child(fd, function, userdata, err);
}
