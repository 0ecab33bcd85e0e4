/* Contents and attributes of one file. Owner before mode, mode before attributes, capabilities after the data, times last. */

#include "store/drivers/copy-entry.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "store/drivers/copy.h"
#include "store/drivers/shift.h"

#define CHUNK_SIZE    (128u << 10) /* bytes; of a copy through memory */
#define XATTR_MAX     (64u << 10)  /* bytes; XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */
#define ENTRY_PATH_MAX (FD_PATH_MAX + NAME_MAX + 2)

/* A path for calls that take neither a descriptor nor AT_EMPTY_PATH; "." for the directory itself. */
static const char *entry_path(int dir_fd, const char *name, char buffer[ENTRY_PATH_MAX]) {
        char base[FD_PATH_MAX];

        snprintf(buffer, ENTRY_PATH_MAX, "%s/%s", fd_path(dir_fd, base), name);
        return buffer;
}

static bool is_overlays_own(const char *name) {
        return !strncmp(name, OVERLAY_XATTR, strlen(OVERLAY_XATTR)) || !strncmp(name, OVERLAY_XATTR_USER, strlen(OVERLAY_XATTR_USER));
}

/* The names of a file's attributes, each with its NUL; none where the filesystem has none. */
static int list_xattrs(const char *path, char **ret, size_t *ret_len, Error *err) {
        _cleanup_free_ char *list = NULL;
        ssize_t n = llistxattr(path, NULL, 0);

        if (n == 0 || (n < 0 && errno == EOPNOTSUPP)) {
                *ret_len = 0;
                return 0;
        }
        list = malloc(XATTR_MAX);
        if (!list)
                return error_oom(err);
        n = llistxattr(path, list, XATTR_MAX);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "list extended attributes");
        *ret = TAKE(list);
        *ret_len = (size_t) n;
        return 0;
}

/* A directory that was there before keeps nothing that the one laid over it does not have. */
static int remove_xattrs(const char *from, const char *to, Error *err) {
        _cleanup_free_ char *list = NULL;
        size_t len;

        if (list_xattrs(to, &list, &len, err) < 0)
                return -1;
        for (const char *name = list; len > 0 && name < list + len; name += strlen(name) + 1)
                if (lgetxattr(from, name, NULL, 0) < 0 && errno == ENODATA && lremovexattr(to, name) < 0 && errno != ENODATA)
                        return error_set_errno(err, ERROR_FILE, errno, "remove extended attribute '%s'", name);
        return 0;
}

static int copy_xattrs(const char *from, const char *to, const IdMapping *mapping, Error *err) {
        _cleanup_free_ char *list = NULL, *value = NULL;
        size_t len;

        if (list_xattrs(from, &list, &len, err) < 0)
                return -1;
        if (len == 0)
                return 0;
        value = malloc(XATTR_MAX);
        if (!value)
                return error_oom(err);
        for (const char *name = list; name < list + len; name += strlen(name) + 1) {
                ssize_t n;

                if (is_overlays_own(name))
                        continue;
                n = lgetxattr(from, name, value, XATTR_MAX);
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read extended attribute '%s'", name);
                if (mapping && shift_xattr(mapping, name, value, XATTR_MAX, &n, err) < 0)
                        return -1;
                if (lsetxattr(to, name, value, (size_t) n, 0) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "set extended attribute '%s'", name);
        }
        return 0;
}

