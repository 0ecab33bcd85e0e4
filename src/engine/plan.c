/* From a checked configuration to a plan: namespaces, root, devices, settings, hooks. */

#include "engine/plan.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/id-mapping.h"
#include "oci/spec-schema.h"

#define MAP_TEXT_MAX 4095 /* bytes; a map is one write of less than a page. Source: user_namespaces(7) */
#define HOOKS_MAX    256  /* of one kind; this program's own cap */

static const struct {
        const char *type;
        PlanNamespace which;
        uint64_t flag;
} namespaces[] = {
        { "user", NAMESPACE_USER, CLONE_NEWUSER },       { "mount", NAMESPACE_MOUNT, CLONE_NEWNS },
        { "network", NAMESPACE_NETWORK, CLONE_NEWNET },  { "ipc", NAMESPACE_IPC, CLONE_NEWIPC },
        { "uts", NAMESPACE_UTS, CLONE_NEWUTS },          { "cgroup", NAMESPACE_CGROUP, CLONE_NEWCGROUP },
        { "time", NAMESPACE_TIME, CLONE_NEWTIME },       { "pid", NAMESPACE_PID, CLONE_NEWPID },
};

bool linux_has_namespace(const json_t *linux_part, const char *type, const char **ret_path) {
        const json_t *all = schema_field(linux_part, "namespaces");

        for (size_t i = 0; i < json_array_size(all); i++) {
                const json_t *one = json_array_get(all, i);
                const char *path = json_string_value(schema_field(one, "path"));

                if (strcmp(json_string_value(schema_field(one, "type")), type))
                        continue;
                if (ret_path)
                        *ret_path = path && path[0] ? path : NULL;
                return true;
        }
        return false;
}

static int add_map(Builder *b, const IdMap *map, PlanRef *ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(MAP_TEXT_MAX);

        for (size_t i = 0; i < map->n; i++)
                if (buf_printf(&text, err, "%u %u %u\n", map->ranges[i].container, map->ranges[i].host, map->ranges[i].size) < 0)
                        return -1;
        return builder_string(b, text.data ?: "", ret, err);
}

static int add_mapping(Builder *b, const json_t *linux_part, PlanNamespaces *n, Error *err) {
        _cleanup_(id_mapping_freep) IdMapping *mapping = NULL;

        if (id_mapping_load(linux_part, &mapping, err) < 0)
                return error_prefix(err, "config.json: linux");
        if (!mapping)
                return error_set(err, ERROR_INVALID_SPEC, "config.json: linux.uidMappings: a new user namespace needs a mapping");
        if (add_map(b, &mapping->uids, &n->uid_map, err) < 0)
                return -1;
        return add_map(b, &mapping->gids, &n->gid_map, err);
}

static int add_time_offsets(Builder *b, const json_t *offsets, PlanRef *ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(256);

        for (const char *const *clock = (const char *const[]) { "monotonic", "boottime", NULL }; *clock; clock++) {
                const json_t *one = schema_field(offsets, *clock);

                if (one && buf_printf(&text, err, "%s %lld %lld\n", *clock, (long long) json_integer_value(schema_field(one, "secs")),
                                      (long long) json_integer_value(schema_field(one, "nanosecs"))) < 0)
                        return -1;
        }
        return builder_string(b, text.data, ret, err);
}

int plan_namespaces(Builder *b, const json_t *linux_part, uint64_t made_already, Error *err) {
        PlanNamespaces n = builder_plan(b)->namespaces;

        for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
                const char *path;
                int fd;

                if (!linux_has_namespace(linux_part, namespaces[i].type, &path))
                        continue;
                if (!path) {
                        n.fresh |= namespaces[i].flag;
                        continue;
                }
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
                if (fd < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "config.json: linux.namespaces: %s namespace '%s'",
                                               namespaces[i].type, path);
                if (builder_fd(b, fd, true, &n.paths[namespaces[i].which], err) < 0)
                        return -1;
        }
        n.cloned = n.fresh & made_already;
        if ((n.fresh & CLONE_NEWUSER) && add_mapping(b, linux_part, &n, err) < 0)
                return -1;
        if (add_time_offsets(b, schema_field(linux_part, "timeOffsets"), &n.time_offsets, err) < 0)
                return -1;
        builder_plan(b)->namespaces = n;
        return 0;
}

