/* `mounts` of a configuration as the init wants them. Source: runtime-spec config.md, "Linux mount options" */

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/plan.h"
#include "engine/warn.h"
#include "oci/runtime-spec.h"
#include "oci/spec-schema.h"
#include "oci/userns.h"

#define DATA_MAX        64 /* options of one file system; this program's own cap */
#define PROPAGATION_MAX 8
#define CGROUP_MOUNT    "/sys/fs/cgroup"
#define SELINUX_ENFORCE "/sys/fs/selinux/enforce"

typedef enum OptionKind {
        OPTION_SET,         /* an attribute of the mount */
        OPTION_CLEAR,
        OPTION_ATIME,       /* one of the three that exclude each other */
        OPTION_ALL_SET,     /* the same, of all mounts below, too */
        OPTION_ALL_CLEAR,
        OPTION_ALL_ATIME,
        OPTION_PROPAGATION,
        OPTION_FLAG,        /* PlanMountFlags */
        OPTION_BIND,
        OPTION_IDMAP,
        OPTION_NOTHING,     /* what holds anyway */
        OPTION_REFUSED,
} OptionKind;

static const struct {
        const char *name;
        OptionKind kind;
        uint64_t value;
} options[] = {
        { "ro", OPTION_SET, MOUNT_ATTR_RDONLY },
        { "rw", OPTION_CLEAR, MOUNT_ATTR_RDONLY },
        { "nosuid", OPTION_SET, MOUNT_ATTR_NOSUID },
        { "suid", OPTION_CLEAR, MOUNT_ATTR_NOSUID },
        { "nodev", OPTION_SET, MOUNT_ATTR_NODEV },
        { "dev", OPTION_CLEAR, MOUNT_ATTR_NODEV },
        { "noexec", OPTION_SET, MOUNT_ATTR_NOEXEC },
        { "exec", OPTION_CLEAR, MOUNT_ATTR_NOEXEC },
        { "nodiratime", OPTION_SET, MOUNT_ATTR_NODIRATIME },
        { "diratime", OPTION_CLEAR, MOUNT_ATTR_NODIRATIME },
        { "nosymfollow", OPTION_SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "symfollow", OPTION_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "noatime", OPTION_ATIME, MOUNT_ATTR_NOATIME },
        { "atime", OPTION_ATIME, MOUNT_ATTR_RELATIME },
        { "relatime", OPTION_ATIME, MOUNT_ATTR_RELATIME },
        { "norelatime", OPTION_ATIME, MOUNT_ATTR_RELATIME },
        { "strictatime", OPTION_ATIME, MOUNT_ATTR_STRICTATIME },
        { "nostrictatime", OPTION_ATIME, MOUNT_ATTR_RELATIME },
        { "rro", OPTION_ALL_SET, MOUNT_ATTR_RDONLY },
        { "rrw", OPTION_ALL_CLEAR, MOUNT_ATTR_RDONLY },
        { "rnosuid", OPTION_ALL_SET, MOUNT_ATTR_NOSUID },
        { "rsuid", OPTION_ALL_CLEAR, MOUNT_ATTR_NOSUID },
        { "rnodev", OPTION_ALL_SET, MOUNT_ATTR_NODEV },
        { "rdev", OPTION_ALL_CLEAR, MOUNT_ATTR_NODEV },
        { "rnoexec", OPTION_ALL_SET, MOUNT_ATTR_NOEXEC },
        { "rexec", OPTION_ALL_CLEAR, MOUNT_ATTR_NOEXEC },
        { "rnodiratime", OPTION_ALL_SET, MOUNT_ATTR_NODIRATIME },
        { "rdiratime", OPTION_ALL_CLEAR, MOUNT_ATTR_NODIRATIME },
        { "rnosymfollow", OPTION_ALL_SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "rsymfollow", OPTION_ALL_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "rnoatime", OPTION_ALL_ATIME, MOUNT_ATTR_NOATIME },
        { "ratime", OPTION_ALL_ATIME, MOUNT_ATTR_RELATIME },
        { "rrelatime", OPTION_ALL_ATIME, MOUNT_ATTR_RELATIME },
        { "rnorelatime", OPTION_ALL_ATIME, MOUNT_ATTR_RELATIME },
        { "rstrictatime", OPTION_ALL_ATIME, MOUNT_ATTR_STRICTATIME },
        { "rnostrictatime", OPTION_ALL_ATIME, MOUNT_ATTR_RELATIME },
        { "private", OPTION_PROPAGATION, MS_PRIVATE },
        { "rprivate", OPTION_PROPAGATION, MS_PRIVATE | MS_REC },
        { "shared", OPTION_PROPAGATION, MS_SHARED },
        { "rshared", OPTION_PROPAGATION, MS_SHARED | MS_REC },
        { "slave", OPTION_PROPAGATION, MS_SLAVE },
        { "rslave", OPTION_PROPAGATION, MS_SLAVE | MS_REC },
        { "unbindable", OPTION_PROPAGATION, MS_UNBINDABLE },
        { "runbindable", OPTION_PROPAGATION, MS_UNBINDABLE | MS_REC },
        { "bind", OPTION_BIND, 0 },
        { "rbind", OPTION_BIND, PLAN_MOUNT_RECURSIVE },
        { "tmpcopyup", OPTION_FLAG, PLAN_MOUNT_COPY_UP },
        { "src-nofollow", OPTION_FLAG, PLAN_MOUNT_NO_FOLLOW },
        { "idmap", OPTION_IDMAP, 0 },
        { "ridmap", OPTION_IDMAP, 1 },
        { "defaults", OPTION_NOTHING, 0 },
        { "loud", OPTION_NOTHING, 0 },
        { "remount", OPTION_REFUSED, 0 },
};

