/* Storage driver "overlay": the unpacked layers as they lie, under a directory of the container's own. */

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/user.h"
#include "oci/userns.h"
#include "store/drivers/copy.h"
#include "store/drivers/drivers.h"
#include "store/drivers/overlay-mount.h"
#include "store/drivers/overlay-parts.h"
#include "store/drivers/root.h"
#include "store/drivers/shift.h"
#include "store/mounts.h"


/* What the driver has in containers/ID/; "empty" only for an image without layers. */
static const char *const parts[] = { "rootfs", "upper", "work", "empty" };

/*
 * Filesystems that every kernel takes as an upper directory, and whose mounts shift owners since Linux 6.3 at the latest. On others a mount
 * is tried: zfs can since 2.2, nfs, fuse and overlay itself cannot, but may one day. ext2 has ext4's magic, but knows of no verity.
 */
static bool is_known(int fd) {
        static const uint32_t magics[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, F2FS_SUPER_MAGIC };
        struct statfs fs;
        struct statx stx;

        if (fstatfs(fd, &fs) < 0)
                return false;
        if ((uint32_t) fs.f_type == EXT4_SUPER_MAGIC &&
            (statx(fd, "", AT_EMPTY_PATH, 0, &stx) < 0 || !(stx.stx_attributes_mask & STATX_ATTR_VERITY)))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
                if ((uint32_t) fs.f_type == magics[i])
                        return true;
        return false;
}

/*
 * Opaque directories are kept in trusted.* attributes of upper/, in a user namespace in user.* ones; without them an overlay mounts, but
 * cannot delete. Removing one that is not there tells whether they could be set, and changes nothing.
 */
static int probe_xattr(int fd, bool nested, Error *err) {
        const char *which = nested ? "user" : "trusted";

        if (fremovexattr(fd, nested ? "user.overlay.opaque" : "trusted.overlay.opaque") == 0 || errno == ENODATA)
                return 0;
        if (errno == EPERM)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "this process may not set %s.* attributes", which);
        return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "the store's filesystem takes no %s.* attributes", which);
}