int plan_tasks(Builder *b, const Cgroup *cgroup, bool v2_too, Error *err) {
        _cleanup_free_ int32_t *tasks = calloc(cgroup->n_tasks + 2, sizeof(*tasks));
        size_t n = 0;
        PlanRef at;

        if (!tasks)
                return error_oom(err);
        for (size_t i = 0; i < cgroup->n_tasks; i++)
                if (builder_fd(b, cgroup->tasks_fds[i], false, &tasks[n++], err) < 0)
                        return -1;
        if (v2_too && cgroup->v2_fd >= 0) {
                int fd = openat(cgroup->v2_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

                if (fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open 'cgroup.procs'");
                if (builder_fd(b, fd, true, &tasks[n++], err) < 0)
                        return -1;
        }
        if (builder_add(b, tasks, n * sizeof(*tasks), &at, err) < 0)
                return -1;
        builder_plan(b)->tasks = (PlanList) { .at = at, .n = (uint32_t) n };
        return 0;
}

/* ---- devices ---- */

typedef struct DefaultDevice {
        const char *path;
        uint32_t minor, major;
} DefaultDevice;

/* Those that every container has. Source: runtime-spec config-linux.md, "Default Devices" */
static const DefaultDevice default_devices[] = {
        { "/dev/null", 3, 1 },   { "/dev/zero", 5, 1 },    { "/dev/full", 7, 1 },
        { "/dev/random", 8, 1 }, { "/dev/urandom", 9, 1 }, { "/dev/tty", 0, 5 },
};

static bool lists_device(const json_t *devices, const char *path) {
        for (size_t i = 0; i < json_array_size(devices); i++)
                if (!strcmp(json_string_value(schema_field(json_array_get(devices, i), "path")), path))
                        return true;
        return false;
}

static uint32_t device_type(const char *type) {
        return type[0] == 'b' ? S_IFBLK : type[0] == 'p' ? S_IFIFO : S_IFCHR;
}

static int add_devices(Builder *b, const json_t *devices, Error *err) {
        size_t listed = json_array_size(devices), n = 0;
        _cleanup_free_ PlanDevice *array = calloc(listed + ARRAY_SIZE(default_devices), sizeof(*array));
        PlanRef at;

        if (!array)
                return error_oom(err);
        for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
                const DefaultDevice *d = &default_devices[i];

                if (lists_device(devices, d->path))
                        continue;
                array[n] = (PlanDevice) { .mode = S_IFCHR | 0666, .major = d->major, .minor = d->minor };
                if (builder_string(b, d->path, &array[n++].path, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < listed; i++) {
                const json_t *one = json_array_get(devices, i), *mode = schema_field(one, "fileMode");

                array[n] = (PlanDevice) {
                        .mode = device_type(json_string_value(schema_field(one, "type"))) |
                                (mode ? (uint32_t) json_integer_value(mode) & 07777 : 0666),
                        .major = (uint32_t) json_integer_value(schema_field(one, "major")),
                        .minor = (uint32_t) json_integer_value(schema_field(one, "minor")),
                        .uid = (uint32_t) json_integer_value(schema_field(one, "uid")),
                        .gid = (uint32_t) json_integer_value(schema_field(one, "gid")),
                };
                if (builder_string(b, json_string_value(schema_field(one, "path")), &array[n++].path, err) < 0)
                        return -1;
        }
        if (builder_add(b, array, n * sizeof(*array), &at, err) < 0)
                return -1;
        builder_plan(b)->devices = (PlanList) { .at = at, .n = (uint32_t) n };
        return 0;
}

/* Whether /dev is the container's own, not one that a bind mount brings. */
static bool sets_up_dev(const json_t *mounts) {
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i), *list = schema_field(one, "options");
                const char *to = json_string_value(schema_field(one, "destination")), *type = json_string_value(schema_field(one, "type"));
                bool bind = type && !strcmp(type, "bind");

                for (size_t n = 0; n < json_array_size(list); n++)
                        bind = bind || !strcmp(json_string_value(json_array_get(list, n)), "bind") ||
                               !strcmp(json_string_value(json_array_get(list, n)), "rbind");
                if (bind && (!strcmp(to, "/dev") || !strcmp(to, "/dev/")))
                        return false;
        }
        return true;
}

/* ---- settings ---- */

/* Which namespace makes a sysctl the container's own. Source: runc's rules, Documentation/admin-guide/sysctl */
static const struct {
        const char *prefix, *namespace;
} sysctls[] = {
        { "kernel/msgmax", "ipc" },  { "kernel/msgmnb", "ipc" },     { "kernel/msgmni", "ipc" }, { "kernel/sem", "ipc" },
        { "kernel/shmall", "ipc" },  { "kernel/shmmax", "ipc" },     { "kernel/shmmni", "ipc" }, { "kernel/shm_rmid_forced", "ipc" },
        { "fs/mqueue/", "ipc" },     { "net/", "network" },          { "kernel/domainname", "uts" }, { "kernel/hostname", "uts" },
        { "user/", "user" },
};

/* "net.ipv4.ip_forward" and "net/ipv4/ip_forward": in the first form a slash stands for a dot of a name. Source: sysctl(8) */
static void sysctl_path(char *name) {
        char *first = strpbrk(name, "./");

        if (!first || *first == '/')
                return;
        for (char *p = name; *p; p++)
                *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static int check_sysctl(const json_t *linux_part, const char *name, const char *path, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
                const char *prefix = sysctls[i].prefix;
                size_t len = strlen(prefix);

                if (prefix[len - 1] == '/' ? strncmp(path, prefix, len) : strcmp(path, prefix))
                        continue;
                if (linux_has_namespace(linux_part, sysctls[i].namespace, NULL))
                        return 0;
                return error_set(err, ERROR_INVALID_SPEC, "config.json: linux.sysctl: '%s' is the host's without a %s namespace", name,
                                 sysctls[i].namespace);
        }
        return error_set(err, ERROR_INVALID_SPEC, "config.json: linux.sysctl: '%s' is of the whole host, no namespace has its own", name);
}

static int add_sysctl(Builder *b, const json_t *linux_part, Error *err) {
        json_t *object = (json_t *) schema_field(linux_part, "sysctl"), *value;
        size_t n = 0, size = json_object_size(object);
        _cleanup_free_ PlanSetting *array = calloc(size + 1, sizeof(*array));
        const char *name;
        PlanRef at;

        if (!array)
                return error_oom(err);
        json_object_foreach(object, name, value) {
                _cleanup_free_ char *path = NULL;

                if (string_copy(name, &path, err) < 0)
                        return -1;
                sysctl_path(path);
                if (check_sysctl(linux_part, name, path, err) < 0 || builder_format(b, &array[n].path, err, "sys/%s", path) < 0 ||
                    builder_string(b, json_string_value(value), &array[n].value, err) < 0 ||
                    builder_string(b, name, &array[n].place, err) < 0)
                        return -1;
                n++;
        }
        if (builder_add(b, array, n * sizeof(*array), &at, err) < 0)
                return -1;
        builder_plan(b)->sysctl = (PlanList) { .at = at, .n = (uint32_t) n };
        return 0;
}

static uint64_t propagation_of(const char *name) {
        uint64_t recursive = name[0] == 'r' ? MS_REC : 0;

        if (recursive)
                name++;
        return recursive | (!strcmp(name, "shared")       ? MS_SHARED :
                            !strcmp(name, "slave")        ? MS_SLAVE :
                            !strcmp(name, "private")      ? MS_PRIVATE :
                                                            MS_UNBINDABLE);
}

int plan_hooks(Builder *b, const json_t *hooks, const char *name, PlanList *ret, Error *err) {
        const json_t *list = schema_field(hooks, name);
        PlanHook array[HOOKS_MAX];
        size_t n = json_array_size(list);

        if (n > HOOKS_MAX)
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: hooks.%s: more than %d hooks", name, HOOKS_MAX);
        for (size_t i = 0; i < n; i++) {
                const json_t *one = json_array_get(list, i);

                array[i] = (PlanHook) { .timeout = (uint32_t) json_integer_value(schema_field(one, "timeout")) };
                if (builder_string(b, json_string_value(schema_field(one, "path")), &array[i].path, err) < 0 ||
                    builder_format(b, &array[i].place, err, "hooks.%s[%zu]", name, i) < 0 ||
                    builder_strings(b, schema_field(one, "args"), "hooks: args", &array[i].args, err) < 0 ||
                    builder_strings(b, schema_field(one, "env"), "hooks: env", &array[i].env, err) < 0)
                        return -1;
        }
        ret->n = (uint32_t) n;
        return builder_add(b, array, n * sizeof(*array), &ret->at, err);
}

/*
 * Without a mount namespace the container's root and mounts are attached nowhere: what would have to propagate between them and others
 * cannot, and a user namespace's root may not enter the host's mount namespace.
 */
static int check_without_mount_namespace(const json_t *spec, Error *err) {
        const json_t *linux_part = schema_field(spec, "linux");
        const char *propagation = json_string_value(schema_field(linux_part, "rootfsPropagation"));

        if (linux_has_namespace(linux_part, "user", NULL))
                return error_set(err, ERROR_NOT_SUPPORTED,
                                 "config.json: linux.namespaces: a user namespace without a mount namespace");
        if (propagation && propagation[0] && !strstr(propagation, "private") && !strstr(propagation, "slave"))
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: linux.rootfsPropagation: '%s' without a mount namespace",
                                 propagation);
        return 0;
}

