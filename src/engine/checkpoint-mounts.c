/*
 * Mounts of a container between checkpoint and restore. CRIU makes those again that are the container's own. Those that show something of
 * the host have a name in the files, their destination in the configuration, and a source at the restore.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "base/root-path.h"
#include "engine/checkpoint.h"
#include "engine/plan.h"
#include "oci/runtime-spec.h"
#include "oci/spec-schema.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

bool mount_has_option(const json_t *entry, const char *name) {
        const json_t *options = schema_field(entry, "options");

        for (size_t i = 0; i < json_array_size(options); i++)
                if (!strcmp(json_string_value(json_array_get(options, i)), name))
                        return true;
        return false;
}

static bool is_of_type(const json_t *entry, const char *type) {
        return string_equal(json_string_value(schema_field(entry, "type")), type);
}

static bool is_bind(const json_t *entry) {
        return is_of_type(entry, "bind") || mount_has_option(entry, "bind") || mount_has_option(entry, "rbind");
}

static const char *destination_of(const json_t *entry) {
        return json_string_value(schema_field(entry, "destination"));
}

int bundle_path(const EngineContainer *container, const char *path, char **ret, Error *err) {
        return path[0] == '/' ? string_copy(path, ret, err) : string_format(ret, err, "%s/%s", container->bundle, path);
}

/* ---- mount points ---- */

int mounts_own_namespace(Error *err) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make a mount namespace");
        return 0;
}

/* Whether a path lies on a mount that CRIU fills itself. */
static bool is_covered(const json_t *mounts, size_t before, const char *path) {
        for (size_t i = 0; i < before; i++) {
                const json_t *one = json_array_get(mounts, i);
                const char *above = json_string_value(schema_field(one, "destination"));
                size_t len = strlen(above);

                if (!is_bind(one) && !strncmp(path, above, len) && (path[len] == '/' || (len > 0 && above[len - 1] == '/')))
                        return true;
        }
        return false;
}

static int make_mount_point(const Creation *c, int root, const json_t *entry, Error *err) {
        const char *destination = json_string_value(schema_field(entry, "destination"));
        const char *source = json_string_value(schema_field(entry, "source"));
        _cleanup_close_ int target = -EBADF;
        _cleanup_free_ char *path = NULL;
        struct stat st = { .st_mode = S_IFDIR };
        char name[FD_PATH_MAX];

        if (is_bind(entry)) {
                if (bundle_path(c->container, source, &path, err) < 0)
                        return -1;
                if (stat(path, &st) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "source '%s' of mount '%s'", path, destination);
        }
        if (root_path_make(root, destination, S_ISDIR(st.st_mode), false, &target, err) < 0)
                return error_prefix(err, "mount '%s'", destination);
        /* A later one may lie on this one; this namespace is gone in a moment. */
        if (path && mount(path, fd_path(target, name), NULL, MS_BIND | MS_REC, NULL) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "mount '%s'", destination);
        return 0;
}

typedef struct Points {
        const Creation *creation;
        const char *rootfs;
} Points;

/* In a child: what is mounted on the way to a mount point stays there. */
static int make_mount_points(void *userdata, Error *err) {
        const Points *points = userdata;
        const json_t *mounts = schema_field(points->creation->spec, "mounts");
        _cleanup_close_ int root = -EBADF;

        if (mounts_own_namespace(err) < 0)
                return -1;
        root = open(points->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open root filesystem '%s'", points->rootfs);
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);

                if (!is_covered(mounts, i, json_string_value(schema_field(one, "destination"))) &&
                    make_mount_point(points->creation, root, one, err) < 0)
                        return -1;
        }
        return 0;
}

int mounts_make_points(const Creation *creation, const char *rootfs, Error *err) {
        const json_t *mounts = schema_field(creation->spec, "mounts");

        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);

                if (is_bind(one) && !schema_field(one, "source"))
                        return error_set(err, ERROR_INVALID_SPEC, "config.json: mounts[%zu].source: missing", i);
        }
        return process_call(make_mount_points, &(Points) { .creation = creation, .rootfs = rootfs }, err);
}

/* ---- cgroups: binds of the container's own directories ---- */

typedef enum CgroupKind {
        CGROUP_NO,
        CGROUP_NAMED, /* one hierarchy of v1 */
        CGROUP_ONE,   /* v2 */
        CGROUP_EACH,  /* a tmpfs with the hierarchies of v1 */
} CgroupKind;