typedef struct MountParts {
        PlanMount mount;
        const char *data[DATA_MAX];
        size_t n_data;
        uint64_t propagation[PROPAGATION_MAX];
        bool is_bind, idmap, idmap_recursive;
} MountParts;

static void set_bits(uint64_t *set, uint64_t *clear, uint64_t value) {
        *set |= value;
        *clear &= ~value;
}

static void set_atime(uint64_t *set, uint64_t *clear, uint64_t value) {
        *set = (*set & ~(uint64_t) MOUNT_ATTR__ATIME) | value;
        *clear |= MOUNT_ATTR__ATIME; /* mount_setattr(2): to set one of them all must be cleared */
}

static int refused(size_t i, const char *option, const char *why, Error *err) {
        return error_set(err, ERROR_NOT_SUPPORTED, "config.json: mounts[%zu].options: '%s': %s", i, option, why);
}

static int apply_option(MountParts *p, size_t index, const char *text, Error *err) {
        PlanMount *m = &p->mount;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                uint64_t value = options[i].value;

                if (strcmp(options[i].name, text))
                        continue;
                switch (options[i].kind) {
                case OPTION_SET:
                        set_bits(&m->attr_set, &m->attr_clear, value);
                        return 0;
                case OPTION_CLEAR:
                        set_bits(&m->attr_clear, &m->attr_set, value);
                        return 0;
                case OPTION_ATIME:
                        set_atime(&m->attr_set, &m->attr_clear, value);
                        return 0;
                case OPTION_ALL_SET:
                        set_bits(&m->all_set, &m->all_clear, value);
                        return 0;
                case OPTION_ALL_CLEAR:
                        set_bits(&m->all_clear, &m->all_set, value);
                        return 0;
                case OPTION_ALL_ATIME:
                        set_atime(&m->all_set, &m->all_clear, value);
                        return 0;
                case OPTION_PROPAGATION:
                        if (m->propagation.n == PROPAGATION_MAX)
                                return refused(index, text, "too many kinds of propagation", err);
                        p->propagation[m->propagation.n++] = value;
                        return 0;
                case OPTION_BIND:
                        p->is_bind = true;
                        m->flags |= (uint32_t) value;
                        return 0;
                case OPTION_FLAG:
                        m->flags |= (uint32_t) value;
                        return 0;
                case OPTION_IDMAP:
                        p->idmap = true;
                        p->idmap_recursive = value;
                        return 0;
                case OPTION_NOTHING:
                        return 0;
                case OPTION_REFUSED:
                        return refused(index, text, "there is nothing yet that could be changed", err);
                }
        }
        if (p->n_data == DATA_MAX)
                return refused(index, text, "too many options", err);
        p->data[p->n_data++] = text;
        return 0;
}

