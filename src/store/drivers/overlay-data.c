/*
 * Overlays by mount(2), which every kernel has. All of its options share one page, so that several hundred layers want the shortest names
 * there are: descriptors' numbers, relative to a directory where those are file names.
 *
 * For plain layers that directory is /proc/self/fd. A layer with shifted owners is a mount that is attached nowhere, which no path leads
 * to: a child attaches it, in a mount namespace of its own, and hands over the overlay that it has made of them, attached nowhere again.
 * Whoever is killed meanwhile, nothing of it stays.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/user.h"
#include "store/drivers/overlay-parts.h"

#define DATA_MAX 4095 /* bytes; mount(2) takes one page of options, and silently cuts what is longer */

/* Names in the child's own namespace that no descriptor's number can be. */
#define CONTAINER "container"
#define MERGED    "merged"

static int format_data(const DriverRoot *root, const FdList *lowers, const char *upper, const char *work, Buf *data, Error *err) {
        for (size_t i = 0; i < lowers->n; i++)
                if (buf_printf(data, err, "%s%d", i > 0 ? ":" : "lowerdir=", lowers->fds[i]) < 0)
                        return -1;
        if (buf_printf(data, err, ",upperdir=%s,workdir=%s", upper, work) < 0)
                return -1;
        for (const OverlayOption *option = overlay_options; option->key; option++)
                if (buf_printf(data, err, ",%s=%s", option->key, option->value) < 0)
                        return -1;
        if (user_is_nested() && buf_puts(data, "," OVERLAY_USER_XATTR, err) < 0)
                return -1;
        return root->temporary ? buf_puts(data, "," OVERLAY_TEMPORARY, err) : 0;
}

static int make_data(const DriverRoot *root, const FdList *lowers, const char *upper, const char *work, Buf *data, Error *err) {
        Error cause = ERROR_INIT;

        if (format_data(root, lowers, upper, work, data, &cause) == 0)
                return 0;
        if (cause.kind == ERROR_OUT_OF_MEMORY)
                return error_oom(err);
        return error_set(err, ERROR_NOT_SUPPORTED, "%zu layers do not fit the mount options of this kernel", root->n_layers);
}

/* In a child, because the names are relative to the working directory. Its exit status is the errno. */
static int mount_in_child(const char *data, const char *target, Error *err) {
        pid_t pid = fork();
        int status;

        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        if (pid == 0) {
                if (chdir("/proc/self/fd") < 0 || mount("overlay", target, "overlay", 0, data) < 0)
                        _exit(errno);
                _exit(0);
        }
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (!WIFEXITED(status))
                return error_set(err, ERROR_FILE, "mount the overlay on 'rootfs': its process was killed by signal %d", WTERMSIG(status));
        if (WEXITSTATUS(status) != 0)
                return error_set_errno(err, ERROR_FILE, WEXITSTATUS(status), "mount the overlay on 'rootfs'");
        return 0;
}

static int mount_plain(const DriverRoot *root, const FdList *lowers, Error *err) {
        _cleanup_buf_ Buf data = BUF_INIT(DATA_MAX);
        _cleanup_close_ int upper = -EBADF, work = -EBADF;
        char target[FD_PATH_MAX + sizeof("/rootfs")], base[FD_PATH_MAX], upper_name[16], work_name[16];

        if (overlay_upper_open(root, "upper", &upper, err) < 0 || overlay_upper_open(root, "work", &work, err) < 0)
                return -1;
        snprintf(upper_name, sizeof(upper_name), "%d", upper);
        snprintf(work_name, sizeof(work_name), "%d", work);
        if (make_data(root, lowers, upper_name, work_name, &data, err) < 0)
                return -1;
        snprintf(target, sizeof(target), "%s/rootfs", fd_path(root->container_fd, base));
        return mount_in_child(data.data, target, err);
}

