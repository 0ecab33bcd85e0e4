/*
 * tmp/: a directory for each half-made thing. The directory itself is flocked by its maker, so it is known to be abandoned as soon as
 * its maker is gone, and holds nothing but what the maker puts there.
 */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "store/store.h"

/* Returns 1 when a cleaner took the directory for abandoned, which it may between its making and its locking. */
static int tmp_try(int tmp_fd, const char *name, int *ret_fd, int *ret_lock, Error *err) {
        _cleanup_close_ int fd = -EBADF, lock = -EBADF;
        struct stat held, named;

        if (mkdirat(tmp_fd, name, 0700) < 0)
                return errno == EEXIST ? 1 : error_set_errno(err, ERROR_FILE, errno, "create directory 'tmp/%s'", name);
        lock = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock < 0)
                return errno == ENOENT ? 1 : error_set_errno(err, ERROR_FILE, errno, "open directory 'tmp/%s'", name);
        if (flock(lock, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? 1 : error_set_errno(err, ERROR_FILE, errno, "lock directory 'tmp/%s'", name);
        if (fstat(lock, &held) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory 'tmp/%s'", name);
        if (fstatat(tmp_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev)
                return 1;

        /* A descriptor of its own: the lock belongs to an open file, and callers close the two at different times. */
        fd = openat(lock, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory 'tmp/%s'", name);
        *ret_fd = TAKE_FD(fd);
        *ret_lock = TAKE_FD(lock);
        return 0;
}

/* A name that nothing in tmp/ has. */
static int tmp_name(char **ret, Error *err) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return error_set_errno(err, ERROR_FILE, errno, "make a temporary name");
        return string_format(ret, err, "%016llx", (unsigned long long) random);
}

int store_tmp_make(Store *store, char **ret_name, int *ret_fd, int *ret_lock, Error *err) {
        for (;;) {
                _cleanup_free_ char *name = NULL;
                int r;

                if (tmp_name(&name, err) < 0)
                        return -1;
                r = tmp_try(store_tmp_fd(store), name, ret_fd, ret_lock, err);
                if (r < 0)
                        return error_prefix(err, "store '%s'", store_path(store));
                if (r == 0) {
                        *ret_name = TAKE(name);
                        return 0;
                }
        }
}

int store_discard(Store *store, int dir_fd, const char *name, Error *err) {
        _cleanup_close_ int lock = -EBADF;
        _cleanup_free_ char *doomed = NULL;

        lock = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", name);
        /* As store_tmp_make() takes it: it keeps store_tmp_clean() off what is being taken apart. */
        while (flock(lock, LOCK_EX) < 0)
                if (errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "lock directory '%s'", name);
        if (tmp_name(&doomed, err) < 0)
                return -1;
        if (renameat(dir_fd, name, store_tmp_fd(store), doomed) < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "move '%s' away", name);
        if (fault_point("discard.middle", err) < 0)
                return -1;
        return dir_remove_tree_at(store_tmp_fd(store), doomed, err);
}

/* Removes one directory of tmp/ unless its maker lives. */
static int tmp_clean_one(int tmp_fd, const char *name, unsigned *n, Error *err) {
        _cleanup_close_ int lock = -EBADF;

        lock = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
                return 0;
        if (lock < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory 'tmp/%s'", name);
        if (flock(lock, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? 0 : error_set_errno(err, ERROR_FILE, errno, "lock directory 'tmp/%s'", name);
        if (dir_remove_tree_at(tmp_fd, name, err) < 0)
                return error_prefix(err, "tmp");
        (*n)++;
        return 0;
}

/* Whether @name is what file_write_atomic_at() leaves behind when its process, which is dead, was killed: ".NAME.PID.tmp" */
static bool is_half_written(const char *name) {
        size_t len = strlen(name);
        const char *p;
        char *end;
        long pid;

        if (name[0] != '.' || len < strlen(".x.1.tmp") || strcmp(name + len - 4, ".tmp"))
                return false;
        for (p = name + len - 5; p > name && *p >= '0' && *p <= '9'; p--);
        if (*p != '.' || p == name)
                return false;
        pid = strtol(p + 1, &end, 10);
        return end == name + len - 4 && pid > 0 && pid <= INT_MAX && kill((pid_t) pid, 0) < 0 && errno == ESRCH;
}

static int clean_folder(int dir_fd, bool is_tmp, unsigned *n, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (dir_read(dir_fd, &dir, err) < 0)
                return -1;
        while ((entry = dir_next(dir))) {
                if (is_tmp) {
                        if (tmp_clean_one(dirfd(dir), entry->d_name, n, err) < 0)
                                return -1;
                } else if (is_half_written(entry->d_name)) {
                        if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
                                (*n)++;
                        else if (errno != ENOENT)
                                return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", entry->d_name);
                }
        }
        return errno == 0 ? 0 : error_set_errno(err, ERROR_FILE, errno, "read directory");
}

int store_tmp_clean(Store *store, unsigned *ret_n, Error *err) {
        unsigned n = 0;

        if (store_tmp_fd(store) >= 0 &&
            (clean_folder(store_tmp_fd(store), true, &n, err) < 0 || clean_folder(store_images_fd(store), false, &n, err) < 0 ||
             clean_folder(store_fd(store), false, &n, err) < 0))
                return error_prefix(err, "store '%s'", store_path(store));
        *ret_n = n;
        return 0;
}