/* What is no option of mounts in general is one of a file system, and mount(2) takes none of those with MS_BIND. So do runc and crun. */
static void pass_over_data(MountParts *p, size_t i, const EngineContainer *container) {
        for (size_t n = 0; n < p->n_data; n++)
                container_warn(container, "config.json: mounts[%zu].options: '%s' has no effect on a bind mount", i, p->data[n]);
        p->n_data = 0;
}

static int parse_mount(MountParts *p, size_t i, const json_t *entry, const EngineContainer *container, Error *err) {
        const json_t *list = schema_field(entry, "options");
        const char *type = json_string_value(schema_field(entry, "type"));

        p->mount = (PlanMount) { .fd = -1 };
        for (size_t n = 0; n < json_array_size(list); n++)
                if (apply_option(p, i, json_string_value(json_array_get(list, n)), err) < 0)
                        return -1;
        if (p->is_bind || (type && !strcmp(type, "bind"))) {
                p->mount.kind = PLAN_MOUNT_BIND;
                pass_over_data(p, i, container);
        } else if (!type || !type[0])
                return error_set(err, ERROR_INVALID_SPEC, "config.json: mounts[%zu].type: missing", i);
        else if (!strcmp(type, "cgroup") || !strcmp(type, "cgroup2")) {
                bool named = !strcmp(type, "cgroup") && p->n_data == 1 && !strncmp(p->data[0], "name=", 5);

                p->mount.kind = named ? PLAN_MOUNT_CGROUP_NAMED
                                      : !strcmp(type, "cgroup2") || cgroup_is_unified() ? PLAN_MOUNT_CGROUP_V2 : PLAN_MOUNT_CGROUP_V1;
                if (p->n_data > 0 && !named)
                        return refused(i, p->data[0], "cgroups are shown as they are", err);
        } else {
                p->mount.kind = PLAN_MOUNT_FS;
                /* A read-only mount of a file system of one's own is a read-only file system. */
                if ((p->mount.attr_set & MOUNT_ATTR_RDONLY) && !(p->mount.flags & PLAN_MOUNT_COPY_UP) && p->n_data < DATA_MAX)
                        p->data[p->n_data++] = "ro";
                if ((p->mount.flags & PLAN_MOUNT_COPY_UP) && strcmp(type, "tmpfs"))
                        return refused(i, "tmpcopyup", "only a tmpfs can begin with a copy", err);
        }
        if (p->idmap && p->mount.kind != PLAN_MOUNT_BIND)
                return refused(i, p->idmap_recursive ? "ridmap" : "idmap", "only bind mounts can be", err);
        return 0;
}

/* The user namespace that says how a mount's owners are shifted: its own mapping, or the container's. */
static int open_shift(const json_t *entry, const json_t *linux_part, int *ret_fd, Error *err) {
        _cleanup_(id_mapping_freep) IdMapping *mapping = NULL;
        const char *path = NULL;

        if (id_mapping_load(entry, &mapping, err) < 0)
                return -1;
        if (!mapping && linux_has_namespace(linux_part, "user", &path) && path) {
                *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
                return *ret_fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "open user namespace '%s'", path) : 0;
        }
        if (!mapping && id_mapping_load(linux_part, &mapping, err) < 0)
                return -1;
        return mapping ? userns_open(mapping, ret_fd, err) : error_set(err, ERROR_INVALID_SPEC, "there is no mapping to shift owners by");
}

static int shift(int tree, bool recursive, int userns, Error *err) {
        struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) userns };

        if (mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u), &attributes, sizeof(attributes)) < 0) {
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "shift its owners");
                return error_hint(err, "its file system must allow idmapped mounts, and must not be one already");
        }
        return 0;
}