/* What this engine has no way to do, by the field's path. */
static int check_supported(const PlanSource *source, Error *err) {
        const json_t *spec = source->spec, *linux_part = schema_field(spec, "linux");

        if (!linux_has_namespace(linux_part, "mount", NULL) && check_without_mount_namespace(spec, err) < 0)
                return -1;
        if (schema_field(linux_part, "intelRdt"))
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: linux.intelRdt: this engine does not set up resctrl groups");
        return 0;
}

static int add_root(Builder *b, const PlanSource *source, Error *err) {
        const json_t *root = schema_field(source->spec, "root"), *linux_part = schema_field(source->spec, "linux");
        const char *path = json_string_value(schema_field(root, "path"));
        const char *propagation = json_string_value(schema_field(linux_part, "rootfsPropagation"));
        bool user = linux_has_namespace(linux_part, "user", NULL);
        _cleanup_free_ char *whole = NULL;
        struct mount_attr slave = { .propagation = MS_SLAVE };
        PlanRef ref;

        if (string_format(&whole, err, "%s%s%s", path[0] == '/' ? "" : source->container->bundle, path[0] == '/' ? "" : "/", path) < 0 ||
            builder_string(b, whole, &ref, err) < 0)
                return -1;
        builder_plan(b)->root = ref;
        builder_plan(b)->root_propagation = propagation && propagation[0] ? propagation_of(propagation) : 0;
        builder_plan(b)->propagation = builder_plan(b)->root_propagation ?: MS_SLAVE | MS_REC;
        /* What cannot be bound could not become a root either: it is made so at last. */
        if (builder_plan(b)->root_propagation & MS_UNBINDABLE)
                builder_plan(b)->propagation = MS_PRIVATE | MS_REC;
        if (json_is_true(schema_field(root, "readonly")))
                builder_plan(b)->flags |= PLAN_READONLY_ROOT;
        /* A user namespace's root may not be able to get there. */
        if (user) {
                int32_t index;
                int tree = open_tree(AT_FDCWD, whole, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

                if (tree < 0)
                        return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open root filesystem '%s'", whole);
                if (builder_fd(b, tree, true, &index, err) < 0)
                        return -1;
                if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof(slave)) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "detach root filesystem '%s'", whole);
                builder_plan(b)->root_fd = index;
        }
        return 0;
}

