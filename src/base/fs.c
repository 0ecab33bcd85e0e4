/* Reading, writing and removing files by descriptor. */

#include "base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/cleanup.h"

int fd_write_all(int fd, const void *data, size_t len, Error *err) {
        const char *p = data;

        while (len > 0) {
                ssize_t n = write(fd, p, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "write");
                p += n;
                len -= (size_t) n;
        }
        return 0;
}

/* Where every file is said to have a page, whatever can be read of it. */
static bool is_sysfs(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

int file_read_fd(int fd, const char *what, size_t max, char **ret_data, size_t *ret_len, Error *err) {
        _cleanup_free_ char *data = NULL;
        struct stat st;
        size_t size = 4096, len = 0;
        bool known;

        if (fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '%s'", what);
        if (S_ISDIR(st.st_mode))
                return error_set_errno(err, ERROR_FILE, EISDIR, "read '%s'", what);
        known = S_ISREG(st.st_mode) && st.st_size > 0;
        if (known && (uint64_t) st.st_size > max && is_sysfs(fd))
                known = false;
        if (known) {
                if ((uint64_t) st.st_size > max)
                        return error_set_errno(err, ERROR_FILE, EFBIG, "read '%s': %lld bytes, at most %zu are accepted", what,
                                               (long long) st.st_size, max);
                size = (size_t) st.st_size + 1;
        }

        /* The size is only a guess: proc files say 0, and a file may grow while it is read. */
        for (;;) {
                ssize_t n;

                if (!data || len == size) {
                        char *p;

                        if (data)
                                size *= 2;
                        p = realloc(data, size + 1);
                        if (!p)
                                return error_oom(err);
                        data = p;
                }
                n = read(fd, data + len, size - len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read '%s'", what);
                len += (size_t) n;
                /* One byte more was asked for than the file was said to have. */
                if (n == 0 || (known && len == (size_t) st.st_size))
                        break;
                if (len > max)
                        return error_set_errno(err, ERROR_FILE, EFBIG, "read '%s': more than %zu bytes", what, max);
        }
        data[len] = '\0';
        *ret_data = TAKE(data);
        if (ret_len)
                *ret_len = len;
        return 0;
}

char *file_tail_fd(int fd, off_t start, size_t max) {
        _cleanup_free_ char *text = NULL;
        struct stat st;
        off_t from;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= start)
                return NULL;
        from = st.st_size - start > (off_t) max ? st.st_size - (off_t) max : start;
        text = malloc((size_t) (st.st_size - from) + 1);
        n = text ? pread(fd, text, (size_t) (st.st_size - from), from) : -1;
        if (n <= 0)
                return NULL;
        text[n] = '\0';
        return TAKE(text);
}

int file_read_at(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_len, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        /* O_NONBLOCK: a FIFO put in a file's place must not hang us. */
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        return file_read_fd(fd, path, max, ret_data, ret_len, err);
}

int file_write_atomic_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, unsigned flags, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        char temporary[NAME_MAX + 1];
        int n;

        n = snprintf(temporary, sizeof(temporary), ".%s.%d.tmp", name, (int) getpid());
        if (n < 0 || (size_t) n >= sizeof(temporary))
                return error_set_errno(err, ERROR_FILE, ENAMETOOLONG, "write '%s'", name);

        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s'", temporary);

        if (fchmod(fd, mode) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "set the mode of '%s'", temporary);
                goto fail;
        }
        if (fd_write_all(fd, data, len, err) < 0) {
                error_prefix(err, "'%s'", name);
                goto fail;
        }
        if ((flags & WRITE_DURABLE) && fsync(fd) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "fsync '%s'", name);
                goto fail;
        }
        if (flags & WRITE_EXCLUSIVE) {
                /* A link never replaces, on every file system; RENAME_NOREPLACE is not known to all. */
                if (linkat(dir_fd, temporary, dir_fd, name, 0) < 0) {
                        error_set_errno(err, ERROR_FILE, errno, "create '%s'", name);
                        goto fail;
                }
                (void) unlinkat(dir_fd, temporary, 0);
        } else if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "rename '%s' to '%s'", temporary, name);
                goto fail;
        }
        if ((flags & WRITE_DURABLE) && fsync(dir_fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fsync the directory of '%s'", name);
        return 0;

fail:
        (void) unlinkat(dir_fd, temporary, 0);
        return -1;
}

int dir_open_at(int dir_fd, const char *path, int *ret_fd, Error *err) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", path);
        *ret_fd = fd;
        return 0;
}

int dir_read(int dir_fd, DIR **ret, Error *err) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory");
        *ret = fdopendir(fd);
        if (*ret)
                return 0;
        close_keep_errno(fd);
        return error_set_errno(err, ERROR_FILE, errno, "read directory");
}

struct dirent *dir_next(DIR *dir) {
        struct dirent *entry;

        errno = 0;
        do
                entry = readdir(dir);
        while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
        return entry;
}

