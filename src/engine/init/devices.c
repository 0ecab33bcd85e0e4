/* Device nodes and the links that programs expect in /dev. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/root-path.h"
#include "engine/init/init.h"

static const struct {
        const char *target, *name;
} links[] = {
        { "/proc/self/fd", "fd" },
        { "/proc/self/fd/0", "stdin" },
        { "/proc/self/fd/1", "stdout" },
        { "/proc/self/fd/2", "stderr" },
};

/* A user namespace may not make device nodes: the host's are bound. */
static int bind_device(const Init *init, const PlanDevice *d, Error *err) {
        const char *path = plan_string(init->plan, d->path);
        _cleanup_close_ int source = -EBADF, target = -EBADF;
        struct stat st;

        if (mount_clone(AT_FDCWD, path, 0, &source, err) < 0)
                return -1;
        if (fstat(source, &st) < 0 || (st.st_mode & S_IFMT) != (d->mode & S_IFMT) ||
            (!S_ISFIFO(st.st_mode) && st.st_rdev != makedev(d->major, d->minor))) {
                error_set(err, ERROR_NOT_SUPPORTED, "in a user namespace a device is the host's of that path, and that is another one");
                return -1;
        }
        if (root_path_make(init->root, path, false, true, &target, err) < 0)
                return -1;
        return mount_attach(source, target, err);
}

static int make_device(const Init *init, const PlanDevice *d, Error *err) {
        _cleanup_close_ int directory = -EBADF, fd = -EBADF;
        const char *name;
        struct stat st;

        if (root_path_make_parent(init->root, plan_string(init->plan, d->path), &directory, &name, err) < 0)
                return -1;
        if (mknodat(directory, name, d->mode, makedev(d->major, d->minor)) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make the node");
        fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open the node");
        if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || (!S_ISFIFO(st.st_mode) && st.st_rdev != makedev(d->major, d->minor)))
                return error_set(err, ERROR_INVALID_ROOTFS, "the root filesystem has something else there");
        if ((st.st_uid != d->uid || st.st_gid != d->gid) && fchownat(fd, "", d->uid, d->gid, AT_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "give the node to its owner");
        /* An owner change drops none of these bits, but a node that was there may have others. */
        if ((st.st_mode & 07777) != (d->mode & 07777)) {
                char path[48];

                snprintf(path, sizeof(path), "self/fd/%d", fd);
                if (fchmodat(init->proc, path, d->mode & 07777, 0) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "set the node's mode");
        }
        return 0;
}

static int make_links(const Init *init, Error *err) {
        _cleanup_close_ int dev = -EBADF, kcore = -EBADF;

        if (root_path_make(init->root, "/dev", true, false, &dev, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "make link '/dev/%s'", links[i].name);
        kcore = open_in_root(init->root, "proc/kcore", O_PATH, 0);
        if (kcore >= 0 && symlinkat("/proc/kcore", dev, "core") < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make link '/dev/core'");
        if ((unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT) || symlinkat("pts/ptmx", dev, "ptmx") < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make link '/dev/ptmx'");
        return 0;
}

int devices_make(Init *init, Error *err) {
        const PlanDevice *devices = plan_at(init->plan, init->plan->devices.at);
        bool bound = init->plan->flags & PLAN_DEVICES_BOUND;
        struct stat st;

        if (!(init->plan->flags & PLAN_SET_UP_DEV))
                return 0;
        for (uint32_t i = 0; i < init->plan->devices.n; i++)
                if ((bound ? bind_device(init, &devices[i], err) : make_device(init, &devices[i], err)) < 0)
                        return error_prefix(err, "device '%s'", plan_string(init->plan, devices[i].path));
        if (make_links(init, err) < 0)
                return -1;
        init->null = open_in_root(init->root, "dev/null", O_PATH | O_NOFOLLOW, 0);
        if (init->null < 0 || fstat(init->null, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return error_set(err, ERROR_INVALID_ROOTFS, "the container's /dev/null is something else");
        return 0;
}
