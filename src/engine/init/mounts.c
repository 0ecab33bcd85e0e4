/* The mounts of a configuration, each made attached to nothing and then put at its place by descriptor. */

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/root-path.h"
#include "engine/init/init.h"

#define OPTION_MAX  4096 /* bytes of one option; the kernel takes 255 of most values, and a page at most */
#define MESSAGE_MAX 256
#define OPTIONS_MAX 66 /* of one mount; the parent refuses more than 64, and adds two */

/* What the kernel says of a file system context, for errors; "" when nothing. */
static void read_message(int fs_fd, char ret[MESSAGE_MAX]) {
        ssize_t n = read(fs_fd, ret, MESSAGE_MAX - 1);

        ret[n > 0 ? n : 0] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
}

static int configure(int fs_fd, const char *option) {
        char key[OPTION_MAX];
        const char *value = strchr(option, '=');
        size_t len = value ? (size_t) (value - option) : strlen(option);

        if (len >= sizeof(key)) {
                errno = EINVAL;
                return -1;
        }
        memcpy(key, option, len);
        key[len] = '\0';
        return value ? fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value + 1, 0) : fsconfig(fs_fd, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static int fs_failed(int fs_fd, int errnum, const char *what, Error *err) {
        char message[MESSAGE_MAX];

        read_message(fs_fd, message);
        return error_set_errno(err, ERROR_RUNTIME, errnum, "%s%s%s", what, message[0] ? ": " : "", message);
}

int mount_new(const char *type, const char *source, const char *const *data, size_t n_data, uint64_t attributes, int *ret_fd, Error *err) {
        _cleanup_close_ int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
        int fd;

        if (fs_fd < 0)
                return error_set_errno(err, errno == ENODEV ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno, "file system '%s'", type);
        if (source && source[0] && fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return fs_failed(fs_fd, errno, "source", err);
        for (size_t i = 0; i < n_data; i++)
                if (data[i][0] && configure(fs_fd, data[i]) < 0) {
                        int saved = errno;

                        fs_failed(fs_fd, saved, data[i], err);
                        return error_prefix(err, "option of file system '%s'", type);
                }
        if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return fs_failed(fs_fd, errno, type, err);
        fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned) attributes);
        if (fd < 0)
                return fs_failed(fs_fd, errno, type, err);
        *ret_fd = fd;
        return 0;
}

int mount_attach(int mount_fd, int target_fd, Error *err) {
        if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "attach the mount");
        return 0;
}

int mount_change(int mount_fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation, int userns_fd, Error *err) {
        struct mount_attr attributes = {
                .attr_set = set,
                .attr_clr = clear,
                .propagation = propagation & ~(uint64_t) MS_REC,
                .userns_fd = userns_fd >= 0 ? (uint64_t) userns_fd : 0,
        };

        if (!set && !clear && !propagation)
                return 0;
        if (mount_setattr(mount_fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof(attributes)) < 0)
                return error_set_errno(err, set & MOUNT_ATTR_IDMAP ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno, "%s",
                                       set & MOUNT_ATTR_IDMAP ? "shift its owners (idmap)" : "change the mount's attributes");
        return 0;
}

int mount_clone(int fd, const char *path, unsigned flags, int *ret_fd, Error *err) {
        int clone = open_tree(fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

        if (clone < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "'%s'", path);
        *ret_fd = clone;
        return 0;
}

/* The options of the file system, into @array, which has room for OPTIONS_MAX. */
static size_t options_of(const Init *init, const PlanMount *m, const char **array) {
        const PlanRef *refs = plan_at(init->plan, m->data.at);
        uint32_t n = m->data.n < OPTIONS_MAX ? m->data.n : OPTIONS_MAX;

        for (uint32_t i = 0; i < n; i++)
                array[i] = plan_string(init->plan, refs[i]);
        return n;
}

static bool has_mode(const char *const *data, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!strncmp(data[i], "mode=", 5))
                        return true;
        return false;
}

/* A new file system. A tmpfs without a mode keeps the one of the directory that it covers. */
static int open_fs(const Init *init, const PlanMount *m, int target, int *ret_fd, Error *err) {
        const char *type = plan_string(init->plan, m->type), *array[OPTIONS_MAX + 1];
        uint64_t attributes = m->attr_set;
        bool copy = m->flags & PLAN_MOUNT_COPY_UP;
        char mode[16];
        struct stat st;
        size_t n;

        n = options_of(init, m, array);
        if (!strcmp(type, "tmpfs") && !has_mode(array, n) && fstat(target, &st) == 0) {
                snprintf(mode, sizeof(mode), "mode=%o", st.st_mode & 07777u);
                array[n++] = mode;
        }
        if (copy)
                attributes &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        if (mount_new(type, plan_string(init->plan, m->source), array, n, attributes, ret_fd, err) < 0)
                return -1;
        if (copy) {
                _cleanup_close_ int from = open_in_root(target, ".", O_RDONLY | O_DIRECTORY, 0);

                if (from < 0)
                        return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "read the directory that is copied up");
                if (copy_up(from, *ret_fd, err) < 0)
                        return -1;
                if (m->attr_set & MOUNT_ATTR_RDONLY)
                        return mount_change(*ret_fd, 0, MOUNT_ATTR_RDONLY, 0, 0, -1, err);
        }
        return 0;
}