/* Opened here: by the host's privileges, which a user namespace's root does not have. */
static int open_source(Builder *b, const PlanSource *source, const MountParts *p, const json_t *entry, const char *path, int32_t *ret,
                       Error *err) {
        const json_t *linux_part = schema_field(source->spec, "linux");
        bool mapped = p->idmap || json_array_size(schema_field(entry, "uidMappings")) > 0;
        struct mount_attr slave = { .propagation = MS_SLAVE };
        _cleanup_close_ int tree = -EBADF, userns = -EBADF;
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (p->mount.flags & PLAN_MOUNT_RECURSIVE ? AT_RECURSIVE : 0u) |
                         (p->mount.flags & PLAN_MOUNT_NO_FOLLOW ? (unsigned) AT_SYMLINK_NOFOLLOW : 0u);

        if (!mapped && !linux_has_namespace(linux_part, "user", NULL))
                return 0;
        tree = open_tree(AT_FDCWD, path, flags);
        if (tree < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open '%s'", path);
        if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof(slave)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "detach '%s'", path);
        if (mapped && (open_shift(entry, linux_part, &userns, err) < 0 || shift(tree, p->idmap_recursive, userns, err) < 0))
                return -1;
        return builder_fd(b, TAKE_FD(tree), true, ret, err);
}

/* NULL: none, or a kernel without SELinux, where nothing could read it: as crun. A process's own label confines it, and is refused then. */
static const char *mount_label(const json_t *spec) {
        const char *label = json_string_value(schema_field(schema_field(spec, "linux"), "mountLabel"));

        return label && label[0] && access(SELINUX_ENFORCE, F_OK) == 0 ? label : NULL;
}

static int add_data(Builder *b, const PlanSource *source, MountParts *p, const char *type, Error *err) {
        const char *label = mount_label(source->spec);
        PlanRef refs[DATA_MAX + 1];
        size_t n;

        for (n = 0; n < p->n_data; n++)
                if (builder_string(b, p->data[n], &refs[n], err) < 0)
                        return -1;
        /* As runc: procfs and sysfs are labelled by the policy. */
        if (label && p->mount.kind == PLAN_MOUNT_FS && strcmp(type, "proc") && strcmp(type, "sysfs") &&
            builder_format(b, &refs[n++], err, "context=%s", label) < 0)
                return -1;
        p->mount.data.n = (uint32_t) n;
        return builder_add(b, refs, n * sizeof(*refs), &p->mount.data.at, err);
}

/* Attached nowhere, it can be private only: see PLAN_DETACHED_ROOT. */
static int check_propagation(const MountParts *p, size_t i, Error *err) {
        for (size_t n = 0; n < p->mount.propagation.n; n++)
                if (!(p->propagation[n] & MS_PRIVATE))
                        return error_set(err, ERROR_NOT_SUPPORTED,
                                         "config.json: mounts[%zu].options: propagation without a mount namespace", i);
        return 0;
}

/* A hierarchy of version 1 without controllers, which is there when somebody on the host, mostly its systemd, has mounted it. */
static int check_hierarchy(const Cgroup *cgroup, size_t i, const char *name, Error *err) {
        for (char **controllers = cgroup->controllers; *controllers; controllers++)
                if (!strcmp(*controllers, name))
                        return 0;
        error_set(err, ERROR_NOT_SUPPORTED, "config.json: mounts[%zu].options: '%s': the container has no cgroup in such a hierarchy", i,
                  name);
        if (cgroup_is_unified())
                return error_hint(err, "this host has cgroup v2 only: of a container that was made before it had, make a new one");
        return error_hint(err, "make it on the host: mkdir /sys/fs/cgroup/systemd; "
                               "mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd");
}

static int add_mount(Builder *b, const PlanSource *source, size_t i, const json_t *entry, PlanMount *ret, Error *err) {
        const char *from = json_string_value(schema_field(entry, "source")), *to = json_string_value(schema_field(entry, "destination"));
        const char *type = json_string_value(schema_field(entry, "type"));
        _cleanup_free_ char *path = NULL;
        MountParts p = {};

        if (parse_mount(&p, i, entry, source->container, err) < 0 ||
            (!linux_has_namespace(schema_field(source->spec, "linux"), "mount", NULL) && check_propagation(&p, i, err) < 0))
                return -1;
        if (p.mount.kind == PLAN_MOUNT_CGROUP_NAMED && check_hierarchy(source->cgroup, i, p.data[0], err) < 0)
                return -1;
        if (!strcmp(to, "/"))
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: mounts[%zu].destination: the root filesystem itself is root.path",
                                 i);
        if (p.mount.kind == PLAN_MOUNT_BIND) {
                if (!from || !from[0])
                        return error_set(err, ERROR_INVALID_SPEC, "config.json: mounts[%zu].source: missing", i);
                if (string_format(&path, err, "%s%s%s", from[0] == '/' ? "" : source->container->bundle, from[0] == '/' ? "" : "/", from) <
                    0)
                        return -1;
                from = path;
                if (open_source(b, source, &p, entry, from, &p.mount.fd, err) < 0)
                        return error_prefix(err, "config.json: mounts[%zu]", i);
        }
        p.mount.propagation.at = 0;
        if (builder_string(b, from, &p.mount.source, err) < 0 || builder_string(b, to, &p.mount.target, err) < 0 ||
            builder_string(b, type, &p.mount.type, err) < 0 || builder_format(b, &p.mount.place, err, "mounts[%zu]", i) < 0 ||
            add_data(b, source, &p, type, err) < 0 ||
            builder_add(b, p.propagation, p.mount.propagation.n * sizeof(*p.propagation), &p.mount.propagation.at, err) < 0)
                return -1;
        *ret = p.mount;
        return 0;
}