/* As plan-mounts.c has it. */
static CgroupKind cgroup_kind(const json_t *entry) {
        const json_t *options = schema_field(entry, "options");

        if (is_of_type(entry, "cgroup2"))
                return CGROUP_ONE;
        if (!is_of_type(entry, "cgroup"))
                return CGROUP_NO;
        for (size_t i = 0; i < json_array_size(options); i++)
                if (!strncmp(json_string_value(json_array_get(options, i)), "name=", strlen("name=")))
                        return CGROUP_NAMED;
        return cgroup_is_unified() ? CGROUP_ONE : CGROUP_EACH;
}

/* "cpu,cpuacct" of "/sys/fs/cgroup/cpu,cpuacct/a/b". *ret is empty when it is another path. */
static int hierarchy_of(const char *directory, char **ret, Error *err) {
        const char *name = directory + strlen(CGROUP_MOUNT "/");

        if (strncmp(directory, CGROUP_MOUNT "/", strlen(CGROUP_MOUNT "/")))
                return string_copy("", ret, err);
        return string_format(ret, err, "%.*s", (int) strcspn(name, "/"), name);
}

/* ---- checkpoint ---- */

/* CRIU wants to know where a destination leads in the container, whose links may have changed since. */
static int name_mount(Criu *criu, int root, const char *destination, Error *err) {
        _cleanup_close_ int fd = open_in_root(root, destination, O_PATH, 0);
        _cleanup_free_ char *path = NULL;

        if (fd < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "mount '%s' in the container", destination);
        return fd_get_path(fd, &path, err) < 0 ? -1 : criu_add_external(criu, err, "mnt[%s]:%s", path, destination);
}

static int name_hierarchies(Criu *criu, int root, const char *destination, char *const *cgroups, Error *err) {
        for (; cgroups && *cgroups; cgroups++) {
                _cleanup_free_ char *name = NULL, *path = NULL;
                _cleanup_close_ int fd = -EBADF;

                if (hierarchy_of(*cgroups, &name, err) < 0 || string_format(&path, err, "%s/%s", destination, name) < 0)
                        return -1;
                fd = open_in_root(root, path, O_PATH, 0);
                if (fd >= 0 && name_mount(criu, root, path, err) < 0)
                        return -1;
        }
        return 0;
}

int mounts_add_dump(Criu *criu, const json_t *spec, char *const *cgroups, pid_t init, Error *err) {
        const json_t *mounts = schema_field(spec, "mounts");
        _cleanup_close_ int root = -EBADF;
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/%d/root", (int) init);
        root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open the container's root");
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);
                const char *destination = destination_of(one);
                CgroupKind kind = cgroup_kind(one);

                if ((is_bind(one) || kind == CGROUP_NAMED || kind == CGROUP_ONE) && name_mount(criu, root, destination, err) < 0)
                        return -1;
                if (kind == CGROUP_EACH && name_hierarchies(criu, root, destination, cgroups, err) < 0)
                        return -1;
        }
        return 0;
}

/* ---- restore ---- */

static int give_bind(Criu *criu, const Creation *c, const json_t *entry, Error *err) {
        _cleanup_free_ char *source = NULL;

        if (bundle_path(c->container, json_string_value(schema_field(entry, "source")), &source, err) < 0)
                return -1;
        return criu_add_external(criu, err, "mnt[%s]:%s", destination_of(entry), source);
}

static int give_cgroups(Criu *criu, const Creation *c, const json_t *entry, CgroupKind kind, Error *err) {
        char **directories = c->cgroup->directories, **controllers = c->cgroup->controllers;
        bool own = linux_has_namespace(schema_field(c->spec, "linux"), "cgroup", NULL);

        for (size_t i = 0; directories[i]; i++) {
                _cleanup_free_ char *name = NULL;
                bool v2 = controllers[i][0] == '\0';
                int r = 0;

                if (hierarchy_of(directories[i], &name, err) < 0)
                        return -1;
                if (kind == CGROUP_EACH && !v2)
                        r = criu_add_external(criu, err, "mnt[%s/%s]:%s", destination_of(entry), name, directories[i]);
                else if (kind == CGROUP_ONE && v2)
                        r = criu_add_external(criu, err, "mnt[%s]:%s", destination_of(entry), own ? directories[i] : CGROUP_MOUNT);
                else if (kind == CGROUP_NAMED && mount_has_option(entry, controllers[i]))
                        r = criu_add_external(criu, err, "mnt[%s]:%s", destination_of(entry), directories[i]);
                if (r < 0)
                        return -1;
        }
        return 0;
}

int mounts_add_restore(Criu *criu, const Creation *c, Error *err) {
        const json_t *mounts = schema_field(c->spec, "mounts");

        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);
                CgroupKind kind = cgroup_kind(one);

                if ((is_bind(one) && give_bind(criu, c, one, err) < 0) || (kind != CGROUP_NO && give_cgroups(criu, c, one, kind, err) < 0))
                        return -1;
        }
        return 0;
}
