/* A container's root, whatever it is made of: its layers, unmounting and removing it. */

#include "store/drivers/root.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "store/mounts.h"

int layer_files_open(int layers_fd, const Digest *chain_id, int access, int *ret, Error *err) {
        char path[sizeof(Digest) + sizeof("/diff")];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        fd = open_beneath(layers_fd, path, access | O_DIRECTORY, 0);
        if (fd < 0 && errno == ENOENT)
                return error_set(err, ERROR_INVALID_STATE, "layer '%s' is not unpacked", chain_id->text);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open layer '%s'", chain_id->text);
        *ret = fd;
        return 0;
}

int root_unmount(const DriverRoot *root, Error *err) {
        if (mount_remove(root->container_fd, "rootfs", err) < 0)
                return error_prefix(err, "'%s'", root->path);
        return 0;
}

int root_remove_parts(const DriverRoot *root, const char *const *parts, size_t n, Error *err) {
        for (size_t i = 0; i < n; i++)
                if (dir_remove_tree_at(root->container_fd, parts[i], err) < 0) {
                        if (err && err->errnum == EPERM)
                                error_hint(err, "a file may be immutable: chattr -R -ia '%s/%s'", root->path, parts[i]);
                        return -1;
                }
        return 0;
}

int root_remove(const DriverRoot *root, const char *const *parts, size_t n, Error *err) {
        bool mounted;

        if (mount_is_inside(root->container_fd, &mounted, err) < 0)
                return error_prefix(err, "'%s'", root->path);
        if (mounted)
                return error_set_errno(err, ERROR_FILE, EBUSY, "remove the root in '%s': something is mounted there", root->path);
        if (root_remove_parts(root, parts, n, err) < 0)
                return error_prefix(err, "remove the root in '%s'", root->path);
        return 0;
}
