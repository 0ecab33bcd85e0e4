/* Storage driver "dir": a whole copy of the stacked layers for each container, sharing blocks where the filesystem can. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "store/drivers/copy.h"
#include "store/drivers/drivers.h"
#include "store/mounts.h"

#define PARTIAL "rootfs.partial" /* the copy until it is whole */
#define LINKS   "rootfs.links"   /* see copy_layer() */

static int dir_probe(Store *store, Error *err) {
        if (faccessat(store_containers_fd(store), ".", W_OK, 0) < 0)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "the store '%s' cannot be written", store_path(store));
        return 0;
}

static int copy_layers(const DriverRoot *root, int to_fd, int links_fd, Error *err) {
        for (size_t i = 0; i < root->n_layers; i++) {
                const Digest *chain_id = &root->chain_ids[i];
                _cleanup_close_ int layer = -EBADF;
                char path[sizeof(Digest) + sizeof("/diff")];

                snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
                layer = open_beneath(store_layers_fd(root->store), path, O_RDONLY | O_DIRECTORY, 0);
                if (layer < 0 && errno == ENOENT)
                        return error_set(err, ERROR_INVALID_STATE, "layer '%s' is not unpacked", chain_id->text);
                if (layer < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open layer '%s'", chain_id->text);
                if (copy_layer(layer, to_fd, links_fd, root->mapping, err) < 0)
                        return error_prefix(err, "copy layer '%s'", chain_id->text);
                if (i == 0 && fault_point("rootfs.prepare", err) < 0)
                        return -1;
        }
        return 0;
}

static int make_copy(const DriverRoot *root, Error *err) {
        _cleanup_close_ int to = -EBADF, links = -EBADF;

        if (dir_make_at(root->container_fd, PARTIAL, 0755, &to, err) < 0 || dir_make_at(root->container_fd, LINKS, 0700, &links, err) < 0 ||
            copy_layers(root, to, links, err) < 0 || dir_remove_tree_at(root->container_fd, LINKS, err) < 0)
                return -1;
        /* The container's record, which is durable, will say that the copy is whole. */
        if (!root->temporary && syncfs(to) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the copy");
        if (renameat2(root->container_fd, PARTIAL, root->container_fd, "rootfs", 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "rename '" PARTIAL "' to 'rootfs'");
        return 0;
}

static int remove_copy(const DriverRoot *root, Error *err) {
        static const char *const parts[] = { "rootfs", PARTIAL, LINKS };

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (dir_remove_tree_at(root->container_fd, parts[i], err) < 0) {
                        if (err && err->errnum == EPERM)
                                error_hint(err, "a file may be immutable: chattr -R -ia '%s/%s'", root->path, parts[i]);
                        return -1;
                }
        return 0;
}

static int dir_prepare(const DriverRoot *root, Error *err) {
        if (faccessat(root->container_fd, "rootfs", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set_errno(err, ERROR_FILE, EEXIST, "prepare a root in '%s'", root->path);
        if (remove_copy(root, err) < 0)
                return error_prefix(err, "prepare a root in '%s'", root->path);
        if (make_copy(root, err) < 0) {
                (void) remove_copy(root, NULL);
                return error_prefix(err, "prepare a root in '%s'", root->path);
        }
        return 0;
}

static int dir_mount(const DriverRoot *root, Error *err) {
        _cleanup_close_ int rootfs = -EBADF;

        rootfs = open_beneath(root->container_fd, "rootfs", O_PATH | O_DIRECTORY, 0);
        if (rootfs < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open the root '%s/rootfs'", root->path);
        return 0;
}

static int dir_unmount(const DriverRoot *root, Error *err) {
        if (mount_remove(root->container_fd, "rootfs", err) < 0)
                return error_prefix(err, "'%s'", root->path);
        return 0;
}

static int dir_remove(const DriverRoot *root, Error *err) {
        bool mounted;

        if (mount_is_inside(root->container_fd, &mounted, err) < 0)
                return error_prefix(err, "'%s'", root->path);
        if (mounted)
                return error_set_errno(err, ERROR_FILE, EBUSY, "remove the root in '%s': something is mounted there", root->path);
        if (remove_copy(root, err) < 0)
                return error_prefix(err, "remove the root in '%s'", root->path);
        return 0;
}

const Driver driver_dir = {
        .name         = "dir",
        .summary      = "a whole copy of the layers for each container, by reflink where the filesystem can",
        .capabilities = DRIVER_IDMAP,
        .probe        = dir_probe,
        .prepare      = dir_prepare,
        .mount        = dir_mount,
        .unmount      = dir_unmount,
        .remove       = dir_remove,
};
