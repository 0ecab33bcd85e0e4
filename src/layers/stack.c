/* The merged view of several layers, without a mount. */

#include "layers/stack.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/user.h"

void stack_entry_clear(StackEntry *entry) {
        closep(&entry->fd);
        entry->fd = -EBADF;
}

bool stat_is_whiteout(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int directory_is_opaque(int fd) {
        char path[FD_PATH_MAX], value[2];
        ssize_t n = getxattr(fd_path(fd, path), OVERLAY_OPAQUE, value, sizeof(value));

        if (n < 0 && errno == ENODATA)
                n = getxattr(path, OVERLAY_OPAQUE_USER, value, sizeof(value));

        if (n < 0)
                return errno == ENODATA || errno == ENOTSUP || errno == ERANGE ? 0 : -1;
        return n == 1 && value[0] == 'y';
}

int directory_set_opaque(int fd, Error *err) {
        char path[FD_PATH_MAX];
        bool nested;
        int number;

        if (setxattr(fd_path(fd, path), OVERLAY_OPAQUE, "y", 1, 0) == 0)
                return 0;
        number = errno;
        nested = user_is_nested();
        if (nested && setxattr(path, OVERLAY_OPAQUE_USER, "y", 1, 0) == 0)
                return 0;
        number = nested ? errno : number;
        error_set_errno(err, ERROR_FILE, number, "set '%s'", nested ? OVERLAY_OPAQUE_USER : OVERLAY_OPAQUE);
        if (number == ENOTSUP || number == EPERM)
                error_hint(err, "put the store on a file system with %s (ext4, xfs, btrfs, tmpfs)",
                           nested ? "extended attributes for users" : "trusted extended attributes, as root");
        return -1;
}

/* Where one layer's walk ends. */
typedef enum Walk {
        WALK_FAILED = -1, /* errno */
        WALK_FOUND,
        WALK_MISSING, /* not here: the next layer may have it */
        WALK_HIDDEN,  /* not here, and nothing below counts */
} Walk;

/* Walks @path in one layer. Opaque directories on the way set *opaque: nothing below this layer counts. */
static Walk walk_layer(int root, const char *path, StackEntry *ret, bool *opaque) {
        _cleanup_close_ int fd = -EBADF;
        char name[NAME_MAX + 1];
        struct stat st;

        fd = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return WALK_FAILED;

        while (*path) {
                size_t len = strcspn(path, "/");
                int next, r;

                if (len > NAME_MAX) {
                        errno = ENAMETOOLONG;
                        return WALK_FAILED;
                }
                if (!S_ISDIR(st.st_mode))
                        return WALK_HIDDEN;
                memcpy(name, path, len);
                name[len] = '\0';
                path += len;
                path += strspn(path, "/");

                next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return errno == ENOENT ? WALK_MISSING : WALK_FAILED;
                close(fd);
                fd = next;
                if (fstat(fd, &st) < 0)
                        return WALK_FAILED;
                if (stat_is_whiteout(&st))
                        return WALK_HIDDEN;
                if (S_ISDIR(st.st_mode) && !*opaque) {
                        r = directory_is_opaque(fd);
                        if (r < 0)
                                return WALK_FAILED;
                        *opaque = r > 0;
                }
        }
        ret->fd = TAKE_FD(fd);
        ret->st = st;
        return WALK_FOUND;
}

int stack_find(const LayerStack *stack, const char *path, size_t from, StackEntry *ret, Error *err) {
        _cleanup_stack_entry_ StackEntry found = STACK_ENTRY_INIT;
        bool opaque = false;

        for (size_t i = 0; i < stack->n && !opaque; i++) {
                Walk walk = walk_layer(stack->fds[i], path, &found, &opaque);

                if (walk == WALK_FAILED)
                        return error_set_errno(err, ERROR_FILE, errno, "look up '%.256s' in the layers", path);
                if (walk == WALK_HIDDEN)
                        break;
                if (walk == WALK_FOUND && i >= from) {
                        found.layer = i;
                        *ret = found;
                        found.fd = -EBADF;
                        return 0;
                }
                /* Anything but a directory hides what lies below it. */
                if (walk == WALK_FOUND && !S_ISDIR(found.st.st_mode))
                        break;
                stack_entry_clear(&found);
        }
        *ret = STACK_ENTRY_INIT;
        return 0;
}