int dir_make_at(int dir_fd, const char *path, mode_t mode, int *ret_fd, Error *err) {
        _cleanup_free_ char *copy = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (!path[0])
                return error_set_errno(err, ERROR_FILE, ENOENT, "create directory ''");
        if (string_copy(path, &copy, err) < 0)
                return -1;

        for (char *p = copy + 1;; p++) {
                char saved = *p;

                if (saved != '/' && saved != '\0')
                        continue;
                *p = '\0';
                if (mkdirat(dir_fd, copy, mode) == 0) {
                        if (fchmodat(dir_fd, copy, mode, 0) < 0)
                                return error_set_errno(err, ERROR_FILE, errno, "set the mode of '%s'", copy);
                } else if (errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "create directory '%s'", copy);
                *p = saved;
                if (saved == '\0')
                        break;
        }

        fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", path);
        if (ret_fd)
                *ret_fd = TAKE_FD(fd);
        return 0;
}

int open_in_root(int root_fd, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) flags | O_CLOEXEC,
                .mode = (flags & (O_CREAT | __O_TMPFILE)) ? mode : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        return (int) syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

int open_beneath(int dir_fd, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) flags | O_CLOEXEC,
                .mode = (flags & (O_CREAT | __O_TMPFILE)) ? mode : 0,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };

        return (int) syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

/* Opens a subdirectory for removal: beneath @dir_fd, same mount, no symlinks. */
static int open_same_mount(int dir_fd, const char *name) {
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        };

        return (int) syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
}

/*
 * Empties the directory @dir_fd (taken). A subdirectory that is not empty is first renamed up next to the top, so that the depth of
 * what is removed costs neither stack nor descriptors: each pass flattens one level.
 */
static int empty_directory(int top_fd, int dir_fd, unsigned *counter, bool *ret_moved, Error *err) {
        _cleanup_closedir_ DIR *dir = fdopendir(dir_fd);
        struct dirent *entry;

        if (!dir) {
                close_keep_errno(dir_fd);
                return error_set_errno(err, ERROR_FILE, errno, "read directory");
        }
        while ((entry = dir_next(dir))) {
                char moved[64];
                int r;

                if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
                        continue;
                if (errno != EISDIR)
                        return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", entry->d_name);
                if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0)
                        continue;
                if (errno != ENOTEMPTY && errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "remove directory '%s'", entry->d_name);

                /* All that a plain rename can replace is an empty directory, which has to go anyway; not every file system has more. */
                do {
                        snprintf(moved, sizeof(moved), ".removed-%u", (*counter)++);
                        r = renameat(dirfd(dir), entry->d_name, top_fd, moved);
                } while (r < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
                if (r < 0 && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "move directory '%s' aside", entry->d_name);
                *ret_moved = true;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read directory");
        return 0;
}

/* One pass over the top directory: empties each subdirectory by one level. */
static int flatten_once(int top_fd, unsigned *counter, bool *ret_more, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (dir_read(top_fd, &dir, err) < 0)
                return -1;
        *ret_more = false;
        while ((entry = dir_next(dir))) {
                int sub;

                if (unlinkat(top_fd, entry->d_name, 0) == 0 || errno == ENOENT)
                        continue;
                if (errno != EISDIR)
                        return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", entry->d_name);
                if (unlinkat(top_fd, entry->d_name, AT_REMOVEDIR) == 0)
                        continue;
                if (errno != ENOTEMPTY && errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "remove directory '%s'", entry->d_name);

                sub = open_same_mount(top_fd, entry->d_name);
                if (sub < 0)
                        return error_set_errno(err, ERROR_FILE, errno == EXDEV ? EBUSY : errno, "remove directory '%s'", entry->d_name);
                if (empty_directory(top_fd, sub, counter, ret_more, err) < 0)
                        return error_prefix(err, "'%s'", entry->d_name);
                if (unlinkat(top_fd, entry->d_name, AT_REMOVEDIR) < 0)
                        *ret_more = true;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read directory");
        return 0;
}

int dir_remove_tree_at(int dir_fd, const char *name, Error *err) {
        _cleanup_close_ int top = -EBADF;
        unsigned counter = 0;
        bool more = true;

        if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", name);
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "remove directory '%s'", name);

        top = open_same_mount(dir_fd, name);
        if (top < 0)
                return error_set_errno(err, ERROR_FILE, errno == EXDEV ? EBUSY : errno, "remove directory '%s'", name);

        while (more)
                if (flatten_once(top, &counter, &more, err) < 0)
                        return error_prefix(err, "remove '%s'", name);

        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove directory '%s'", name);
        return 0;
}

const char *fd_path(int fd, char buffer[FD_PATH_MAX]) {
        snprintf(buffer, FD_PATH_MAX, "/proc/self/fd/%d", fd);
        return buffer;
}

int fd_get_path(int fd, char **ret, Error *err) {
        char link[FD_PATH_MAX], target[PATH_MAX];
        ssize_t n;

        n = readlink(fd_path(fd, link), target, sizeof(target) - 1);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the path of descriptor %d", fd);
        target[n] = '\0';
        return string_copy(target, ret, err);
}

int path_absolute(const char *path, char **ret, Error *err) {
        _cleanup_free_ char *cwd = NULL;

        if (path[0] == '/')
                return string_copy(path, ret, err);
        cwd = getcwd(NULL, 0);
        if (!cwd)
                return error_set_errno(err, ERROR_FILE, errno, "read the working directory");
        return string_format(ret, err, "%s/%s", strcmp(cwd, "/") ? cwd : "", path);
}
