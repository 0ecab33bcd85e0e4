/* New cgroups made ready: cpusets filled on v1, controllers given on v2, ownership handed over. Source: kernel, cgroup-v1/cpusets.rst, cgroup-v2.rst */

#include "runtime/cgroup-prepare.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "runtime/cgroup-target.h"

#define CPUSET_MAX       (64u << 10) /* bytes; a list of at most 8192 processors */
#define CONTROLLERS_MAX  4096        /* bytes of cgroup.controllers */
#define CGROUP_DEPTH_MAX 256         /* levels above a container's cgroup */
#define DELEGATE_FILE    "/sys/kernel/cgroup/delegate"
#define DELEGATE_MAX     4096 /* bytes */

static int cpuset_fill(int fd, unsigned depth, Error *err);

/* Copies one list from the cgroup above unless there is one. */
static int cpuset_fill_file(int fd, const char *file, unsigned depth, Error *err) {
        _cleanup_free_ char *text = NULL, *above = NULL;
        _cleanup_close_ int own = openat(fd, file, O_RDWR | O_CLOEXEC), parent = -EBADF;
        char path[32];

        if (own < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", file);
        if (file_read_fd(own, file, CPUSET_MAX, &text, NULL, err) < 0)
                return -1;
        if (text[strspn(text, " \n")])
                return 0;
        (void) snprintf(path, sizeof(path), "../%s", file);
        if (file_read_at(fd, path, CPUSET_MAX, &above, NULL, err) < 0)
                return -1;
        if (!above[strspn(above, " \n")]) {
                free(above);
                above = NULL;
                parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (parent < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open the cgroup above");
                if (depth > CGROUP_DEPTH_MAX)
                        return error_set_errno(err, ERROR_FILE, ELOOP, "cgroups nested deeper than %d", CGROUP_DEPTH_MAX);
                if (cpuset_fill(parent, depth + 1, err) < 0 || file_read_at(fd, path, CPUSET_MAX, &above, NULL, err) < 0)
                        return -1;
        }
        if (pwrite(own, above, strlen(above), 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "write '%s'", file);
        return 0;
}

static int cpuset_fill(int fd, unsigned depth, Error *err) {
        return cpuset_fill_file(fd, "cpuset.cpus", depth, err) < 0 || cpuset_fill_file(fd, "cpuset.mems", depth, err) < 0 ? -1 : 0;
}

int cgroup_cpuset_fill(int fd, Error *err) {
        return cpuset_fill(fd, 0, err);
}

static bool has_word(const char *list, const char *word, size_t len) {
        for (const char *p = list + strspn(list, " \n"); *p; p += strspn(p, " \n")) {
                size_t n = strcspn(p, " \n");

                if (n == len && !strncmp(p, word, len))
                        return true;
                p += n;
        }
        return false;
}

static int write_control(int fd, const char *text) {
        _cleanup_close_ int control = openat(fd, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

        return control < 0 || write(control, text, strlen(text)) < 0 ? -1 : 0;
}

/* Why a controller cannot be given, in words. */
static void explain(const char *directory, const char *controller, int errnum, Error *reason) {
        if (error_is_set(reason))
                return;
        if (errnum == EBUSY)
                error_set(reason, ERROR_NOT_SUPPORTED, "cgroup '%s' has processes of its own, and so may not give '%s' to cgroups below it",
                          directory, controller);
        else
                error_set_errno(reason, ERROR_NOT_SUPPORTED, errnum, "cgroup '%s' cannot give '%s' to cgroups below it", directory, controller);
}

/* Each by itself, when not all at once. */
static void enable_singly(int fd, const char *directory, const char *missing, unsigned need, Error *reason) {
        for (const char *p = missing; *p;) {
                size_t len = strcspn(p, " ");
                char one[64];

                (void) snprintf(one, sizeof(one), "%.*s", (int) len, p);
                if (write_control(fd, one) < 0 && (controller_v2_mask(one + 1) & need))
                        explain(directory, one + 1, errno, reason);
                p += len + (p[len] == ' ');
        }
}

static int enable_in(const char *directory, unsigned need, bool all, Error *reason, Error *err) {
        _cleanup_free_ char *available = NULL, *given = NULL;
        _cleanup_buf_ Buf missing = BUF_INIT(CONTROLLERS_MAX);
        _cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", directory);
        if (file_read_at(fd, "cgroup.controllers", CONTROLLERS_MAX, &available, NULL, err) < 0 ||
            file_read_at(fd, "cgroup.subtree_control", CONTROLLERS_MAX, &given, NULL, err) < 0)
                return error_prefix(err, "cgroup '%s'", directory);
        for (const char *p = available; *p; p += strspn(p, " \n")) {
                size_t len = strcspn(p, " \n");
                char name[64];

                (void) snprintf(name, sizeof(name), "%.*s", (int) len, p);
                if (len > 0 && (all || (controller_v2_mask(name) & need)) && !has_word(given, p, len) &&
                    buf_printf(&missing, err, "%s+%s", missing.len > 0 ? " " : "", name) < 0)
                        return -1;
                p += len;
        }
        if (missing.len > 0 && write_control(fd, missing.data) < 0)
                enable_singly(fd, directory, missing.data, need, reason);
        return 0;
}

int cgroup_v2_enable(const CgroupPlace *place, unsigned need, bool all, Error *ret_reason, Error *err) {
        _cleanup_free_ char *path = NULL;
        size_t mount = strlen(place->hierarchy->mount);

        if (need == 0 && !all)
                return 0;
        if (string_copy(place->path, &path, err) < 0)
                return -1;
        for (size_t i = mount; path[i]; i++) {
                if (path[i] != '/')
                        continue;
                path[i] = '\0';
                if (enable_in(path, need, all, ret_reason, err) < 0)
                        return -1;
                path[i] = '/';
        }
        return 0;
}

int cgroup_v2_check(int fd, const char *path, Error *err) {
        _cleanup_free_ char *type = NULL, *given = NULL;

        if (file_read_at(fd, "cgroup.type", CONTROLLERS_MAX, &type, NULL, err) < 0 ||
            file_read_at(fd, "cgroup.subtree_control", CONTROLLERS_MAX, &given, NULL, err) < 0)
                return error_prefix(err, "cgroup '%s'", path);
        type[strcspn(type, "\n")] = '\0';
        if (strcmp(type, "domain"))
                return error_set(err, ERROR_NOT_SUPPORTED, "cgroup '%s' is '%s', below or beside a threaded one", path, type);
        if (given[strspn(given, " \n")])
                return error_set(err, ERROR_INVALID_STATE, "cgroup '%s' gives controllers to cgroups below it, and so may hold no process", path);
        return 0;
}

static int give(int fd, const char *file, uid_t uid, gid_t gid, Error *err) {
        if (fchownat(fd, file, uid, gid, file[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "give '%s' to user %u", file[0] ? file : "cgroup", (unsigned) uid);
        return 0;
}

int cgroup_delegate(int fd, const CgroupHierarchy *hierarchy, uid_t uid, gid_t gid, Error *err) {
        _cleanup_free_ char *text = NULL;
        char *p, *file;

        if (hierarchy->controllers[0]) {
                if (!strchr(hierarchy->controllers, '='))
                        return 0;
                return give(fd, "", uid, gid, err) < 0 || give(fd, "cgroup.procs", uid, gid, err) < 0 || give(fd, "tasks", uid, gid, err) < 0
                               ? -1
                               : 0;
        }
        /* the kernel's own list, since Linux 4.15 */
        if (file_read_at(AT_FDCWD, DELEGATE_FILE, DELEGATE_MAX, &text, NULL, NULL) < 0 &&
            string_copy("cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n", &text, err) < 0)
                return -1;
        if (give(fd, "", uid, gid, err) < 0)
                return -1;
        p = text;
        while ((file = strsep(&p, "\n")))
                if (file[0] && !strchr(file, '/') && give(fd, file, uid, gid, err) < 0)
                        return -1;
        return 0;
}
