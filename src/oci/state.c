/* State files: what commands find of a container that another one made. */

#include "oci/state.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"

#define SCOPE_SUFFIX ".scope"
#define CGROUPS_MAX 64 /* directories: a dozen v1 controllers and v2 */

static const char *const status_names[] = {
        [STATUS_CREATING] = "creating",
        [STATUS_CREATED]  = "created",
        [STATUS_RUNNING]  = "running",
        [STATUS_PAUSED]   = "paused",
        [STATUS_STOPPED]  = "stopped",
};

/* The text fields of the file. */
static const struct {
        const char *key;
        size_t offset;
        bool needed;
} text_fields[] = {
        { "id",         offsetof(State, id),          true  },
        { "runtime",    offsetof(State, runtime),     true  },
        { "bundle",     offsetof(State, bundle),      true  },
        { "rootfs",     offsetof(State, rootfs),      true  },
        { "ociVersion", offsetof(State, oci_version), true  },
        { "created",    offsetof(State, created),     true  },
        { "owner",      offsetof(State, owner),       false },
        { "image",      offsetof(State, image),       false },
        { "store",      offsetof(State, store),       false },
        { "exited",     offsetof(State, exited),      false },
};

static char **text_field(const State *state, size_t i) {
        return (char **) ((char *) state + text_fields[i].offset);
}

const char *status_name(ContainerStatus status) {
        return status_names[status];
}

int status_parse(const char *text, ContainerStatus *ret, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(status_names); i++)
                if (!strcmp(text, status_names[i])) {
                        *ret = (ContainerStatus) i;
                        return 0;
                }
        return error_set(err, ERROR_INVALID_STATE, "'%s' is not a container status", text);
}

State *state_free(State *state) {
        if (!state)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
                free(*text_field(state, i));
        json_decref(state->annotations);
        strv_free(state->cgroups);
        free(state);
        return NULL;
}

static int parse_process(const json_t *json, const char *key, JsonPlace place, ProcessRef *ret, Error *err) {
        json_t *object = NULL;
        int64_t pid = 0, start = 0;

        if (json_opt_object(json, key, place, &object, err) < 0)
                return -1;
        if (!object)
                return 0;
        if (json_need_integer(object, "pid", place, 0, INT32_MAX, &pid, err) < 0 ||
            json_need_integer(object, "startTime", place, 0, INT64_MAX, &start, err) < 0)
                return error_prefix(err, "'%s'", key);
        *ret = (ProcessRef) { .pid = (pid_t) pid, .start_time = (uint64_t) start };
        return 0;
}

static int parse_annotations(const json_t *json, JsonPlace place, json_t **ret, Error *err) {
        json_t *annotations = NULL, *value;
        const char *name;

        if (json_opt_object(json, "annotations", place, &annotations, err) < 0)
                return -1;
        json_object_foreach(annotations, name, value)
                if (!json_is_string(value))
                        return error_set(err, place.kind, "%s: annotation '%s' is not a string", place.where, name);
        *ret = json_incref(annotations);
        return 0;
}

static int parse_cgroups(const json_t *json, JsonPlace place, char ***ret, Error *err) {
        _cleanup_strv_ char **cgroups = NULL;
        json_t *array = NULL;
        size_t n;

        if (json_opt_array(json, "cgroups", place, &array, err) < 0)
                return -1;
        n = json_array_size(array);
        if (n > CGROUPS_MAX)
                return error_set(err, place.kind, "%s: 'cgroups' has %zu entries, at most %d are accepted", place.where, n, CGROUPS_MAX);
        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(array, i));

                if (!text || text[0] != '/')
                        return error_set(err, place.kind, "%s: 'cgroups[%zu]' is not an absolute path", place.where, i);
                if (strv_push(&cgroups, text, err) < 0)
                        return -1;
        }
        *ret = TAKE(cgroups);
        return 0;
}

static int parse_text(const json_t *json, size_t i, JsonPlace place, char **ret, Error *err) {
        if (text_fields[i].needed)
                return json_need_string_copy(json, text_fields[i].key, place, ret, err);
        return json_opt_string_copy(json, text_fields[i].key, place, ret, err);
}