int copy_attributes(int from_fd, int to_fd, const IdMapping *mapping, Error *err) {
        char from[ENTRY_PATH_MAX], to[ENTRY_PATH_MAX];
        struct stat st;

        if (fstat(from_fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory");
        if (mapping && shift_owner(mapping, &st, err) < 0)
                return -1;
        if (fchown(to_fd, st.st_uid, st.st_gid) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the owner");
        if (fchmod(to_fd, st.st_mode & 07777) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the mode");
        entry_path(from_fd, ".", from);
        entry_path(to_fd, ".", to);
        if (remove_xattrs(from, to, err) < 0 || copy_xattrs(from, to, mapping, err) < 0)
                return -1;
        if (futimens(to_fd, (struct timespec[]) { st.st_atim, st.st_mtim }) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the times");
        return 0;
}

/* Through memory, where the kernel can't copy by itself. */
static int copy_chunks(int from, int to, off_t pos, off_t end, Error *err) {
        _cleanup_free_ char *chunk = malloc(CHUNK_SIZE);

        if (!chunk)
                return error_oom(err);
        while (pos < end) {
                size_t want = end - pos < (off_t) CHUNK_SIZE ? (size_t) (end - pos) : CHUNK_SIZE;
                ssize_t n = pread(from, chunk, want, pos);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read");
                if (n == 0)
                        break;
                for (ssize_t done = 0; done < n;) {
                        ssize_t m = pwrite(to, chunk + done, (size_t) (n - done), pos + done);

                        if (m < 0 && errno == EINTR)
                                continue;
                        if (m < 0)
                                return error_set_errno(err, ERROR_FILE, errno, "write");
                        done += m;
                }
                pos += n;
        }
        return 0;
}

static int copy_range(int from, int to, off_t pos, off_t end, Error *err) {
        while (pos < end) {
                off_t in = pos, out = pos;
                ssize_t n = copy_file_range(from, &in, to, &out, (size_t) (end - pos), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == ENOSPC)
                        return error_set_errno(err, ERROR_FILE, errno, "write");
                /* Not between these filesystems, or not on this kernel; what it is, the plain way will tell. */
                if (n <= 0)
                        return copy_chunks(from, to, pos, end, err);
                pos += n;
        }
        return 0;
}

/* Shares the blocks where the filesystem can, else copies what is not a hole. */
static int copy_data(int from, int to, off_t size, Error *err) {
        off_t pos = 0;

        if (size == 0 || ioctl(to, FICLONE, from) == 0)
                return 0;
        if (ftruncate(to, size) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the size");
        while (pos < size) {
                off_t data = lseek(from, pos, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        break;
                if (data < 0)
                        return copy_range(from, to, pos, size, err);
                hole = lseek(from, data, SEEK_HOLE);
                if (hole < 0)
                        hole = size;
                if (copy_range(from, to, data, hole, err) < 0)
                        return -1;
                pos = hole;
        }
        return 0;
}

static int copy_regular(int from_dir, int to_dir, const char *name, const struct stat *st, Error *err) {
        _cleanup_close_ int from = -EBADF, to = -EBADF;

        from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (from < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open");
        to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create");
        return copy_data(from, to, st->st_size, err);
}

static int copy_symlink(int from_dir, int to_dir, const char *name, Error *err) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read symlink");
        target[n] = '\0';
        if (symlinkat(target, to_dir, name) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create symlink");
        return 0;
}

int copy_entry(int from_dir, int to_dir, const char *name, const struct stat *st, const IdMapping *mapping, Error *err) {
        struct stat owner = *st;
        char from[ENTRY_PATH_MAX], to[ENTRY_PATH_MAX];
        int r = 0;

        if (S_ISREG(st->st_mode))
                r = copy_regular(from_dir, to_dir, name, st, err);
        else if (S_ISLNK(st->st_mode))
                r = copy_symlink(from_dir, to_dir, name, err);
        else if (mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0)
                r = error_set_errno(err, ERROR_FILE, errno, "create special file");
        if (r < 0)
                return -1;

        if (mapping && shift_owner(mapping, &owner, err) < 0)
                return -1;
        if (fchownat(to_dir, name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the owner");
        /* Nothing else is here to put a symlink in its place. */
        if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the mode");
        entry_path(from_dir, name, from);
        entry_path(to_dir, name, to);
        if (copy_xattrs(from, to, mapping, err) < 0)
                return -1;
        if (utimensat(to_dir, name, (struct timespec[]) { st->st_atim, st->st_mtim }, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the times");
        return 0;
}
