/* File locks whose file may be removed under the one who waits. */

#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"

int lock_take_at(int dir_fd, const char *name, LockMode mode, bool wait, int *ret_fd, Error *err) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                struct stat held, named;

                fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
                if (fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open lock '%s'", name);

                while (flock(fd, (mode == LOCK_SHARED ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)) < 0) {
                        if (errno == EWOULDBLOCK)
                                return error_set_errno(err, ERROR_INVALID_STATE, EWOULDBLOCK, "'%s' is locked", name);
                        if (errno != EINTR)
                                return error_set_errno(err, ERROR_FILE, errno, "lock '%s'", name);
                }

                if (fstat(fd, &held) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "stat lock '%s'", name);
                if (fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
        }
}