/* The source as a mount of its own, by who made the plan or by ourselves. */
static int open_source(const Init *init, const PlanMount *m, int *ret_fd, Error *err) {
        unsigned flags = (m->flags & PLAN_MOUNT_RECURSIVE ? AT_RECURSIVE : 0u) |
                         (m->flags & PLAN_MOUNT_NO_FOLLOW ? (unsigned) AT_SYMLINK_NOFOLLOW : 0u);
        int fd = init_fd(init, m->fd);

        if (fd >= 0) {
                *ret_fd = dup(fd);
                return *ret_fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "dup") : 0;
        }
        return mount_clone(AT_FDCWD, plan_string(init->plan, m->source), flags, ret_fd, err);
}

static int make_bind(const Init *init, const PlanMount *m, Error *err) {
        const char *target_path = plan_string(init->plan, m->target);
        _cleanup_close_ int source = -EBADF, target = -EBADF;
        bool no_follow = m->flags & PLAN_MOUNT_NO_FOLLOW;
        const uint64_t *propagation = plan_at(init->plan, m->propagation.at);
        struct stat st;

        if (open_source(init, m, &source, err) < 0)
                return -1;
        if (fstat(source, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat the source");
        if (root_path_make(init->root, target_path, S_ISDIR(st.st_mode), no_follow, &target, err) < 0 ||
            mount_change(source, 0, m->attr_set, m->attr_clear, 0, -1, err) < 0 ||
            mount_change(source, AT_RECURSIVE, m->all_set, m->all_clear, 0, -1, err) < 0 || mount_attach(source, target, err) < 0)
                return -1;
        for (uint32_t i = 0; i < m->propagation.n; i++)
                if (mount_change(source, propagation[i] & MS_REC ? AT_RECURSIVE : 0u, 0, 0, propagation[i], -1, err) < 0)
                        return -1;
        return 0;
}

/*
 * proc and sysfs belong at a directory of their name, never behind a symlink: what is written there later must not land elsewhere.
 */
static bool is_sensitive(const char *type) {
        return !strcmp(type, "proc") || !strcmp(type, "sysfs");
}

static int make_fs(const Init *init, const PlanMount *m, Error *err) {
        const char *target_path = plan_string(init->plan, m->target), *type = plan_string(init->plan, m->type);
        const uint64_t *propagation = plan_at(init->plan, m->propagation.at);
        _cleanup_close_ int target = -EBADF, fd = -EBADF;
        struct stat st;

        if (root_path_make(init->root, target_path, true, is_sensitive(type), &target, err) < 0)
                return -1;
        if (fstat(target, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '%s'", target_path);
        if (is_sensitive(type) && !S_ISDIR(st.st_mode))
                return error_set(err, ERROR_INVALID_ROOTFS, "'%s' in the root is no directory, %s must not be mounted through it",
                                 target_path, type);
        if (m->kind == PLAN_MOUNT_CGROUP_V1)
                return mount_cgroup_v1(init, m, target, err);
        if (m->kind == PLAN_MOUNT_CGROUP_V2)
                return mount_cgroup_v2(init, m, target, err);
        if (m->kind == PLAN_MOUNT_CGROUP_NAMED)
                return mount_cgroup_named(init, m, target, err);
        if (open_fs(init, m, target, &fd, err) < 0 || mount_change(fd, AT_RECURSIVE, m->all_set, m->all_clear, 0, -1, err) < 0 ||
            mount_attach(fd, target, err) < 0)
                return -1;
        for (uint32_t i = 0; i < m->propagation.n; i++)
                if (mount_change(fd, propagation[i] & MS_REC ? AT_RECURSIVE : 0u, 0, 0, propagation[i], -1, err) < 0)
                        return -1;
        return 0;
}

int mounts_make(const Init *init, Error *err) {
        const PlanMount *mounts = plan_at(init->plan, init->plan->mounts.at);

        for (uint32_t i = 0; i < init->plan->mounts.n; i++) {
                const PlanMount *m = &mounts[i];

                if ((m->kind == PLAN_MOUNT_BIND ? make_bind(init, m, err) : make_fs(init, m, err)) < 0)
                        return error_prefix(err, "%s: mount '%s' at '%s'", plan_string(init->plan, m->place),
                                            plan_string(init->plan, m->source) ?: plan_string(init->plan, m->type) ?: "",
                                            plan_string(init->plan, m->target));
        }
        return 0;
}