static int state_parse(const json_t *json, State **ret, Error *err) {
        _cleanup_(state_freep) State *state = calloc(1, sizeof(*state));
        JsonPlace place = { STATE_FILE, ERROR_INVALID_STATE };
        const char *status = NULL, *boot_id = NULL;
        int64_t namespace = 0, exit_code = -1;

        if (!state)
                return error_oom(err);
        if (json_need_root(json, place, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
                if (parse_text(json, i, place, text_field(state, i), err) < 0)
                        return -1;
        if (json_need_string(json, "status", place, &status, err) < 0 || status_parse(status, &state->status, err) < 0 ||
            json_need_string(json, "bootId", place, &boot_id, err) < 0 ||
            parse_process(json, "init", place, &state->init, err) < 0 ||
            parse_process(json, "monitor", place, &state->monitor, err) < 0 ||
            parse_process(json, "waiter", place, &state->waiter, err) < 0 ||
            json_opt_bool(json, "remove", place, &state->remove, err) < 0 ||
            json_opt_integer(json, "mountNamespace", place, 0, INT64_MAX, &namespace, err) < 0 ||
            json_opt_bool(json, "systemdCgroup", place, &state->systemd_cgroup, err) < 0 ||
            json_opt_integer(json, "exitCode", place, -1, 255, &exit_code, err) < 0 ||
            parse_annotations(json, place, &state->annotations, err) < 0 ||
            parse_cgroups(json, place, &state->cgroups, err) < 0)
                return -1;

        if (id_check(state->id, NULL) < 0)
                return error_set(err, ERROR_INVALID_STATE, "%s: 'id' is not a container id", STATE_FILE);
        if (strlen(boot_id) >= sizeof(state->boot_id))
                return error_set(err, ERROR_INVALID_STATE, "%s: 'bootId' is longer than %zu bytes", STATE_FILE,
                                 sizeof(state->boot_id) - 1);
        strcpy(state->boot_id, boot_id);
        state->mount_namespace = (uint64_t) namespace;
        state->exit_code = (int) exit_code;
        *ret = TAKE(state);
        return 0;
}

int state_load_as(int dir_fd, const char *name, State **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;

        if (json_load_at(dir_fd, name, STATE_SIZE_MAX, &json, err) < 0)
                return -1;
        return state_parse(json, ret, err);
}

int state_load(int dir_fd, State **ret, Error *err) {
        return state_load_as(dir_fd, STATE_FILE, ret, err);
}

static json_t *process_json(const ProcessRef *process) {
        if (!process->pid)
                return json_null();
        return json_pack("{s:i, s:I}", "pid", (int) process->pid, "startTime", (json_int_t) process->start_time);
}

static json_t *strings_json(char *const *strings) {
        json_t *array = json_array();

        for (size_t i = 0; array && strings && strings[i]; i++)
                if (json_array_append_new(array, json_string(strings[i])) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

/* JSON is UTF-8, but a path may be any bytes. */
static int check_texts(const State *state, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++) {
                const char *text = *text_field(state, i);
                _cleanup_json_ json_t *any = text ? json_string_nocheck(text) : NULL, *checked = text ? json_string(text) : NULL;

                if (any && !checked)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "%s: '%s' is not UTF-8 text", STATE_FILE, text_fields[i].key);
        }
        return 0;
}

int state_save(int dir_fd, const State *state, Error *err) {
        _cleanup_json_ json_t *json = json_object();
        bool failed = !json;

        if (check_texts(state, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
                if (*text_field(state, i))
                        failed |= json_object_set_new(json, text_fields[i].key, json_string(*text_field(state, i))) < 0;
        failed |= json_object_set_new(json, "status", json_string(status_name(state->status))) < 0;
        failed |= json_object_set_new(json, "init", process_json(&state->init)) < 0;
        failed |= json_object_set_new(json, "monitor", process_json(&state->monitor)) < 0;
        failed |= json_object_set_new(json, "waiter", process_json(&state->waiter)) < 0;
        failed |= json_object_set_new(json, "remove", json_boolean(state->remove)) < 0;
        failed |= json_object_set_new(json, "bootId", json_string(state->boot_id)) < 0;
        failed |= json_object_set_new(json, "mountNamespace", json_integer((json_int_t) state->mount_namespace)) < 0;
        failed |= json_object_set_new(json, "systemdCgroup", json_boolean(state->systemd_cgroup)) < 0;
        failed |= json_object_set_new(json, "exitCode", json_integer(state->exit_code)) < 0;
        if (state->annotations)
                failed |= json_object_set(json, "annotations", state->annotations) < 0;
        failed |= json_object_set_new(json, "cgroups", strings_json(state->cgroups)) < 0;
        if (failed)
                return error_oom(err);
        return json_save_at(dir_fd, STATE_FILE, json, 0600, 0, err);
}

/* The name of the scope that systemd made, as a path in its cgroups has it; length 0: none. */
static const char *systemd_scope(const State *state, int *ret_len) {
        const char *name = state->systemd_cgroup && state->cgroups && state->cgroups[0] ? state->cgroups[0] : "";

        for (const char *end = name; *name; name = end + (*end == '/')) {
                end = strchrnul(name, '/');
                *ret_len = (int) (end - name);
                if (end - name > (ssize_t) strlen(SCOPE_SUFFIX) && !strncmp(end - strlen(SCOPE_SUFFIX), SCOPE_SUFFIX, strlen(SCOPE_SUFFIX)))
                        return name;
        }
        *ret_len = 0;
        return name;
}

int state_oci_json(const State *state, ContainerStatus status, json_t **ret, Error *err) {
        /* A stopped container has no process: runc prints 0. */
        int pid = status == STATUS_STOPPED ? 0 : (int) state->init.pid;
        int scope_len;
        const char *scope = systemd_scope(state, &scope_len);
        _cleanup_json_ json_t *json = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "ociVersion", state->oci_version, "id", state->id,
                                                "pid", pid,
                                                "status", status_name(status), "bundle", state->bundle, "rootfs", state->rootfs, "created",
                                                state->created);

        if (!json)
                return error_oom(err);
        if (scope_len > 0 && json_object_set_new(json, "systemd-scope", json_stringn(scope, (size_t) scope_len)) < 0)
                return error_oom(err);
        if (json_object_size(state->annotations) > 0 && json_object_set(json, "annotations", state->annotations) < 0)
                return error_oom(err);
        if (json_object_set_new(json, "owner", json_string(state->owner ?: "")) < 0)
                return error_oom(err);
        *ret = TAKE(json);
        return 0;
}

int id_check(const char *id, Error *err) {
        static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
        size_t len = strlen(id);

        if (len == 0)
                error_set(err, ERROR_INVALID_ARGUMENT, "an empty text is not a container id");
        else if (len > ID_MAX)
                error_set(err, ERROR_INVALID_ARGUMENT, "container id of %zu bytes, at most %d are accepted", len, ID_MAX);
        else if (id[0] == '.' || strspn(id, legal) != len)
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not a container id", id);
        else
                return 0;
        return error_hint(err, "use letters, digits, '_', '+', '-', and '.' anywhere but at the start");
}
