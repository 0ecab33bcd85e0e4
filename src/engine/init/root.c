/* The container's root: a mount of its own, entered by pivot_root, and in it what must not be seen or written. */

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

/*
 * What is mounted on the root must not show on the host, and pivot_root(2) wants no shared mount above it: the mount that its path lies on
 * becomes private.
 */
static int make_private(const char *path, Error *err) {
        char copy[PATH_MAX], *slash;

        if (strlen(path) >= sizeof(copy))
                return error_set_errno(err, ERROR_INVALID_ROOTFS, ENAMETOOLONG, "root filesystem");
        strcpy(copy, path);
        while (mount(NULL, copy, NULL, MS_PRIVATE, NULL) < 0) {
                slash = strrchr(copy, '/');
                if (errno != EINVAL || !slash || !copy[1])
                        return error_set_errno(err, ERROR_RUNTIME, errno, "make the mount of the root filesystem private");
                slash[slash == copy] = '\0';
        }
        return 0;
}

int root_open(Init *init, Error *err) {
        const char *path = plan_string(init->plan, init->plan->root);
        _cleanup_close_ int target = -EBADF;

        if (mount(NULL, "/", NULL, init->plan->propagation, NULL) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "linux.rootfsPropagation");
        /* One that is not recursive leaves the mounts below "/" as shared as the host's. */
        if ((!(init->plan->propagation & MS_REC) || (init->plan->propagation & MS_SHARED)) && make_private(path, err) < 0)
                return -1;
        init->root = init_fd(init, init->plan->root_fd);
        if (init->root < 0 && mount_clone(AT_FDCWD, path, AT_RECURSIVE, &init->root, err) < 0)
                return error_prefix(err, "root filesystem");
        /* A user namespace's root may not get as far as its own root filesystem: then it lies on "/" until it is entered. */
        target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0 && errno == EACCES)
                target = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open root filesystem '%s'", path);
        if (mount_attach(init->root, target, err) < 0)
                return error_prefix(err, "root filesystem '%s'", path);
        return 0;
}

/* Without pivot_root (the host's root is an initramfs): the root is moved onto "/". */
static int enter_by_move(const Init *init, Error *err) {
        _cleanup_close_ int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        /* They stay reachable for who gets rid of the mount above; they must not be. */
        (void) umount2("/proc", MNT_DETACH);
        (void) umount2("/sys", MNT_DETACH);
        if (slash < 0 || move_mount(init->root, "", slash, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "move the root filesystem");
        if (fchdir(init->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "enter the root filesystem");
        return 0;
}

int root_enter(const Init *init, Error *err) {
        _cleanup_close_ int old = -EBADF;

        if (init->plan->flags & PLAN_NO_PIVOT)
                return enter_by_move(init, err);
        old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (old < 0 || fchdir(init->root) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "enter the root filesystem");
        if (syscall(SYS_pivot_root, ".", ".") < 0) {
                error_set_errno(err, ERROR_RUNTIME, errno, "pivot_root");
                return error_hint(err, "on an initramfs use --no-pivot");
        }
        /* The old root's mounts go, here only. */
        if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 || umount2(".", MNT_DETACH) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "detach the host's root");
        if (fchdir(init->root) < 0 || chroot(".") < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "enter the root filesystem");
        return 0;
}

static bool is_missing(int errnum) {
        return errnum == ENOENT || errnum == ENOTDIR;
}

/* An empty file system that cannot be written; the first time a new one, then the same again. */
static int mount_empty(int *empty, int target, Error *err) {
        static const char *const data[] = { "ro" };
        _cleanup_close_ int clone = -EBADF;

        if (*empty >= 0) {
                if (mount_clone(*empty, "", AT_EMPTY_PATH, &clone, err) < 0)
                        return -1;
                return mount_attach(clone, target, err);
        }
        if (mount_new("tmpfs", "tmpfs", data, ARRAY_SIZE(data), MOUNT_ATTR_RDONLY, empty, err) < 0)
                return -1;
        return mount_attach(*empty, target, err);
}

/* By descriptor, and checked: what a hostile root put in the place of /dev/null is not mounted. */
static int mount_null(const Init *init, int target, Error *err) {
        _cleanup_close_ int own = -EBADF, clone = -EBADF;
        struct stat st;
        int null = init->null;

        if (null < 0)
                null = own = open_in_root(init->root, "dev/null", O_PATH | O_NOFOLLOW, 0);
        if (null < 0 || fstat(null, &st) < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "the container's /dev/null");
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return error_set(err, ERROR_INVALID_ROOTFS, "the container's /dev/null is something else");
        if (mount_clone(null, "", AT_EMPTY_PATH, &clone, err) < 0)
                return -1;
        return mount_attach(clone, target, err);
}

static int mask(const Init *init, const char *path, int *empty, Error *err) {
        _cleanup_close_ int fd = open_in_root(init->root, path, O_PATH, 0);
        struct stat st;

        if (fd < 0 && is_missing(errno))
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open it");
        return S_ISDIR(st.st_mode) ? mount_empty(empty, fd, err) : mount_null(init, fd, err);
}

static int protect(const Init *init, const char *path, Error *err) {
        _cleanup_close_ int fd = open_in_root(init->root, path, O_PATH, 0), clone = -EBADF;

        if (fd < 0 && is_missing(errno))
                return 0;
        if (fd < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open it");
        if (mount_clone(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &clone, err) < 0 ||
            mount_change(clone, 0, MOUNT_ATTR_RDONLY, 0, 0, -1, err) < 0)
                return -1;
        return mount_attach(clone, fd, err);
}

int root_finish(const Init *init, Error *err) {
        const PlanRef *readonly = plan_at(init->plan, init->plan->readonly.at), *masked = plan_at(init->plan, init->plan->masked.at);
        _cleanup_close_ int empty = -EBADF;

        for (uint32_t i = 0; i < init->plan->readonly.n; i++)
                if (protect(init, plan_string(init->plan, readonly[i]), err) < 0)
                        return error_prefix(err, "linux.readonlyPaths[%u]: '%s'", i, plan_string(init->plan, readonly[i]));
        for (uint32_t i = 0; i < init->plan->masked.n; i++)
                if (mask(init, plan_string(init->plan, masked[i]), &empty, err) < 0)
                        return error_prefix(err, "linux.maskedPaths[%u]: '%s'", i, plan_string(init->plan, masked[i]));
        if (mount_change(init->root, 0, init->plan->flags & PLAN_READONLY_ROOT ? MOUNT_ATTR_RDONLY : 0, 0, 0, -1, err) < 0)
                return error_prefix(err, "root.readonly");
        if (init->plan->root_propagation && mount(NULL, "/", NULL, init->plan->root_propagation, NULL) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "linux.rootfsPropagation");
        return 0;
}
