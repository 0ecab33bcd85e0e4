/*
 * Mounting overlays. What differs between kernels is how several hundred lower directories are named: by descriptors, one call each; by
 * paths, one call each; or all in the one page of options of mount(2), where descriptors' numbers are the shortest names there are.
 */

#include "store/drivers/overlay-mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "store/drivers/userns.h"
#include "store/mounts.h"

#define STRING_MAX 255  /* bytes; the kernel's cap on one string given to fsconfig() */
#define DATA_MAX   4095 /* bytes; mount(2) takes one page of options, and silently cuts what is longer */
#define LOG_MAX    512  /* bytes; one message of a filesystem context */

/*
 * A layer comes from strangers: nothing in it may redirect a look-up elsewhere or borrow another file's data. Unpacking never sets the
 * attributes that ask for it; these options make the kernel deaf to them all the same. index needs file handles and refuses moved stores.
 */
static const struct {
        const char *key, *value;
} options[] = {
        { "redirect_dir", "nofollow" },
        { "metacopy",     "off"      },
        { "index",        "off"      },
};

/*
 * Unmounting an overlay writes out everything that is dirty on the whole filesystem, unless it has this option. The kernel then refuses to
 * mount it a second time, as a crash may have cost it data.
 */
#define TEMPORARY "volatile"

/* Opens the lower directory of a stack that is @index from the top. An image without layers has an empty one. */
static int open_lower(const DriverRoot *root, size_t index, int *ret_fd, Error *err) {
        char path[sizeof(Digest) + sizeof("/diff")];
        const Digest *chain_id;
        int fd;

        if (root->n_layers == 0) {
                fd = open_beneath(root->container_fd, "empty", O_PATH | O_DIRECTORY, 0);
                if (fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open directory 'empty'");
                *ret_fd = fd;
                return 0;
        }
        chain_id = &root->chain_ids[root->n_layers - 1 - index];
        snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        fd = open_beneath(store_layers_fd(root->store), path, O_PATH | O_DIRECTORY, 0);
        if (fd < 0 && errno == ENOENT)
                return error_set(err, ERROR_INVALID_STATE, "layer '%s' is not unpacked", chain_id->text);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open layer '%s'", chain_id->text);
        *ret_fd = fd;
        return 0;
}

/*
 * Opens a lower directory as the container's user namespace @userns is to see it: a mount of its own that shifts the owners. The layer
 * itself, which other containers share, stays as it is.
 */
static int open_shifted_lower(const DriverRoot *root, size_t index, int userns, int *ret_fd, Error *err) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) userns };
        _cleanup_close_ int lower = -EBADF, tree = -EBADF;

        if (open_lower(root, index, &lower, err) < 0)
                return -1;
        tree = open_tree(lower, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0)
                return error_set_errno(err, ERROR_FILE, errno, "clone a layer as a mount");
        if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
                if (errno != EINVAL && errno != EPERM && errno != ENOSYS)
                        return error_set_errno(err, ERROR_FILE, errno, "shift the owners of a layer");
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "the filesystem of the store '%s' cannot shift owners",
                                store_path(root->store));
                return error_hint(err, "leave --userns, --uidmap and --gidmap out, or move the store to ext4, xfs or btrfs");
        }
        *ret_fd = TAKE_FD(tree);
        return 0;
}

static size_t lower_count(const DriverRoot *root) {
        return root->n_layers ?: 1;
}

