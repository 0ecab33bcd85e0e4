/* Reading policy.json whole or not at all. */

#include "trust/policy.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "trust/requirement.h"

#define USER_POLICY ".config/containers/policy.json"

static void rule_clear(TrustRule *rule) {
        free(rule->transport);
        free(rule->scope);
        for (size_t i = 0; i < rule->n; i++)
                requirement_clear(&rule->requirements[i]);
        free(rule->requirements);
        free(rule->text);
}

TrustPolicy *policy_free(TrustPolicy *policy) {
        if (!policy)
                return NULL;
        for (size_t i = 0; i < policy->n; i++)
                rule_clear(&policy->rules[i]);
        free(policy->rules);
        free(policy->path);
        free(policy);
        return NULL;
}

static int read_requirements(const json_t *json, const char *where, TrustRule *rule, Error *err) {
        json_t *entry;
        size_t i;

        if (!json_is_array(json))
                return error_set(err, ERROR_INVALID_CONFIG, "%s: not an array", where);
        if (json_array_size(json) == 0)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: no requirement", where);
        rule->requirements = calloc(json_array_size(json), sizeof(*rule->requirements));
        if (!rule->requirements)
                return error_oom(err);
        json_array_foreach(json, i, entry) {
                _cleanup_free_ char *place = NULL;

                if (string_format(&place, err, "%s[%zu]", where, i) < 0 ||
                    requirement_parse(entry, place, &rule->requirements[i], err) < 0)
                        return -1;
                rule->n++;
        }
        return json_print(json, &rule->text, err);
}

/* @policy has room for it. */
static int add_rule(TrustPolicy *policy, const char *transport, const char *scope, const json_t *json, const char *where, Error *err) {
        TrustRule *rule = &policy->rules[policy->n++];

        if (string_copy(transport, &rule->transport, err) < 0 || string_copy(scope, &rule->scope, err) < 0)
                return -1;
        return read_requirements(json, where, rule, err);
}

static int read_transport(TrustPolicy *policy, const char *transport, const json_t *scopes, const char *what, Error *err) {
        const char *scope;
        json_t *list;

        json_object_foreach((json_t *) scopes, scope, list) {
                _cleanup_free_ char *where = NULL;

                if (string_format(&where, err, "%s: transports.%s.\"%s\"", what, transport, scope) < 0 ||
                    scope_check(transport, scope, where, err) < 0 || add_rule(policy, transport, scope, list, where, err) < 0)
                        return -1;
        }
        return 0;
}

static int make_room(TrustPolicy *policy, const json_t *transports, const char *what, Error *err) {
        const char *transport;
        json_t *scopes;
        size_t n = 1;

        json_object_foreach((json_t *) transports, transport, scopes) {
                if (!json_is_object(scopes))
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: transports.%s: not an object", what, transport);
                n += json_object_size(scopes);
        }
        policy->rules = calloc(n, sizeof(*policy->rules));
        return policy->rules ? 0 : error_oom(err);
}

int policy_parse(const char *text, size_t len, const char *what, TrustPolicy **ret, Error *err) {
        static const char *const keys[] = { "default", "transports", NULL };
        const JsonPlace place = { what, ERROR_INVALID_CONFIG };
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *where = NULL;
        json_t *transports = NULL, *scopes, *standard;
        const char *transport;

        if (len > POLICY_SIZE_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: %zu bytes, at most %u are accepted", what, len, POLICY_SIZE_MAX);
        policy = calloc(1, sizeof(*policy));
        if (!policy)
                return error_oom(err);
        if (json_parse(text, len, what, &json, err) < 0 || json_need_root(json, place, err) < 0 ||
            json_check_keys(json, keys, what, err) < 0 || json_need_array(json, "default", place, &standard, err) < 0 ||
            json_opt_object(json, "transports", place, &transports, err) < 0 || string_copy(what, &policy->path, err) < 0 ||
            make_room(policy, transports, what, err) < 0 || string_format(&where, err, "%s: default", what) < 0 ||
            add_rule(policy, NULL, "", standard, where, err) < 0)
                return -1;
        json_object_foreach(transports, transport, scopes)
                if (read_transport(policy, transport, scopes, what, err) < 0)
                        return -1;
        *ret = TAKE(policy);
        return 0;
}

int policy_read(const char *path, char **ret, size_t *ret_len, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "signature policy '%s'", path);
        return file_read_fd(fd, path, POLICY_SIZE_MAX, ret, ret_len, err) < 0 ? error_prefix(err, "signature policy") : 0;
}

int policy_load(const char *path, TrustPolicy **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (policy_read(path, &text, &len, err) < 0)
                return -1;
        return policy_parse(text, len, path, ret, err) < 0 ? error_prefix(err, "signature policy") : 0;
}

static int take_if_there(char **path, char **ret, Error *err) {
        if (access(*path, F_OK) == 0) {
                *ret = TAKE(*path);
                return 0;
        }
        /* One that cannot be looked at is no reason to take a laxer one. */
        return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_FILE, errno, "signature policy '%s'", *path);
}

int policy_path(const char *option, char **ret, Error *err) {
        _cleanup_free_ char *user = NULL, *standard = NULL;
        const char *home = getenv("HOME");
        char *found = NULL;

        if (option)
                return path_absolute(option, ret, err);
        if (home && home[0] &&
            (string_format(&user, err, "%s/%s", home, USER_POLICY) < 0 || take_if_there(&user, &found, err) < 0))
                return -1;
        if (!found && (string_copy(POLICY_SYSTEM, &standard, err) < 0 || take_if_there(&standard, &found, err) < 0))
                return -1;
        *ret = found;
        return 0;
}

bool rule_is_plain(const TrustRule *rule) {
        for (size_t i = 0; i < rule->n; i++)
                if (rule->requirements[i].kind != REQUIREMENT_ACCEPT && rule->requirements[i].kind != REQUIREMENT_REJECT)
                        return false;
        return true;
}

int rule_name(const TrustRule *rule, char **ret, Error *err) {
        return rule->transport ? string_format(ret, err, "%s%s%s", rule->transport, rule->scope[0] ? " " : "", rule->scope) :
                                 string_copy("default", ret, err);
}
