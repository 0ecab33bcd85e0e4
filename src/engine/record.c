/* The engine's files in a container's runtime_dir. */

#include "engine/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/user.h"
#include "engine/notify.h"
#include "engine/plan.h"
#include "oci/spec-schema.h"

#define RECORD_SIZE_MAX (17u << 20) /* bytes: hooks and annotations of a configuration of 16 MiB */
#define INIT_TEXT_MAX   64

static bool has_cgroup_mount(const json_t *spec) {
        const json_t *mounts = schema_field(spec, "mounts");

        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i), *options = schema_field(one, "options");
                const char *type = json_string_value(schema_field(one, "type"));
                bool readonly = false;

                if (!type || (strcmp(type, "cgroup") && strcmp(type, "cgroup2")))
                        continue;
                for (size_t n = 0; n < json_array_size(options); n++)
                        readonly = readonly || !strcmp(json_string_value(json_array_get(options, n)), "ro");
                if (!readonly)
                        return true;
        }
        return false;
}

/* The host's id of the container's root. */
static uint32_t root_on_host(const json_t *mappings) {
        for (size_t i = 0; i < json_array_size(mappings); i++) {
                const json_t *one = json_array_get(mappings, i);

                if (json_integer_value(schema_field(one, "containerID")) == 0)
                        return (uint32_t) json_integer_value(schema_field(one, "hostID"));
        }
        return 0;
}

CgroupRequest cgroup_request(const EngineContainer *container, const json_t *spec) {
        const json_t *linux_part = schema_field(spec, "linux");

        return (CgroupRequest) {
                .id = container->id,
                .path = json_string_value(schema_field(linux_part, "cgroupsPath")),
                .systemd = container->systemd_cgroup,
                .optional = user_outer_id() != 0,
                .resources = schema_field(linux_part, "resources"),
                .annotations = schema_field(spec, "annotations"),
                .device_rules = cgroup_default_devices,
                .n_device_rules = cgroup_n_default_devices,
                .delegate = linux_has_namespace(linux_part, "user", NULL) && has_cgroup_mount(spec),
                .uid = root_on_host(schema_field(linux_part, "uidMappings")),
                .gid = root_on_host(schema_field(linux_part, "gidMappings")),
        };
}

static int write_file(int dir_fd, const char *name, const char *text, size_t len, Error *err) {
        /* Not atomic, not synced: until it is whole nothing happens, and a reboot leaves nothing of what it tells. */
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s'", name);
        return fd_write_all(fd, text, len, err) < 0 ? error_prefix(err, "'%s'", name) : 0;
}

int record_save(int dir_fd, const EngineContainer *container, const json_t *spec, bool keyring, char *const *planned, json_t **ret,
                Error *err) {
        json_t *hooks = (json_t *) schema_field(spec, "hooks"), *annotations = (json_t *) schema_field(spec, "annotations");
        const json_t *listener = schema_field(schema_field(schema_field(spec, "linux"), "seccomp"), "listenerPath");
        const json_t *metadata = schema_field(schema_field(schema_field(spec, "linux"), "seccomp"), "listenerMetadata");
        const char *path = json_string_value(schema_field(schema_field(spec, "linux"), "cgroupsPath"));
        _cleanup_json_ json_t *record = json_object(), *cgroups = json_array(), *state = NULL;
        _cleanup_free_ char *text = NULL;
        bool failed = !record || !cgroups;

        for (; !failed && *planned; planned++)
                failed = json_array_append_new(cgroups, json_string(*planned)) < 0;
        if (failed || json_object_set(record, "cgroups", cgroups) < 0 ||
            (path && json_object_set_new(record, "path", json_string(path)) < 0) ||
            json_object_set_new(record, "keyring", json_boolean(keyring)) < 0 ||
            json_object_set_new(record, "process", json_boolean(schema_field(spec, "process"))) < 0)
                return error_oom(err);
        if (hooks || listener) {
                state = json_pack("{s:O,s:s,s:s}", "ociVersion", schema_field(spec, "ociVersion"), "id", container->id, "bundle",
                                  container->bundle);
                if (!state || (annotations && json_object_set(state, "annotations", annotations) < 0) ||
                    json_object_set(record, "state", state) < 0 || (hooks && json_object_set(record, "hooks", hooks) < 0) ||
                    (listener && json_object_set(record, "listener", (json_t *) listener) < 0) ||
                    (metadata && json_object_set(record, "metadata", (json_t *) metadata) < 0))
                        return error_oom(err);
        }
        if (json_print(record, &text, err) < 0 || write_file(dir_fd, RECORD_FILE, text, strlen(text), err) < 0)
                return -1;
        *ret = TAKE(record);
        return 0;
}

int record_load(int dir_fd, json_t **ret, Error *err) {
        Error e = ERROR_INIT;

        *ret = NULL;
        if (json_load_at(dir_fd, RECORD_FILE, RECORD_SIZE_MAX, ret, &e) == 0 || e.errnum == ENOENT || e.kind == ERROR_INVALID_JSON)
                return 0;
        if (err)
                *err = e;
        return -1;
}

int record_cgroups(const json_t *record, char ***ret, Error *err) {
        const json_t *cgroups = json_object_get(record, "cgroups");
        _cleanup_strv_ char **list = calloc(1, sizeof(*list));

        if (!list)
                return error_oom(err);
        for (size_t i = 0; i < json_array_size(cgroups); i++)
                if (strv_push(&list, json_string_value(json_array_get(cgroups, i)), err) < 0)
                        return -1;
        *ret = TAKE(list);
        return 0;
}

const char *record_path(const json_t *record) {
        return json_string_value(json_object_get(record, "path"));
}

int record_save_init(int dir_fd, pid_t pid, ProcessRef *ret, Error *err) {
        char text[INIT_TEXT_MAX];
        ProcessRef process;
        int n;

        if (process_ref(pid, &process, err) < 0)
                return -1;
        n = snprintf(text, sizeof(text), "%d %llu\n", (int) process.pid, (unsigned long long) process.start_time);
        if (write_file(dir_fd, INIT_FILE, text, (size_t) n, err) < 0)
                return -1;
        *ret = process;
        return 0;
}

int record_load_init(int dir_fd, ProcessRef *ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        unsigned long long start;
        Error e = ERROR_INIT;
        int pid;
        char end;

        *ret = (ProcessRef) {};
        if (file_read_at(dir_fd, INIT_FILE, INIT_TEXT_MAX, &text, NULL, &e) < 0) {
                if (e.errnum == ENOENT)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        if (sscanf(text, "%d %llu%c", &pid, &start, &end) == 3 && end == '\n' && pid > 0)
                *ret = (ProcessRef) { .pid = pid, .start_time = start };
        return 0;
}

int record_forget(int dir_fd, Error *err) {
        for (const char *const *name = (const char *const[]) { START_FILE, INIT_FILE, RECORD_FILE, NULL }; *name; name++)
                if (unlinkat(dir_fd, *name, 0) < 0 && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", *name);
        return notify_forget(dir_fd, err);
}
