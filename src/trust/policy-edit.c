/* Changing one scope of policy.json: read, changed, read again as strictly as ever, and replaced whole. */

#include "trust/policy-edit.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "trust/policy.h"

static int add_plain(json_t *list, RequirementKind kind, Error *err) {
        json_t *requirement = json_pack("{s:s}", "type", requirement_name(kind));

        return requirement && json_array_append_new(list, requirement) == 0 ? 0 : error_oom(err);
}

static int add_key(json_t *list, RequirementKind kind, const char *file, Error *err) {
        _cleanup_free_ char *path = NULL;
        json_t *requirement;

        if (path_absolute(file, &path, err) < 0)
                return -1;
        if (access(path, R_OK) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "key '%s'", path);
        requirement = json_pack("{s:s, s:s*, s:s}", "type", requirement_name(kind), "keyType",
                                kind == REQUIREMENT_SIGNED_BY ? "GPGKeys" : NULL, "keyPath", path);
        return requirement && json_array_append_new(list, requirement) == 0 ? 0 : error_oom(err);
}

static int make_requirements(const PolicyEdit *edit, json_t **ret, Error *err) {
        const bool keys = edit->kind == REQUIREMENT_SIGNED_BY || edit->kind == REQUIREMENT_SIGSTORE;
        _cleanup_json_ json_t *list = json_array();

        if (!list)
                return error_oom(err);
        if (keys != (strv_length(edit->key_files) > 0))
                return error_set(err, ERROR_INVALID_ARGUMENT, keys ? "type '%s' needs a public key" : "type '%s' takes no public key",
                                 requirement_name(edit->kind));
        if (!keys && add_plain(list, edit->kind, err) < 0)
                return -1;
        for (char **file = edit->key_files; keys && *file; file++)
                if (add_key(list, edit->kind, *file, err) < 0)
                        return -1;
        *ret = TAKE(list);
        return 0;
}

/* The transport that has the scope already, else docker. */
static json_t *find_scopes(json_t *policy, const char *scope) {
        json_t *transports = json_object_get(policy, "transports"), *scopes;
        const char *transport;

        if (!transports && json_object_set_new(policy, "transports", transports = json_object()) < 0)
                return NULL;
        json_object_foreach(transports, transport, scopes)
                if (json_object_get(scopes, scope))
                        return scopes;
        scopes = json_object_get(transports, "docker");
        if (!scopes && json_object_set_new(transports, "docker", scopes = json_object()) < 0)
                return NULL;
        return scopes;
}

static int set_scope(json_t *policy, const PolicyEdit *edit, json_t *requirements, Error *err) {
        json_t *scopes;

        if (!strcmp(edit->scope, "default"))
                return json_object_set(policy, "default", requirements) == 0 ? 0 : error_oom(err);
        if (!json_object_get(policy, "default")) {
                error_set(err, ERROR_INVALID_CONFIG, "there is no policy yet: it needs a default first");
                return error_hint(err, "image trust set --type accept default");
        }
        scopes = find_scopes(policy, edit->scope);
        return scopes && json_object_set(scopes, edit->scope, requirements) == 0 ? 0 : error_oom(err);
}

/* A file that is not there is an empty policy. What is changed is what was found to be right: it is read once. */
static int load(const char *path, json_t **ret, Error *err) {
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        _cleanup_free_ char *text = NULL;
        Error cause = ERROR_INIT;
        size_t len;

        if (policy_read(path, &text, &len, &cause) < 0) {
                if (cause.errnum == ENOENT) {
                        *ret = json_object();
                        return *ret ? 0 : error_oom(err);
                }
                if (err)
                        *err = cause;
                return -1;
        }
        return policy_parse(text, len, path, &policy, err) < 0 ? error_prefix(err, "signature policy") :
               json_parse(text, len, path, ret, err);
}

static int save(const char *path, const json_t *json, Error *err) {
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        _cleanup_free_ char *text = NULL, *directory = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        const char *name = strrchr(path, '/') + 1;

        text = json_dumps(json, JSON_INDENT(4));
        if (!text)
                return error_oom(err);
        if (policy_parse(text, strlen(text), path, &policy, err) < 0 ||
            string_format(&directory, err, "%.*s", (int) (name - path), path) < 0 ||
            dir_make_at(AT_FDCWD, directory, 0755, &dir_fd, err) < 0)
                return -1;
        return file_write_atomic_at(dir_fd, name, text, strlen(text), 0644, WRITE_DURABLE, err);
}

int policy_edit(const char *path, const PolicyEdit *edit, Error *err) {
        _cleanup_json_ json_t *policy = NULL, *requirements = NULL;
        _cleanup_free_ char *real = NULL;

        if (!edit->scope[0])
                return error_set(err, ERROR_INVALID_ARGUMENT, "the scope is empty");
        if (make_requirements(edit, &requirements, err) < 0 || load(path, &policy, err) < 0 ||
            set_scope(policy, edit, requirements, err) < 0)
                return -1;
        /* A link stays one. */
        real = realpath(path, NULL);
        return save(real ?: path, policy, err);
}