static int probe_in(int dir_fd, Error *err) {
        static const char *const names[] = { "lower", "upper", "work" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (mkdirat(dir_fd, names[i], 0700) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "create directory '%s'", names[i]);
        return overlay_try(dir_fd, err);
}

/* Really makes one, in tmp/. */
static int probe_by_trying(Store *store, Error *err) {
        _cleanup_close_ int dir = -EBADF, lock = -EBADF;
        _cleanup_free_ char *name = NULL;
        int r;

        if (store_tmp_make(store, &name, &dir, &lock, err) < 0)
                return -1;
        r = probe_in(dir, err);
        if (dir_remove_tree_at(store_tmp_fd(store), name, r < 0 ? NULL : err) < 0)
                r = -1;
        return r;
}

/* Costs few system calls where it can: every creation of a container asks. In a user namespace not every kernel mounts one at all. */
static int overlay_probe(Store *store, Error *err) {
        Error cause = ERROR_INIT;
        bool nested = user_is_nested();

        if (probe_xattr(store_tmp_fd(store), nested, &cause) == 0 && overlay_available(&cause) == 0 &&
            ((!nested && is_known(store_tmp_fd(store))) || probe_by_trying(store, &cause) == 0))
                return 0;
        error_set(err, ERROR_NOT_SUPPORTED, "no overlay on the store '%s': %s", store_path(store), cause.text);
        if (err)
                err->errnum = cause.errnum;
        return error_hint(err, "choose --storage-driver dir");
}

/* The root of an image without layers. */
static int set_plain_attributes(const DriverRoot *root, int upper_fd, Error *err) {
        struct stat st = {};

        if (root->mapping && shift_owner(root->mapping, &st, err) < 0)
                return -1;
        if (fchown(upper_fd, st.st_uid, st.st_gid) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the owner of 'upper'");
        return fchmod(upper_fd, 0755) == 0 ? 0 : error_set_errno(err, ERROR_FILE, errno, "set the mode of 'upper'");
}

/*
 * The merged root shows the owner, mode and attributes of upper/ itself, so it gets those of the topmost layer's root. Layers are shifted
 * by their mounts; upper/ is not, and what the container writes there has the host's ids of its owners.
 */
static int copy_root_attributes(const DriverRoot *root, int upper_fd, Error *err) {
        _cleanup_close_ int top = -EBADF;

        if (root->n_layers == 0)
                return set_plain_attributes(root, upper_fd, err);
        if (layer_files_open(store_layers_fd(root->store), &root->chain_ids[root->n_layers - 1], O_RDONLY, &top, err) < 0)
                return -1;
        return copy_attributes(top, upper_fd, root->mapping, err);
}

static int make_parts(const DriverRoot *root, Error *err) {
        _cleanup_close_ int upper = -EBADF;

        if (dir_make_at(root->container_fd, "rootfs", 0700, NULL, err) < 0 ||
            dir_make_at(root->container_fd, "upper", 0700, &upper, err) < 0 || fault_point("rootfs.prepare", err) < 0 ||
            dir_make_at(root->container_fd, "work", 0700, NULL, err) < 0)
                return -1;
        if (root->n_layers == 0 && dir_make_at(root->container_fd, "empty", 0755, NULL, err) < 0)
                return -1;
        return copy_root_attributes(root, upper, err);
}

static int overlay_prepare(const DriverRoot *root, Error *err) {
        if (faccessat(root->container_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set_errno(err, ERROR_FILE, EEXIST, "prepare a root in '%s'", root->path);
        if (make_parts(root, err) < 0) {
                (void) root_remove_parts(root, parts, ARRAY_SIZE(parts), NULL);
                return error_prefix(err, "prepare a root in '%s'", root->path);
        }
        return 0;
}

static int overlay_mount_root(const DriverRoot *root, Error *err) {
        bool mounted;

        if (mount_is_point(root->container_fd, "rootfs", &mounted, err) < 0)
                return error_prefix(err, "'%s'", root->path);
        if (mounted) {
                struct statfs fs;
                char base[FD_PATH_MAX], path[FD_PATH_MAX + sizeof("/rootfs")];

                snprintf(path, sizeof(path), "%s/rootfs", fd_path(root->container_fd, base));
                if (statfs(path, &fs) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "look at the mount on '%s/rootfs'", root->path);
                if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
                        return 0;
                /* Killed between the private mount point and the overlay on it. */
                if (root_unmount(root, err) < 0)
                        return -1;
        }
        if (faccessat(root->container_fd, "work/work/incompat/volatile", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                error_set(err, ERROR_INVALID_STATE, "the root in '%s' was made for one run only, and has had it", root->path);
                return error_hint(err, "delete the container");
        }
        if (overlay_mount(root, err) < 0)
                return error_prefix(err, "mount the root of %zu layers on '%s/rootfs'", root->n_layers, root->path);
        return 0;
}

static int overlay_remove(const DriverRoot *root, Error *err) {
        return root_remove(root, parts, ARRAY_SIZE(parts), err);
}

/*
 * Whether a mount of the store's filesystem can. Trying takes a process and a grace period of the kernel, for which every creation of a
 * container would wait; a kernel that takes layers by descriptor is new enough for all known filesystems.
 */
static int overlay_probe_shift(Store *store, Error *err) {
        static IdRange range = { .container = 0, .host = 100000, .size = 1 }; /* any will do */
        const IdMapping mapping = { .uids = { &range, 1 }, .gids = { &range, 1 } };
        _cleanup_close_ int userns = -EBADF, tree = -EBADF;

        if (!user_is_nested() && is_known(store_tmp_fd(store)) && overlay_takes_descriptors(store_tmp_fd(store)))
                return 0;
        if (userns_open(&mapping, &userns, err) < 0)
                return -1;
        return overlay_shift(store, store_tmp_fd(store), userns, &tree, err);
}

const Driver driver_overlay = {
        .name         = "overlay",
        .summary      = "overlay mounts of the unpacked layers: no copies, one writable directory a container",
        .capabilities = DRIVER_NEEDS_MOUNT | DRIVER_IDMAP,
        .probe        = overlay_probe,
        .probe_shift  = overlay_probe_shift,
        .prepare      = overlay_prepare,
        .mount        = overlay_mount_root,
        .unmount      = root_unmount,
        .remove       = overlay_remove,
};
