/*
 * Mounting overlays. What differs between kernels is how several hundred lower directories are named: by descriptors, one call each; by
 * paths, one call each; or all in the one page of options of mount(2), see overlay-data.c.
 */

#include "store/drivers/overlay-mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/user.h"
#include "store/drivers/overlay-parts.h"
#include "oci/userns.h"
#include "store/mounts.h"

#define STRING_MAX 255  /* bytes; the kernel's cap on one string given to fsconfig() */
#define LOG_MAX    512  /* bytes; one message of a filesystem context */

/* The error of a filesystem context's last call, with the kernel's own words where it left some. */
static int error_context(int context, int errnum, const char *what, Error *err) {
        char log[LOG_MAX];
        ssize_t n;

        /* One message a read, "e overlay: …" for an error; the last one is the nearest to the failure. */
        error_set_errno(err, ERROR_FILE, errnum, "%s", what);
        while ((n = read(context, log, sizeof(log) - 1)) > 0) {
                log[n] = '\0';
                log[strcspn(log, "\n")] = '\0';
                if (log[0] == 'e' && log[1] == ' ')
                        error_set_errno(err, ERROR_FILE, errnum, "%s: %s", what, log + 2);
        }
        return -1;
}

static int context_open(int *ret, Error *err) {
        int context = fsopen("overlay", FSOPEN_CLOEXEC);

        if (context < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a context for an overlay");
        *ret = context;
        return 0;
}

static int context_set(int context, const char *key, const char *value, Error *err) {
        if (fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0)
                return error_context(context, errno, key, err);
        return 0;
}

/* A directory by the descriptor's own path under /proc: short, and right whatever characters its real path has. */
static int context_set_path(int context, const char *key, int fd, Error *err) {
        char path[FD_PATH_MAX];

        return context_set(context, key, fd_path(fd, path), err);
}

/* By its real path, for people who read mountinfo, where fsconfig() takes it as it is. */
static int context_set_real_path(int context, const char *key, int fd, Error *err) {
        _cleanup_free_ char *path = NULL;

        if (fd_get_path(fd, &path, err) < 0)
                return -1;
        if (strlen(path) > STRING_MAX || strpbrk(path, "\\:,"))
                return context_set_path(context, key, fd, err);
        return context_set(context, key, path, err);
}

static int context_set_fd(int context, const char *key, int fd, Error *err) {
        if (fsconfig(context, FSCONFIG_SET_FD, key, NULL, fd) < 0)
                return error_context(context, errno, key, err);
        return 0;
}

static int context_set_flag(int context, const char *key, Error *err) {
        if (fsconfig(context, FSCONFIG_SET_FLAG, key, NULL, 0) < 0)
                return error_context(context, errno, key, err);
        return 0;
}

static int context_finish(int context, bool temporary, Error *err) {
        if (temporary && context_set_flag(context, OVERLAY_TEMPORARY, err) < 0)
                return -1;
        if (user_is_nested() && context_set_flag(context, OVERLAY_USER_XATTR, err) < 0)
                return -1;
        for (const OverlayOption *option = overlay_options; option->key; option++)
                if (context_set(context, option->key, option->value, err) < 0)
                        return -1;
        if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return error_context(context, errno, "make an overlay", err);
        return 0;
}

/* What a kernel says that knows fsopen() or the option not, or not in this form; EBADF (6.12): it wants no O_PATH descriptor. */
static bool is_unknown(const Error *err) {
        return err->errnum == EINVAL || err->errnum == EOPNOTSUPP || err->errnum == ENOSYS || err->errnum == EBADF;
}

/*
 * Names all directories to a context, in one way, and makes the overlay. *ret_refused tells that the kernel may not know this way: by
 * descriptor, the first one says it; by path, a kernel before 6.5 collects any option in a page of its own and refuses at any later time.
 */
static int context_fill(int context, const DriverRoot *root, OverlayWay way, bool *ret_refused, Error *err) {
        int (*set)(int context, const char *key, int fd, Error *err) = way == OVERLAY_BY_FD ? context_set_fd : context_set_real_path;
        _cleanup_close_ int upper = -EBADF, work = -EBADF, userns = -EBADF, layers = -EBADF;
        _cleanup_fd_list_ FdList shifted = {};

        *ret_refused = false;
        if (root->mapping && userns_open(root->mapping, &userns, err) < 0)
                return -1;
        if (overlay_upper_open(root, "upper", &upper, err) < 0 || overlay_upper_open(root, "work", &work, err) < 0)
                return -1;
        /*
         * By descriptor, all layers may be of one mount that shifts the owners, and is attached nowhere: the kernel waits for a grace
         * period as each such mount goes.
         */
        if (userns >= 0 && way == OVERLAY_BY_FD && root->n_layers > 0 &&
            overlay_shift(root->store, store_layers_fd(root->store), userns, &layers, err) < 0)
                return -1;
        if (userns >= 0) {
                shifted.fds = calloc(overlay_lower_count(root), sizeof(*shifted.fds));
                if (!shifted.fds)
                        return error_oom(err);
        }
        for (size_t i = 0; i < overlay_lower_count(root); i++) {
                _cleanup_close_ int lower = -EBADF;

                *ret_refused = false;
                if ((layers >= 0 ? overlay_layer_open(root, i, layers, &lower, err) : overlay_lower_open(root, i, userns, &lower, err)) < 0)
                        return -1;
                *ret_refused = i == 0 || way == OVERLAY_BY_PATH;
                if (set(context, "lowerdir+", lower, err) < 0)
                        return -1;
                /* A mount that is attached nowhere goes with its descriptor, and the overlay is made of them at the end. */
                if (userns >= 0)
                        shifted.fds[shifted.n++] = TAKE_FD(lower);
        }
        *ret_refused = way == OVERLAY_BY_PATH || userns >= 0;
        if (set(context, "upperdir", upper, err) < 0 || set(context, "workdir", work, err) < 0)
                return -1;
        return context_finish(context, root->temporary, err);
}

static int mount_by_context(const DriverRoot *root, OverlayWay way, Error *err) {
        _cleanup_close_ int context = -EBADF, mount = -EBADF;
        Error cause = ERROR_INIT;
        bool refused = true;

        if (context_open(&context, &cause) < 0 || context_fill(context, root, way, &refused, &cause) < 0) {
                bool unknown = refused && is_unknown(&cause);

                if (err)
                        *err = cause;
                return unknown ? 1 : -1;
        }
        mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
        if (mount < 0)
                return error_context(context, errno, "mount the overlay", err);
        return overlay_attach(root, mount, err);
}

int overlay_mount_by(const DriverRoot *root, OverlayWay way, Error *err) {
        if (way == OVERLAY_BY_DATA)
                return overlay_mount_by_data(root, err);
        if (way == OVERLAY_BY_PATH && root->mapping) {
                error_set(err, ERROR_NOT_SUPPORTED, "no path leads to layers with shifted owners");
                return 1;
        }
        return mount_by_context(root, way, err);
}

/* Binds rootfs/ on itself and makes that private, so that what is mounted on it does not spread to the namespaces it is shared with. */
static int make_private_point(int container_fd, Error *err) {
        struct mount_attr attr = { .propagation = MS_PRIVATE };
        _cleanup_close_ int tree = -EBADF;

        tree = open_tree(container_fd, "rootfs", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0)
                return error_set_errno(err, ERROR_FILE, errno, "clone 'rootfs' as a mount");
        if (move_mount(tree, "", container_fd, "rootfs", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "bind 'rootfs' on itself");
        if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make the mount on 'rootfs' private");
        return 0;
}

int overlay_mount(const DriverRoot *root, Error *err) {
        bool shared;
        int r = 1;

        if (mount_is_shared(root->container_fd, &shared, err) < 0)
                return -1;
        if (shared && make_private_point(root->container_fd, err) < 0)
                r = -1;
        for (OverlayWay way = 0; way < _OVERLAY_WAY_MAX && r > 0; way++)
                r = overlay_mount_by(root, way, err);
        if (r == 0)
                return 0;
        if (shared)
                (void) mount_remove(root->container_fd, "rootfs", NULL);
        return -1;
}

int overlay_available(Error *err) {
        _cleanup_close_ int context = -EBADF;

        return context_open(&context, err);
}

bool overlay_takes_descriptors(int dir_fd) {
        _cleanup_close_ int context = -EBADF;

        return context_open(&context, NULL) == 0 && context_set_fd(context, "lowerdir+", dir_fd, NULL) == 0;
}

int overlay_try(int dir_fd, Error *err) {
        static const char *const parts[][2] = { { "lowerdir", "lower" }, { "upperdir", "upper" }, { "workdir", "work" } };
        _cleanup_close_ int context = -EBADF;
        int fds[ARRAY_SIZE(parts)] = { -EBADF, -EBADF, -EBADF }, r = 0;

        if (context_open(&context, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++) {
                fds[i] = open_beneath(dir_fd, parts[i][1], O_PATH | O_DIRECTORY, 0);
                if (fds[i] < 0)
                        r = error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", parts[i][1]);
                else
                        r = context_set_path(context, parts[i][0], fds[i], err);
        }
        if (r == 0)
                r = context_finish(context, true, err);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                close_keep_errno(fds[i]);
        return r;
}
