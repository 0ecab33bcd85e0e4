/* The directories and options of an overlay. */

#include "store/drivers/overlay-parts.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/userns.h"
#include "store/drivers/root.h"

/*
 * A layer comes from strangers: nothing in it may redirect a look-up elsewhere or borrow another file's data. Unpacking never sets the
 * attributes that ask for it; these options make the kernel deaf to them all the same. index needs file handles and refuses moved stores.
 */
const OverlayOption overlay_options[] = {
        { "redirect_dir", "nofollow" },
        { "metacopy",     "off"      },
        { "index",        "off"      },
        {},
};

size_t overlay_lower_count(const DriverRoot *root) {
        return root->n_layers ?: 1;
}

int overlay_layer_open(const DriverRoot *root, size_t index, int layers_fd, int *ret_fd, Error *err) {
        return layer_files_open(layers_fd, &root->chain_ids[root->n_layers - 1 - index], O_PATH, ret_fd, err);
}

/* An image without layers has an empty one. */
static int open_plain(const DriverRoot *root, size_t index, int *ret_fd, Error *err) {
        if (root->n_layers == 0)
                return overlay_upper_open(root, "empty", ret_fd, err);
        return overlay_layer_open(root, index, store_layers_fd(root->store), ret_fd, err);
}

int overlay_shift(Store *store, int fd, int userns, int *ret_fd, Error *err) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) userns };
        _cleanup_close_ int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (tree < 0)
                return error_set_errno(err, ERROR_FILE, errno, "clone a layer as a mount");
        if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
                if (errno != EINVAL && errno != EPERM && errno != ENOSYS)
                        return error_set_errno(err, ERROR_FILE, errno, "shift the owners of a layer");
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "the filesystem of the store '%s' cannot shift owners",
                                store_path(store));
                return error_hint(err, "choose --storage-driver dir or --userns host, or move the store to ext4, xfs or btrfs");
        }
        *ret_fd = TAKE_FD(tree);
        return 0;
}

int overlay_lower_open(const DriverRoot *root, size_t index, int userns, int *ret_fd, Error *err) {
        _cleanup_close_ int lower = -EBADF;

        if (open_plain(root, index, &lower, err) < 0)
                return -1;
        if (userns >= 0)
                return overlay_shift(root->store, lower, userns, ret_fd, err);
        *ret_fd = TAKE_FD(lower);
        return 0;
}

int overlay_upper_open(const DriverRoot *root, const char *name, int *ret_fd, Error *err) {
        int fd = open_beneath(root->container_fd, name, O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", name);
        *ret_fd = fd;
        return 0;
}

void fd_list_done(FdList *list) {
        for (size_t i = 0; i < list->n; i++)
                close_keep_errno(list->fds[i]);
        free(list->fds);
}

int overlay_lowers_open(const DriverRoot *root, FdList *ret, Error *err) {
        _cleanup_fd_list_ FdList list = {};
        _cleanup_close_ int userns = -EBADF;

        if (root->mapping && userns_open(root->mapping, &userns, err) < 0)
                return -1;
        list.fds = calloc(overlay_lower_count(root), sizeof(*list.fds));
        if (!list.fds)
                return error_oom(err);
        for (; list.n < overlay_lower_count(root); list.n++)
                if (overlay_lower_open(root, list.n, userns, &list.fds[list.n], err) < 0)
                        return -1;
        *ret = list;
        list = (FdList) {};
        return 0;
}

int overlay_attach(const DriverRoot *root, int mount, Error *err) {
        if (move_mount(mount, "", root->container_fd, "rootfs", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "mount the overlay on 'rootfs'");
        return 0;
}
