/* tmpcopyup: a tmpfs begins with what the directory under it has. */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

#define DEPTH_MAX 128 /* directories inside of each other; each costs two descriptors */

static int copy_file(int from, int to, const char *name, const struct stat *st, Error *err) {
        _cleanup_close_ int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        _cleanup_close_ int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        char buffer[65536];
        ssize_t n;

        if (in < 0 || out < 0)
                return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
        while ((n = read(in, buffer, sizeof(buffer))) > 0)
                if (fd_write_all(out, buffer, (size_t) n, err) < 0)
                        return error_prefix(err, "copy up '%s'", name);
        if (n < 0 || fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
        return 0;
}

static int copy_entry(int from, int to, const char *name, unsigned depth, Error *err);

static int copy_directory(int from, int to, unsigned depth, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (depth > DEPTH_MAX)
                return error_set(err, ERROR_NOT_SUPPORTED, "copy up: more than %d directories inside of each other", DEPTH_MAX);
        if (dir_read(from, &dir, err) < 0)
                return -1;
        while ((entry = dir_next(dir)))
                if (copy_entry(from, to, entry->d_name, depth, err) < 0)
                        return -1;
        return errno ? error_set_errno(err, ERROR_FILE, errno, "read the directory that is copied up") : 0;
}

static int copy_entry(int from, int to, const char *name, unsigned depth, Error *err) {
        _cleanup_close_ int from_inner = -EBADF, to_inner = -EBADF;
        char link[PATH_MAX];
        struct stat st;
        ssize_t n;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
        if (S_ISREG(st.st_mode))
                return copy_file(from, to, name, &st, err);
        if (S_ISLNK(st.st_mode)) {
                n = readlinkat(from, name, link, sizeof(link) - 1);
                link[n > 0 ? n : 0] = '\0';
                if (n < 0 || symlinkat(link, to, name) < 0 || fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
                return 0;
        }
        if (!S_ISDIR(st.st_mode)) {
                if (mknodat(to, name, st.st_mode, st.st_rdev) < 0 || fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
                return 0;
        }
        if (mkdirat(to, name, 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
        if (dir_open_at(from, name, &from_inner, err) < 0 || dir_open_at(to, name, &to_inner, err) < 0 ||
            copy_directory(from_inner, to_inner, depth + 1, err) < 0)
                return -1;
        if (fchown(to_inner, st.st_uid, st.st_gid) < 0 || fchmod(to_inner, st.st_mode & 07777) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "copy up '%s'", name);
        return 0;
}

int copy_up(int from, int to, Error *err) {
        _cleanup_close_ int directory = -EBADF;

        /* The mount's own descriptor is O_PATH */
        directory = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open the new file system");
        return copy_directory(from, directory, 0, err);
}