/* Where the container's cgroups are shown. */
static int add_cgroups(Builder *b, const PlanSource *source, bool v1, Error *err) {
        char **directories = source->cgroup->directories, **controllers = source->cgroup->controllers;
        size_t n = strv_length(directories), kept = 0;
        _cleanup_free_ PlanCgroup *cgroups = calloc(n + 1, sizeof(*cgroups));
        bool own = linux_has_namespace(schema_field(source->spec, "linux"), "cgroup", NULL);
        PlanRef at;

        if (!cgroups)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                const char *name = directories[i] + strlen(CGROUP_MOUNT "/");

                if (strncmp(directories[i], CGROUP_MOUNT "/", strlen(CGROUP_MOUNT "/")) || v1 == (controllers[i][0] == '\0'))
                        continue;
                /* Without a cgroup namespace version 2 is shown whole, as runc does. */
                if (builder_string(b, v1 || own ? directories[i] : CGROUP_MOUNT, &cgroups[kept].directory, err) < 0 ||
                    builder_string(b, controllers[i], &cgroups[kept].controllers, err) < 0 ||
                    builder_format(b, &cgroups[kept].name, err, "%.*s", (int) strcspn(name, "/"), name) < 0)
                        return -1;
                kept++;
        }
        builder_plan(b)->cgroups.n = (uint32_t) kept;
        if (builder_add(b, cgroups, kept * sizeof(*cgroups), &at, err) < 0)
                return -1;
        builder_plan(b)->cgroups.at = at;
        return 0;
}

int plan_mounts(Builder *b, const PlanSource *source, Error *err) {
        const json_t *list = schema_field(source->spec, "mounts");
        size_t n = json_array_size(list);
        _cleanup_free_ PlanMount *mounts = calloc(n + 1, sizeof(*mounts));
        const char *label = json_string_value(schema_field(schema_field(source->spec, "linux"), "mountLabel"));
        bool v1 = false, v2 = false;
        PlanRef at;

        if (!mounts)
                return error_oom(err);
        if (label && label[0] && !mount_label(source->spec))
                container_warn(source->container, "config.json: linux.mountLabel: this kernel runs without SELinux, mounts have no labels");
        for (size_t i = 0; i < n; i++) {
                if (add_mount(b, source, i, json_array_get(list, i), &mounts[i], err) < 0)
                        return -1;
                v1 = v1 || mounts[i].kind == PLAN_MOUNT_CGROUP_V1 || mounts[i].kind == PLAN_MOUNT_CGROUP_NAMED;
                v2 = v2 || mounts[i].kind == PLAN_MOUNT_CGROUP_V2;
        }
        if (v1 && v2)
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: mounts: both cgroup and cgroup2 on a host that has both");
        if (builder_add(b, mounts, n * sizeof(*mounts), &at, err) < 0)
                return -1;
        builder_plan(b)->mounts = (PlanList) { .at = at, .n = (uint32_t) n };
        return v1 || v2 ? add_cgroups(b, source, v1, err) : 0;
}

int plan_mount_options(json_t *list, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].kind != OPTION_REFUSED && json_array_append_new(list, json_string(options[i].name)) < 0)
                        return error_oom(err);
        return 0;
}
