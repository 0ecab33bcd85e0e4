/* Storage driver "dir": a whole copy of the stacked layers for each container, sharing blocks where the filesystem can. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "store/drivers/copy.h"
#include "store/drivers/drivers.h"
#include "store/drivers/root.h"

#define PARTIAL "rootfs.partial" /* the copy until it is whole */
#define LINKS   "rootfs.links"   /* see copy_layer() */

static const char *const parts[] = { "rootfs", PARTIAL, LINKS };

static int dir_probe(Store *store, Error *err) {
        if (faccessat(store_containers_fd(store), ".", W_OK, 0) < 0)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "the store '%s' cannot be written", store_path(store));
        return 0;
}

static int copy_layers(const DriverRoot *root, int to_fd, int links_fd, Error *err) {
        for (size_t i = 0; i < root->n_layers; i++) {
                const Digest *chain_id = &root->chain_ids[i];
                _cleanup_close_ int layer = -EBADF;

                if (layer_files_open(store_layers_fd(root->store), chain_id, O_RDONLY, &layer, err) < 0)
                        return -1;
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

static int dir_prepare(const DriverRoot *root, Error *err) {
        if (faccessat(root->container_fd, "rootfs", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set_errno(err, ERROR_FILE, EEXIST, "prepare a root in '%s'", root->path);
        if (root_remove_parts(root, parts, ARRAY_SIZE(parts), err) < 0)
                return error_prefix(err, "prepare a root in '%s'", root->path);
        if (make_copy(root, err) < 0) {
                (void) root_remove_parts(root, parts, ARRAY_SIZE(parts), NULL);
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

static int dir_remove(const DriverRoot *root, Error *err) {
        return root_remove(root, parts, ARRAY_SIZE(parts), err);
}

const Driver driver_dir = {
        .name         = "dir",
        .summary      = "a whole copy of the layers for each container, by reflink where the filesystem can",
        .capabilities = DRIVER_IDMAP,
        .probe        = dir_probe,
        .prepare      = dir_prepare,
        .mount        = dir_mount,
        .unmount      = root_unmount,
        .remove       = dir_remove,
};
