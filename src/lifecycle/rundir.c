/* Reservation and locks of ROOT/ID. */

#include "lifecycle/rundir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "lifecycle/maker.h"

RunDir *rundir_free(RunDir *dir) {
        if (!dir)
                return NULL;
        free(dir->id);
        free(dir->path);
        close_keep_errno(dir->lock_fd);
        close_keep_errno(dir->fd);
        close_keep_errno(dir->root_fd);
        free(dir);
        return NULL;
}

static int rundir_new(const char *root, const char *id, int root_fd, RunDir **ret, Error *err) {
        _cleanup_(rundir_freep) RunDir *dir = malloc(sizeof(*dir));

        if (!dir) {
                close_keep_errno(root_fd);
                return error_oom(err);
        }
        *dir = (RunDir) { .root_fd = root_fd, .fd = -EBADF, .lock_fd = -EBADF };
        if (string_copy(id, &dir->id, err) < 0 || string_format(&dir->path, err, "%s/%s", root, id) < 0)
                return -1;
        *ret = TAKE(dir);
        return 0;
}

/* Whether ROOT/ID is still the directory we have open. */
static bool has_its_name(const RunDir *dir) {
        struct stat opened, named;

        return fstat(dir->fd, &opened) == 0 && fstatat(dir->root_fd, dir->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
               opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int rundir_lock(RunDir *dir, bool wait, bool *ret_gone, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        /* An open file of its own: the lock must not live on in a forked child that still has dir->fd. */
        fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                *ret_gone = true;
                return 0;
        }
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", dir->path);
        while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
                if (errno == EWOULDBLOCK)
                        return error_set_errno(err, ERROR_INVALID_STATE, EWOULDBLOCK, "'%s' is locked", dir->path);
                if (errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "lock '%s'", dir->path);
        }
        dir->lock_fd = TAKE_FD(fd);
        *ret_gone = !has_its_name(dir);
        if (*ret_gone)
                rundir_unlock(dir);
        return 0;
}

void rundir_unlock(RunDir *dir) {
        close_keep_errno(dir->lock_fd);
        dir->lock_fd = -EBADF;
}

int rundir_reserve(const char *root, const char *id, RunDir **ret, Error *err) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        int root_fd;

        root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0 && dir_make_at(AT_FDCWD, root, 0700, &root_fd, err) < 0)
                return -1;
        if (rundir_new(root, id, root_fd, &dir, err) < 0)
                return -1;

        for (;;) {
                Error e = ERROR_INIT;
                bool gone;

                if (mkdirat(dir->root_fd, id, 0700) < 0 && errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "create '%s'", dir->path);
                dir->fd = openat(dir->root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (dir->fd < 0 && errno == ENOENT)
                        continue; /* its owner removed it meanwhile */
                if (dir->fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open '%s'", dir->path);
                if (maker_lock(dir, &gone, &e) < 0) {
                        if (e.errnum == EWOULDBLOCK)
                                return error_set(err, ERROR_CONTAINER_EXISTS,
                                                 "container '%s' already exists: another command is working on it", id);
                        if (err)
                                *err = e;
                        return error_prefix(err, "'%s'", dir->path);
                }
                if (!gone)
                        break;
                close(TAKE_FD(dir->fd));
        }
        *ret = TAKE(dir);
        return 0;
}

int rundir_open(const char *root, const char *id, RunDir **ret, Error *err) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        int root_fd;

        root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0 && errno == ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (root_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", root);
        if (rundir_new(root, id, root_fd, &dir, err) < 0)
                return -1;
        dir->fd = openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir->fd < 0 && errno == ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (dir->fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", dir->path);
        *ret = TAKE(dir);
        return 0;
}

int rundir_clear(RunDir *dir, Error *err) {
        _cleanup_closedir_ DIR *entries = NULL;
        struct dirent *entry;

        if (dir_read(dir->fd, &entries, err) < 0)
                return error_prefix(err, "clear '%s'", dir->path);
        while ((entry = dir_next(entries))) {
                if (dir_remove_tree_at(dir->fd, entry->d_name, err) < 0)
                        return error_prefix(err, "clear '%s'", dir->path);
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", dir->path);
        return 0;
}

int rundir_remove(RunDir *dir, Error *err) {
        if (rundir_clear(dir, err) < 0)
                return -1;
        if (unlinkat(dir->root_fd, dir->id, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", dir->path);
        rundir_unlock(dir);
        return 0;
}