static int add_state(Builder *b, const PlanSource *source, PlanRef *ret, Error *err) {
        _cleanup_json_ json_t *state = json_pack("{s:O,s:s,s:s}", "ociVersion", schema_field(source->spec, "ociVersion"), "id",
                                                 source->container->id, "bundle", source->container->bundle);
        json_t *annotations = (json_t *) schema_field(source->spec, "annotations");
        _cleanup_free_ char *text = NULL;

        if (!state || (annotations && json_object_set(state, "annotations", annotations) < 0))
                return error_oom(err);
        if (json_print(state, &text, err) < 0)
                return -1;
        text[strlen(text) - 1] = '\0';
        return builder_string(b, text, ret, err);
}

static int add_strings(Builder *b, const json_t *array, const char *place, PlanStrings *ret, Error *err) {
        PlanStrings strings;

        if (builder_strings(b, array, place, &strings, err) < 0)
                return -1;
        *ret = strings;
        return 0;
}

int plan_create(Builder *b, const PlanSource *source, Error *err) {
        const json_t *spec = source->spec, *linux_part = schema_field(spec, "linux"), *hooks = schema_field(spec, "hooks");
        const char *hostname = json_string_value(schema_field(spec, "hostname")),
                   *domain = json_string_value(schema_field(spec, "domainname"));
        PlanStrings masked, readonly;
        PlanRef state = 0, host = 0, domain_ref = 0, keyring = 0;
        PlanList create = {}, start = {};
        _cleanup_free_ char *cache = NULL;
        uint32_t flags = 0;

        if (check_supported(source, err) < 0 ||
            string_format(&cache, err, "%s/../../.cache", source->container->runtime_dir) < 0)
                return -1;
        if (plan_namespaces(b, linux_part, source->made_already, err) < 0 || add_root(b, source, err) < 0 ||
            plan_mounts(b, source, err) < 0 || add_devices(b, schema_field(linux_part, "devices"), err) < 0 ||
            add_strings(b, schema_field(linux_part, "maskedPaths"), "linux.maskedPaths", &masked, err) < 0 ||
            add_strings(b, schema_field(linux_part, "readonlyPaths"), "linux.readonlyPaths", &readonly, err) < 0 ||
            add_sysctl(b, linux_part, err) < 0 || builder_string(b, hostname && hostname[0] ? hostname : NULL, &host, err) < 0 ||
            builder_string(b, domain && domain[0] ? domain : NULL, &domain_ref, err) < 0 ||
            plan_hooks(b, hooks, "createContainer", &create, err) < 0 || plan_hooks(b, hooks, "startContainer", &start, err) < 0 ||
            plan_process(b, schema_field(spec, "process"), linux_part, cache, err) < 0)
                return -1;
        if (hooks && add_state(b, source, &state, err) < 0)
                return -1;
        if (!source->request->no_new_keyring && builder_format(b, &keyring, err, "_ses.%s", source->container->id) < 0)
                return -1;
        if (source->request->no_pivot)
                flags |= PLAN_NO_PIVOT;
        if (!linux_has_namespace(linux_part, "mount", NULL))
                flags |= PLAN_DETACHED_ROOT;
        if (sets_up_dev(schema_field(spec, "mounts")))
                flags |= PLAN_SET_UP_DEV;
        if (linux_has_namespace(linux_part, "user", NULL))
                flags |= PLAN_DEVICES_BOUND;
        if (json_array_size(schema_field(hooks, "prestart")) + json_array_size(schema_field(hooks, "createRuntime")) +
                    json_object_size(schema_field(linux_part, "netDevices")) >
            0)
                flags |= PLAN_OUTER_HOOKS;
        builder_plan(b)->flags |= flags;
        builder_plan(b)->masked = masked;
        builder_plan(b)->readonly = readonly;
        builder_plan(b)->hostname = host;
        builder_plan(b)->domainname = domain_ref;
        builder_plan(b)->create_hooks = create;
        builder_plan(b)->start_hooks = start;
        builder_plan(b)->state_head = state;
        builder_plan(b)->process.keyring = keyring;
        if (keyring)
                builder_plan(b)->process.flags |= PLAN_NEW_KEYRING;
        return 0;
}
