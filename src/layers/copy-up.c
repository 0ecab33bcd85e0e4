/* Taking a single file of a lower layer up into the one that is made, so that a hard link can share its inode. */

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "layers/tree.h"

static int copy_range(int from, int to, off_t start, off_t end, Error *err) {
        while (start < end) {
                off_t in = start, out = start;
                ssize_t n = copy_file_range(from, &in, to, &out, (size_t) (end - start), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return error_set_errno(err, ERROR_FILE, n < 0 ? errno : EIO, "copy");
                start += n;
        }
        return 0;
}

/* Holes stay holes. */
static int copy_data(int from, int to, off_t size, Error *err) {
        off_t start = 0;

        if (ioctl(to, FICLONE, from) == 0)
                return 0;
        if (ftruncate(to, size) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the size");
        while (start < size) {
                off_t data = lseek(from, start, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        break;
                if (data < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "seek");
                hole = lseek(from, data, SEEK_HOLE);
                if (hole < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "seek");
                if (copy_range(from, to, data, hole, err) < 0)
                        return -1;
                start = hole;
        }
        return 0;
}

static int copy_regular(const StackEntry *lower, int parent_fd, const char *name, Error *err) {
        _cleanup_close_ int from = -EBADF, to = -EBADF;
        char path[FD_PATH_MAX];

        from = open(fd_path(lower->fd, path), O_RDONLY | O_CLOEXEC);
        if (from < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open");
        to = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create");
        return copy_data(from, to, lower->st.st_size, err);
}

static int copy_symlink(const StackEntry *lower, int parent_fd, const char *name, Error *err) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(lower->fd, "", target, sizeof(target) - 1);

        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the symlink");
        target[n] = '\0';
        return symlinkat(target, parent_fd, name) < 0 ? error_set_errno(err, ERROR_FILE, errno, "create the symlink") : 0;
}

static int copy_special(const StackEntry *lower, int parent_fd, const char *name, Error *err) {
        if (mknodat(parent_fd, name, (lower->st.st_mode & S_IFMT) | 0600, lower->st.st_rdev) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create the special file");
        return 0;
}

int tree_copy_up(LayerTree *tree, const StackEntry *lower, const TreeDirectory *parent, const char *name, Error *err) {
        _cleanup_metadata_ Metadata metadata = { 0 };
        char path[PATH_MAX];
        int r;

        if (tree_join(parent->path, name, path, err) < 0 || path_set_add(&tree->used, path, err) < 0)
                return -1;
        if (S_ISREG(lower->st.st_mode))
                r = copy_regular(lower, parent->fd, name, err);
        else if (S_ISLNK(lower->st.st_mode))
                r = copy_symlink(lower, parent->fd, name, err);
        else
                r = copy_special(lower, parent->fd, name, err);
        if (r < 0 || metadata_from_file(lower->fd, &lower->st, &metadata, err) < 0 ||
            metadata_apply(&metadata, parent->fd, name, err) < 0)
                return error_prefix(err, "take up '%.256s' of a lower layer", path);
        return 0;
}