static int open_upper(const DriverRoot *root, const char *name, int *ret_fd, Error *err) {
        int fd = open_beneath(root->container_fd, name, O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", name);
        *ret_fd = fd;
        return 0;
}

typedef struct FdList {
        int *fds;
        size_t n;
} FdList;

static void fd_list_done(FdList *list) {
        for (size_t i = 0; i < list->n; i++)
                close_keep_errno(list->fds[i]);
        free(list->fds);
}

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
        if (temporary && context_set_flag(context, TEMPORARY, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (context_set(context, options[i].key, options[i].value, err) < 0)
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
        _cleanup_close_ int upper = -EBADF, work = -EBADF, userns = -EBADF;
        _cleanup_(fd_list_done) FdList shifted = {};

        *ret_refused = false;
        if (root->mapping && userns_open(root->mapping, &userns, err) < 0)
                return -1;
        if (open_upper(root, "upper", &upper, err) < 0 || open_upper(root, "work", &work, err) < 0)
                return -1;
        if (userns >= 0) {
                shifted.fds = calloc(lower_count(root), sizeof(*shifted.fds));
                if (!shifted.fds)
                        return error_oom(err);
        }
        for (size_t i = 0; i < lower_count(root); i++) {
                _cleanup_close_ int lower = -EBADF;

                *ret_refused = false;
                if ((userns >= 0 ? open_shifted_lower(root, i, userns, &lower, err) : open_lower(root, i, &lower, err)) < 0)
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
        if (move_mount(mount, "", root->container_fd, "rootfs", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "mount the overlay on 'rootfs'");
        return 0;
}

/* Writes "lowerdir=…,upperdir=…" in descriptors' numbers, which are file names in /proc/self/fd. */
static int format_data(const FdList *lowers, int upper, int work, bool temporary, Buf *data, Error *err) {
        for (size_t i = 0; i < lowers->n; i++)
                if (buf_printf(data, err, "%s%d", i > 0 ? ":" : "lowerdir=", lowers->fds[i]) < 0)
                        return -1;
        if (buf_printf(data, err, ",upperdir=%d,workdir=%d", upper, work) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (buf_printf(data, err, ",%s=%s", options[i].key, options[i].value) < 0)
                        return -1;
        return temporary ? buf_puts(data, "," TEMPORARY, err) : 0;
}

/* In a child, because the names are relative to the working directory. Its exit status is the errno. */
static int mount_in_child(const char *data, const char *target, Error *err) {
        pid_t pid = fork();
        int status;

        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        if (pid == 0) {
                if (chdir("/proc/self/fd") < 0 || mount("overlay", target, "overlay", 0, data) < 0)
                        _exit(errno);
                _exit(0);
        }
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (!WIFEXITED(status))
                return error_set(err, ERROR_FILE, "mount the overlay on 'rootfs': its process was killed by signal %d", WTERMSIG(status));
        if (WEXITSTATUS(status) != 0)
                return error_set_errno(err, ERROR_FILE, WEXITSTATUS(status), "mount the overlay on 'rootfs'");
        return 0;
}

static int mount_by_data(const DriverRoot *root, Error *err) {
        _cleanup_(fd_list_done) FdList lowers = {};
        _cleanup_buf_ Buf data = BUF_INIT(DATA_MAX);
        _cleanup_close_ int upper = -EBADF, work = -EBADF;
        char target[FD_PATH_MAX + sizeof("/rootfs")], base[FD_PATH_MAX];
        Error cause = ERROR_INIT;

        if (open_upper(root, "upper", &upper, err) < 0 || open_upper(root, "work", &work, err) < 0)
                return -1;
        lowers.fds = calloc(lower_count(root), sizeof(*lowers.fds));
        if (!lowers.fds)
                return error_oom(err);
        for (; lowers.n < lower_count(root); lowers.n++)
                if (open_lower(root, lowers.n, &lowers.fds[lowers.n], err) < 0)
                        return -1;

        if (format_data(&lowers, upper, work, root->temporary, &data, &cause) < 0) {
                if (cause.kind == ERROR_OUT_OF_MEMORY)
                        return error_oom(err);
                return error_set(err, ERROR_NOT_SUPPORTED, "%zu layers do not fit the mount options of this kernel", root->n_layers);
        }
        snprintf(target, sizeof(target), "%s/rootfs", fd_path(root->container_fd, base));
        return mount_in_child(data.data, target, err);
}

int overlay_mount_by(const DriverRoot *root, OverlayWay way, Error *err) {
        return way == OVERLAY_BY_DATA ? mount_by_data(root, err) : mount_by_context(root, way, err);
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

/* Shifted layers are mounts that are attached nowhere: a kernel takes them by descriptor, or not at all. */
static int mount_shifted(const DriverRoot *root, Error *err) {
        Error cause = ERROR_INIT;
        int r;

        r = overlay_mount_by(root, OVERLAY_BY_FD, &cause);
        if (r == 0)
                return 0;
        if (r > 0) {
                error_set_errno(err, ERROR_NOT_SUPPORTED, cause.errnum, "this kernel's overlay takes no layers with shifted owners: %s",
                                cause.text);
                return error_hint(err, "leave --userns, --uidmap and --gidmap out, or run a newer kernel");
        }
        if (err)
                *err = cause;
        return -1;
}

int overlay_mount(const DriverRoot *root, Error *err) {
        bool shared;
        int r = 1;

        if (mount_is_shared(root->container_fd, &shared, err) < 0)
                return -1;
        if (shared && make_private_point(root->container_fd, err) < 0)
                r = -1;
        if (root->mapping && r > 0)
                r = mount_shifted(root, err);
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
