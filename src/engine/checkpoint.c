/* checkpoint: the container's processes become files, by CRIU. What is the host's in the container is named, and left out. */

#include "engine/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "engine/create.h"
#include "engine/notify.h"
#include "engine/plan.h"
#include "oci/runtime-spec.h"
#include "oci/spec-schema.h"

#define CONFIG_ANNOTATION "org.criu.config"
#define LINK_SIZE         4096 /* bytes of what a descriptor is, as a link of /proc says */

/* ---- what cannot be done ---- */

const char *annotation_config(const json_t *spec) {
        const char *path = json_string_value(json_object_get(schema_field(spec, "annotations"), CONFIG_ANNOTATION));

        return path && path[0] ? path : NULL;
}

static int refuse(const char *place, const char *why, Error *err) {
        return error_set(err, ERROR_NOT_SUPPORTED, "config.json: %s: %s", place, why);
}

/* Their absence: the processes would see what is the host's; by path: CRIU has no way into an existing one. */
static int check_namespaces(const json_t *linux_part, Error *err) {
        const char *path = NULL;

        if (!linux_has_namespace(linux_part, "pid", NULL))
                return refuse("linux.namespaces", "without a pid namespace the processes could not have their numbers again", err);
        if (!linux_has_namespace(linux_part, "mount", NULL))
                return refuse("linux.namespaces", "a checkpoint needs a mount namespace", err);
        if (linux_has_namespace(linux_part, "user", NULL))
                return refuse("linux.namespaces", "CRIU cannot bring back the mounts of a user namespace", err);
        for (const char *const *type = (const char *const[]) { "mount", "cgroup", "time", NULL }; *type; type++)
                if (linux_has_namespace(linux_part, *type, &path) && path)
                        return refuse("linux.namespaces", "CRIU cannot join an existing mount, cgroup or time namespace", err);
        return 0;
}

static int check_mounts(const json_t *mounts, Error *err) {
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);

                if (mount_has_option(one, "idmap") || mount_has_option(one, "ridmap") ||
                    json_array_size(schema_field(one, "uidMappings")) > 0)
                        return refuse("mounts", "CRIU cannot bring back an idmapped mount", err);
        }
        return 0;
}

int checkpoint_check(const json_t *spec, Error *err) {
        const json_t *linux_part = schema_field(spec, "linux"), *process = schema_field(spec, "process");
        const struct {
                const json_t *value;
                const char *place, *why;
        } rows[] = {
                { schema_field(schema_field(linux_part, "seccomp"), "listenerPath"), "linux.seccomp.listenerPath",
                  "who listens there could not be given the restored processes" },
                { schema_field(linux_part, "memoryPolicy"), "linux.memoryPolicy", "CRIU does not bring it back" },
                { schema_field(process, "ioPriority"), "process.ioPriority", "CRIU does not bring it back" },
                { schema_field(process, "execCPUAffinity"), "process.execCPUAffinity", "CRIU does not bring it back" },
                { schema_field(linux_part, "netDevices"), "linux.netDevices", "devices of the host are in no checkpoint" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].value)
                        return refuse(rows[i].place, rows[i].why, err);
        return check_namespaces(linux_part, err) < 0 ? -1 : check_mounts(schema_field(spec, "mounts"), err);
}

/* ---- what is the host's ---- */

/* Those that the configuration names by path exist without the container. CRIU knows two kinds of them. */
static int add_namespaces(Criu *criu, const json_t *linux_part, pid_t init, Error *err) {
        static const struct {
                const char *type, *file;
        } rows[] = { { "network", "net" }, { "pid", "pid" } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *joined;
                struct stat st;
                char path[48];

                if (!linux_has_namespace(linux_part, rows[i].type, &joined) || !joined)
                        continue;
                (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int) init, rows[i].file);
                if (stat(path, &st) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "read '%s'", path);
                if (criu_add_external(criu, err, "%s[%lu]:%s", rows[i].file, (unsigned long) st.st_ino, rows[i].type) < 0)
                        return -1;
        }
        return 0;
}

/* Pipes of the caller: a restore puts its own in their places. */
static int save_descriptors(const Criu *criu, pid_t init, Error *err) {
        _cleanup_json_ json_t *list = json_array();

        for (int fd = 0; fd < 3; fd++) {
                char path[48], link[LINK_SIZE];
                ssize_t n;

                (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) init, fd);
                n = readlink(path, link, sizeof(link) - 1);
                link[n > 0 ? n : 0] = '\0';
                /* What is no text is no pipe */
                if (json_array_append_new(list, json_string(link) ?: json_string("?")) < 0)
                        return error_oom(err);
        }
        return json_save_at(criu->image_fd, DESCRIPTORS_FILE, list, 0600, 0, err);
}

/* One directory of v2; of v1 the one with the freezer. */
static const char *freezer_of(char *const *cgroups) {
        for (; cgroups && *cgroups; cgroups++) {
                for (const char *const *file = (const char *const[]) { "cgroup.freeze", "freezer.state", NULL }; *file; file++) {
                        char path[PATH_MAX];

                        if (snprintf(path, sizeof(path), "%s/%s", *cgroups, *file) < (int) sizeof(path) && access(path, F_OK) == 0)
                                return *cgroups;
                }
        }
        return NULL;
}

/* Of a service that tells its manager when it is ready: the socket is this program's, and nobody would listen to it after a restore. */
static int check_notify(const EngineContainer *container, Error *err) {
        _cleanup_free_ char *path = NULL;

        if (string_format(&path, err, "%s/" NOTIFY_DIR, container->runtime_dir) < 0)
                return -1;
        if (access(path, F_OK) < 0)
                return 0;
        return error_set(err, ERROR_NOT_SUPPORTED, "the container was created with $NOTIFY_SOCKET, which cannot be brought back");
}

int engine_checkpoint(const EngineContainer *container, const ProcessRef *init, char *const *cgroups, const CriuDump *request,
                      const char *program, Error *err) {
        const CriuStart start = { .program = program, .stdio = { -1, -1, -1 } };
        const CriuEvents events = { .status_fd = request->status_fd };
        _cleanup_criu_ Criu criu = CRIU_INIT;
        _cleanup_json_ json_t *spec = NULL;
        const json_t *linux_part;

        if (!process_is_alive(init))
                return error_set(err, ERROR_INVALID_STATE, "container not running");
        if (spec_load_bundle(container->config_dir, &spec, err) < 0 || checkpoint_check(spec, err) < 0 || check_notify(container, err) < 0)
                return -1;
        linux_part = schema_field(spec, "linux");
        if (criu_begin(&criu, &start, &request->criu, true, err) < 0 || criu_add_dump(&criu, request, init->pid, err) < 0 ||
            criu_add_config(&criu, annotation_config(spec), err) < 0 || criu_add_freezer(&criu, freezer_of(cgroups), err) < 0 ||
            add_namespaces(&criu, linux_part, init->pid, err) < 0)
                return -1;
        if (!request->pre_dump && (mounts_add_dump(&criu, spec, cgroups, init->pid, err) < 0 ||
                                   save_descriptors(&criu, init->pid, err) < 0))
                return -1;
        return criu_call(&criu, &events, NULL, err);
}
