/* Paths below a root, made. */

#include "base/root-path.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* Cuts trailing slashes and "/." off. */
static int copy_path(const char *path, char ret[PATH_MAX], Error *err) {
        size_t len = strlen(path);

        while (len > 0 && (path[len - 1] == '/' || (len > 1 && path[len - 1] == '.' && path[len - 2] == '/')))
                len--;
        if (len >= PATH_MAX)
                return error_set_errno(err, ERROR_INVALID_SPEC, ENAMETOOLONG, "'%.64s…'", path);
        memcpy(ret, path, len);
        ret[len] = '\0';
        return 0;
}

/* Opens a directory, making it and those above when they are missing. @path is changed and restored on the way. */
static int make_directories(int root, char *path, int *ret_fd, Error *err) {
        _cleanup_close_ int parent = -EBADF;
        int fd = open_in_root(root, path[0] ? path : ".", O_PATH | O_DIRECTORY, 0);
        char *slash;

        if (fd < 0 && errno == ENOENT && path[0]) {
                slash = strrchr(path, '/');
                if (slash)
                        *slash = '\0';
                if (make_directories(root, slash ? path : path + strlen(path), &parent, err) < 0)
                        return -1;
                if (slash)
                        *slash = '/';
                if (mkdirat(parent, slash ? slash + 1 : path, 0755) < 0 && errno != EEXIST)
                        return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "make directory '%s' in the root", path);
                fd = open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
        }
        if (fd < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open directory '%s' in the root", path);
        *ret_fd = fd;
        return 0;
}

int root_path_make_parent(int root, const char *path, int *ret_fd, const char **ret_name, Error *err) {
        char copy[PATH_MAX], *slash;
        const char *name;

        if (copy_path(path, copy, err) < 0)
                return -1;
        slash = strrchr(copy, '/');
        name = strrchr(path, '/') ? path + (slash ? slash - copy + 1 : 0) : path;
        if (!name[0] || !strcmp(name, "..") || !strcmp(name, "."))
                return error_set(err, ERROR_INVALID_SPEC, "'%s' has no name at its end", path);
        if (slash)
                *slash = '\0';
        else
                copy[0] = '\0';
        if (make_directories(root, copy, ret_fd, err) < 0)
                return -1;
        *ret_name = name;
        return 0;
}

int root_path_make(int root, const char *path, bool directory, bool no_follow, int *ret_fd, Error *err) {
        _cleanup_close_ int parent = -EBADF;
        char copy[PATH_MAX];
        int fd = open_in_root(root, path, O_PATH | (no_follow ? O_NOFOLLOW : 0), 0);
        char *name;

        if (fd < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open '%s' in the root", path);
        if (fd >= 0) {
                *ret_fd = fd;
                return 0;
        }
        if (copy_path(path, copy, err) < 0)
                return -1;
        if (directory)
                return make_directories(root, copy, ret_fd, err);
        name = strrchr(copy, '/');
        if (name)
                *name++ = '\0';
        else
                name = copy;
        if (make_directories(root, name == copy ? copy + strlen(copy) : copy, &parent, err) < 0)
                return -1;
        fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0755);
        if (fd < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "make file '%s' in the root", path);
        close_keep_errno(fd);
        fd = open_in_root(root, path, O_PATH | (no_follow ? O_NOFOLLOW : 0), 0);
        if (fd < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open '%s' in the root", path);
        *ret_fd = fd;
        return 0;
}
