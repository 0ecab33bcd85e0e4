/* What an exec runs: as with runc, the container's own process, changed by the options. */

#include <fcntl.h>
#include <string.h>

#include "backends/native/native.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

/* A process object is checked as part of a configuration. */
static int check(const json_t *spec, json_t *process, Error *err) {
        _cleanup_json_ json_t *whole = json_copy((json_t *) spec);

        if (!whole || json_object_set(whole, "process", process) < 0)
                return error_oom(err);
        return spec_check(whole, err);
}

static json_t *strings(char *const *list) {
        json_t *array = json_array();

        for (; array && list && *list; list++)
                if (json_array_append_new(array, json_string(*list)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

static int add_environment(json_t *process, char *const *env, Error *err) {
        json_t *array = json_object_get(process, "env");

        if (!env || !*env)
                return 0;
        if (!json_is_array(array)) {
                array = json_array();
                if (json_object_set_new(process, "env", array) < 0)
                        return error_oom(err);
        }
        for (; *env; env++) {
                size_t len = strcspn(*env, "=") + 1, i = 0;

                /* A later value of a name wins; which one programs take of two is nobody's to know. */
                while (i < json_array_size(array))
                        if (!strncmp(json_string_value(json_array_get(array, i)), *env, len))
                                (void) json_array_remove(array, i);
                        else
                                i++;
                if (json_array_append_new(array, json_string(*env)) < 0)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--env '%.64s': not UTF-8", *env);
        }
        return 0;
}

static int set_user(json_t *process, const char *user, Error *err) {
        json_t *object = json_object();
        unsigned long uid, gid = 0;
        char *end;

        if (!object || json_object_set_new(process, "user", object) < 0)
                return error_oom(err);
        uid = strtoul(user, &end, 10);
        if (end != user && *end == ':') {
                const char *text = end + 1;

                gid = strtoul(text, &end, 10);
                if (end == text)
                        end = (char *) user;
        }
        if (end == user || *end || uid > UINT32_MAX || gid > UINT32_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--user '%s': not UID[:GID] in numbers", user);
        if (json_object_set_new(object, "uid", json_integer((json_int_t) uid)) < 0 ||
            json_object_set_new(object, "gid", json_integer((json_int_t) gid)) < 0)
                return error_oom(err);
        return 0;
}

/* Into the bounding, effective and permitted sets, as runc does. */
static int add_capabilities(json_t *process, char *const *caps, Error *err) {
        json_t *object = json_object_get(process, "capabilities");

        if (!caps || !*caps)
                return 0;
        if (!object) {
                object = json_object();
                if (json_object_set_new(process, "capabilities", object) < 0)
                        return error_oom(err);
        }
        for (const char *const *set = (const char *const[]) { "bounding", "effective", "permitted", NULL }; *set; set++) {
                json_t *array = json_object_get(object, *set);

                if (!array) {
                        array = json_array();
                        if (json_object_set_new(object, *set, array) < 0)
                                return error_oom(err);
                }
                for (char *const *one = caps; *one; one++)
                        if (json_array_append_new(array, json_string(*one)) < 0)
                                return error_oom(err);
        }
        return 0;
}

static int set_groups(json_t *process, char *const *groups, Error *err) {
        json_t *user = json_object_get(process, "user"), *array = json_array();

        if (!user) {
                user = json_object();
                if (json_object_set_new(process, "user", user) < 0)
                        return error_oom(err);
        }
        if (json_object_set_new(user, "additionalGids", array) < 0)
                return error_oom(err);
        for (; *groups; groups++) {
                char *end;
                unsigned long gid = strtoul(*groups, &end, 10);

                if (end == *groups || *end || gid > UINT32_MAX)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--additional-gids '%s': not a number", *groups);
                if (json_array_append_new(array, json_integer((json_int_t) gid)) < 0)
                        return error_oom(err);
        }
        return 0;
}

static int from_options(const json_t *spec, const BackendExec *request, json_t **ret, Error *err) {
        _cleanup_json_ json_t *process = json_deep_copy(json_object_get(spec, "process"));
        const struct {
                const char *key, *value;
        } texts[] = {
                { "cwd", request->cwd },
                { "apparmorProfile", request->apparmor },
                { "selinuxLabel", request->process_label },
        };
        json_t *args = strings(request->args);

        /* Of a container that was created without one. */
        if (!json_object_get(spec, "process"))
                process = json_pack("{s:s}", "cwd", "/");
        if (!process || !args || json_object_set_new(process, "args", args) < 0 ||
            json_object_set_new(process, "terminal", json_boolean(request->tty)) < 0)
                return error_oom(err);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (texts[i].value && json_object_set_new(process, texts[i].key, json_string(texts[i].value)) < 0)
                        return error_oom(err);
        if (request->no_new_privs && json_object_set_new(process, "noNewPrivileges", json_true()) < 0)
                return error_oom(err);
        if (add_environment(process, request->env, err) < 0 || add_capabilities(process, request->caps, err) < 0 ||
            (request->user && set_user(process, request->user, err) < 0) ||
            (request->additional_gids && request->additional_gids[0] && set_groups(process, request->additional_gids, err) < 0))
                return -1;
        *ret = TAKE(process);
        return 0;
}

int exec_process(const char *config_dir, const BackendExec *request, json_t **ret_spec, json_t **ret_process, Error *err) {
        _cleanup_json_ json_t *spec = NULL, *process = NULL;

        if (spec_load_bundle(config_dir, &spec, err) < 0)
                return -1;
        if (request->process)
                process = json_incref((json_t *) request->process);
        else if (request->process_file) {
                if (json_load_at(AT_FDCWD, request->process_file, RUNTIME_SPEC_SIZE_MAX, &process, err) < 0)
                        return error_prefix(err, "--process '%s'", request->process_file);
                if (request->tty && json_object_set_new(process, "terminal", json_true()) < 0)
                        return error_oom(err);
        } else if (from_options(spec, request, &process, err) < 0)
                return -1;
        if (check(spec, process, err) < 0)
                return -1;
        *ret_spec = TAKE(spec);
        *ret_process = TAKE(process);
        return 0;
}