/* Leaves the caller's mounts, and makes an empty directory that nobody else sees the working directory. */
static int enter_own_namespace(Error *err) {
        _cleanup_close_ int context = -EBADF, empty = -EBADF;

        if (unshare(CLONE_NEWNS) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a mount namespace");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make all mounts of a namespace private");
        context = fsopen("tmpfs", FSOPEN_CLOEXEC);
        if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a tmpfs");
        empty = fsmount(context, FSMOUNT_CLOEXEC, 0);
        if (empty < 0 || move_mount(empty, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(empty) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "mount a tmpfs");
        return 0;
}

static int attach(int mount, const char *name, Error *err) {
        if (mkdir(name, 0700) < 0 || move_mount(mount, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "attach a mount in a namespace of its own");
        return 0;
}

/* In the child: an overlay of mounts that are attached nowhere, attached nowhere itself. */
static int make_detached(int container, const FdList *lowers, const char *data, int *ret_fd, Error *err) {
        int fd;

        if (enter_own_namespace(err) < 0 || attach(container, CONTAINER, err) < 0)
                return -1;
        for (size_t i = 0; i < lowers->n; i++) {
                char name[16];

                snprintf(name, sizeof(name), "%d", lowers->fds[i]);
                if (attach(lowers->fds[i], name, err) < 0)
                        return -1;
        }
        if (mkdir(MERGED, 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make directory '" MERGED "'");
        if (mount("overlay", MERGED, "overlay", 0, data) < 0) {
                if (errno != EINVAL)
                        return error_set_errno(err, ERROR_FILE, errno, "make an overlay");
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "this kernel's overlay takes no layers with shifted owners");
                return error_hint(err, "leave --userns, --uidmap and --gidmap out, or run Linux 5.19 or later");
        }
        fd = open_tree(AT_FDCWD, MERGED, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "detach an overlay");
        *ret_fd = fd;
        return 0;
}

/* The child's answer is an Error, which holds none when the overlay comes with it. */
_Noreturn static void answer(int socket, int container, const FdList *lowers, const char *data) {
        Error err = ERROR_INIT;
        int fd = -EBADF;

        (void) make_detached(container, lowers, data, &fd, &err);
        _exit(socket_send(socket, &err, sizeof(err), fd) < 0);
}

static int receive_answer(int socket, int *ret_fd, Error *err) {
        Error answered = ERROR_INIT;
        int fd = -EBADF;
        ssize_t n = socket_receive(socket, &answered, sizeof(answered), &fd);

        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "hear of the process that makes an overlay");
        if (n == sizeof(answered) && fd >= 0) {
                *ret_fd = fd;
                return 0;
        }
        close_keep_errno(fd);
        if (n != sizeof(answered) || !error_is_set(&answered))
                return error_set(err, ERROR_FILE, "the process that makes an overlay ended without an answer");
        if (err)
                *err = answered;
        return -1;
}

static int mount_shifted(const DriverRoot *root, const FdList *lowers, Error *err) {
        _cleanup_buf_ Buf data = BUF_INIT(DATA_MAX);
        _cleanup_close_ int container = -EBADF, mount = -EBADF;
        int sockets[2], status, r = -1;
        pid_t pid;

        /* upper/ and work/ have to be on one mount, so it is the directory of both that is cloned. */
        container = open_tree(root->container_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (container < 0)
                return error_set_errno(err, ERROR_FILE, errno, "clone '%s' as a mount", root->path);
        if (make_data(root, lowers, CONTAINER "/upper", CONTAINER "/work", &data, err) < 0)
                return -1;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        pid = fork();
        if (pid == 0)
                answer(sockets[1], container, lowers, data.data);
        close_keep_errno(sockets[1]);
        if (pid < 0)
                error_set_errno(err, ERROR_FILE, errno, "fork");
        else
                r = receive_answer(sockets[0], &mount, err);
        close_keep_errno(sockets[0]);
        if (pid > 0 && process_wait(pid, &status, r < 0 ? NULL : err) < 0)
                r = -1;
        return r < 0 ? -1 : overlay_attach(root, mount, err);
}

int overlay_mount_by_data(const DriverRoot *root, Error *err) {
        _cleanup_fd_list_ FdList lowers = {};

        if (overlay_lowers_open(root, &lowers, err) < 0)
                return -1;
        return root->mapping ? mount_shifted(root, &lowers, err) : mount_plain(root, &lowers, err);
}
