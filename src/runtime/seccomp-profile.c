/* Parsing linux.seccomp. spec_check() knows the shape; here is what the values mean together. */

#include "runtime/seccomp-profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define ERRNO_MAX 4095u /* the kernel's MAX_ERRNO: it answers this in place of anything higher */
#define PLACE_MAX 96    /* bytes of "linux.seccomp.syscalls[123456].args[123456]" */

typedef struct Action {
        const char *name;
        SeccompReturn value;
        uint32_t data_max; /* what errnoRet may be; 0: the action has none */
} Action;

static const Action actions[] = {
        { "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
        { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
        { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
        { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
        { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, ERRNO_MAX },
        { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, SECCOMP_RET_DATA },
        { "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
        { "SCMP_ACT_LOG", SECCOMP_RET_LOG },
        { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
};

/* In the order of libseccomp's enum, which begins with 1. */
static const char *const operators[] = {
        NULL, "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
};

static const struct {
        const char *name;
        unsigned flag;
} flag_names[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
        { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

/* @action_key and @errno_key of @object. Without a number ERRNO and TRACE return EPERM, as with runc and crun. */
static int action_parse(const json_t *object, const char *action_key, const char *errno_key, JsonPlace place, SeccompReturn *ret,
                        Error *err) {
        int64_t data = -1;
        const char *name;

        if (json_need_string(object, action_key, place, &name, err) < 0 ||
            json_opt_integer(object, errno_key, place, 0, UINT32_MAX, &data, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                const Action *action = &actions[i];

                if (strcmp(action->name, name) != 0)
                        continue;
                if (data >= 0 && action->data_max == 0)
                        return error_set(err, place.kind, "%s.%s: %s has no number to return", place.where, errno_key, name);
                if (data > (int64_t) action->data_max)
                        return error_set(err, place.kind, "%s.%s: %lld is more than %s can return, which is %u", place.where, errno_key,
                                         (long long) data, name, action->data_max);
                *ret = action->value | (action->data_max == 0 ? 0 : data >= 0 ? (uint32_t) data : EPERM);
                return 0;
        }
        return error_set(err, place.kind, "%s.%s: '%s' is no action", place.where, action_key, name);
}

/* spec_load() leaves integers of 2^63 and more as reals that are exact, or 2^64 for 2^64 - 1. */
static int number_parse(const json_t *object, const char *key, bool needed, JsonPlace place, uint64_t *ret, Error *err) {
        const json_t *value = json_object_get(object, key);
        int64_t number = 0;

        if (json_is_real(value) && json_real_value(value) >= 0x1p63 && json_real_value(value) <= 0x1p64) {
                *ret = json_real_value(value) < 0x1p64 ? (uint64_t) json_real_value(value) : UINT64_MAX;
                return 0;
        }
        if ((needed ? json_need_integer : json_opt_integer)(object, key, place, 0, INT64_MAX, &number, err) < 0)
                return -1;
        *ret = (uint64_t) number;
        return 0;
}

static int condition_parse(const json_t *object, JsonPlace place, SeccompCondition *ret, Error *err) {
        const char *operator;
        int64_t index;

        if (json_need_root(object, place, err) < 0 ||
            json_need_integer(object, "index", place, 0, SECCOMP_ARGUMENTS - 1, &index, err) < 0 ||
            json_need_string(object, "op", place, &operator, err) < 0 ||
            number_parse(object, "value", true, place, &ret->value, err) < 0 ||
            number_parse(object, "valueTwo", false, place, &ret->value_two, err) < 0)
                return -1;
        ret->index = (uint32_t) index;
        for (uint32_t i = 1; i < ARRAY_SIZE(operators); i++)
                if (!strcmp(operators[i], operator)) {
                        ret->operator= i;
                        return 0;
                }
        return error_set(err, place.kind, "%s.op: '%s' is no operator", place.where, operator);
}

static int names_check(const json_t *names, JsonPlace place, Error *err) {
        for (size_t i = 0; i < json_array_size(names); i++) {
                const json_t *name = json_array_get(names, i);

                if (!json_is_string(name) || json_string_length(name) == 0)
                        return error_set(err, place.kind, "%s.names[%zu]: not the name of a system call", place.where, i);
        }
        return 0;
}

static int rule_parse(const json_t *object, JsonPlace place, SeccompRule *ret, Error *err) {
        json_t *names, *args = NULL;

        if (json_need_root(object, place, err) < 0 || json_need_array(object, "names", place, &names, err) < 0 ||
            names_check(names, place, err) < 0 || json_opt_array(object, "args", place, &args, err) < 0 ||
            action_parse(object, "action", "errnoRet", place, &ret->action, err) < 0)
                return -1;
        ret->names = names;
        if (json_array_size(args) == 0)
                return 0;
        if (json_array_size(args) > SECCOMP_CONDITION_MAX)
                return error_set(err, place.kind, "%s.args: more than %u", place.where, SECCOMP_CONDITION_MAX);
        ret->conditions = calloc(json_array_size(args), sizeof(*ret->conditions));
        if (!ret->conditions)
                return error_oom(err);
        for (size_t i = 0; i < json_array_size(args); i++) {
                char where[PLACE_MAX];

                snprintf(where, sizeof(where), "%.60s.args[%zu]", place.where, i);
                if (condition_parse(json_array_get(args, i), (JsonPlace) { where, place.kind }, &ret->conditions[i], err) < 0)
                        return -1;
                ret->n_conditions++;
        }
        return 0;
}

static int rules_parse(const json_t *syscalls, JsonPlace place, SeccompProfile *profile, Error *err) {
        size_t n_architectures = json_array_size(profile->architectures) ?: 1, n_names = 0, n_conditions = 0;

        if (json_array_size(syscalls) == 0)
                return 0;
        profile->rules = calloc(json_array_size(syscalls), sizeof(*profile->rules));
        if (!profile->rules)
                return error_oom(err);
        for (size_t i = 0; i < json_array_size(syscalls); i++) {
                SeccompRule *rule = &profile->rules[i];
                char where[PLACE_MAX];

                snprintf(where, sizeof(where), "%s.syscalls[%zu]", place.where, i);
                profile->n_rules++;
                if (rule_parse(json_array_get(syscalls, i), (JsonPlace) { where, place.kind }, rule, err) < 0)
                        return -1;
                n_names += json_array_size(rule->names);
                n_conditions += json_array_size(rule->names) * rule->n_conditions * n_architectures;
                if (n_names > SECCOMP_NAMES_MAX || n_conditions > SECCOMP_CONDITION_MAX)
                        return error_set(err, place.kind,
                                         "%s: together the rules up to here have more than %u names, or %u conditions on all architectures",
                                         where, SECCOMP_NAMES_MAX, SECCOMP_CONDITION_MAX);
        }
        return 0;
}

static int flags_parse(const json_t *flags, JsonPlace place, unsigned *ret, Error *err) {
        for (size_t i = 0; i < json_array_size(flags); i++) {
                const char *name = json_string_value(json_array_get(flags, i));
                size_t row = 0;

                while (row < ARRAY_SIZE(flag_names) && (!name || strcmp(flag_names[row].name, name) != 0))
                        row++;
                if (row == ARRAY_SIZE(flag_names))
                        return error_set(err, place.kind, "%s.flags[%zu]: '%s' is no flag", place.where, i, name ?: "");
                *ret |= flag_names[row].flag;
        }
        return 0;
}

static bool notifies(const SeccompProfile *profile) {
        if (profile->default_action == SECCOMP_RET_USER_NOTIF)
                return true;
        for (size_t i = 0; i < profile->n_rules; i++)
                if (profile->rules[i].action == SECCOMP_RET_USER_NOTIF)
                        return true;
        return false;
}

static int listener_parse(const json_t *seccomp, JsonPlace place, SeccompProfile *profile, Error *err) {
        const char *path = NULL, *metadata = NULL;

        if (json_opt_string(seccomp, "listenerPath", place, &path, err) < 0 ||
            json_opt_string(seccomp, "listenerMetadata", place, &metadata, err) < 0)
                return -1;
        if (!notifies(profile)) {
                /* The kernel takes the flag with a listener only. */
                if (profile->flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
                        return error_set(err, place.kind, "%s.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV without a SCMP_ACT_NOTIFY",
                                         place.where);
                return 0;
        }
        if (!path || !path[0])
                return error_set(err, place.kind, "%s.listenerPath: missing, and needed by SCMP_ACT_NOTIFY", place.where);
        profile->listener_path = path;
        profile->listener_metadata = metadata;
        profile->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        /* Together the two need another way for the kernel to name a thread that it could not reach. */
        if (profile->flags & SECCOMP_FILTER_FLAG_TSYNC)
                profile->flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
        return 0;
}

int seccomp_profile_parse(const json_t *seccomp, SeccompProfile *ret, Error *err) {
        const JsonPlace place = { .where = "linux.seccomp", .kind = ERROR_INVALID_SPEC };
        _cleanup_seccomp_profile_ SeccompProfile profile = { 0 };
        json_t *architectures = NULL, *flags = NULL, *syscalls = NULL;

        if (json_need_root(seccomp, place, err) < 0 ||
            action_parse(seccomp, "defaultAction", "defaultErrnoRet", place, &profile.default_action, err) < 0 ||
            json_opt_array(seccomp, "architectures", place, &architectures, err) < 0 ||
            json_opt_array(seccomp, "flags", place, &flags, err) < 0 || json_opt_array(seccomp, "syscalls", place, &syscalls, err) < 0)
                return -1;
        profile.architectures = architectures;
        if (rules_parse(syscalls, place, &profile, err) < 0)
                return -1;
        if (!flags)
                profile.flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        else if (flags_parse(flags, place, &profile.flags, err) < 0)
                return -1;
        if (listener_parse(seccomp, place, &profile, err) < 0)
                return -1;
        *ret = profile;
        profile = (SeccompProfile) { 0 };
        return 0;
}

void seccomp_profile_free(SeccompProfile *profile) {
        for (size_t i = 0; i < profile->n_rules; i++)
                free(profile->rules[i].conditions);
        free(profile->rules);
        *profile = (SeccompProfile) { 0 };
}

static int key_number(Buf *key, uint32_t number, Error *err) {
        return buf_append(key, &number, sizeof(number), err);
}

static int key_strings(Buf *key, const json_t *strings, Error *err) {
        if (key_number(key, (uint32_t) json_array_size(strings), err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(strings); i++) {
                const json_t *string = json_array_get(strings, i);
                size_t len = json_string_length(string);

                if (key_number(key, (uint32_t) len, err) < 0 || buf_append(key, json_string_value(string), len, err) < 0)
                        return -1;
        }
        return 0;
}

int seccomp_profile_key(const SeccompProfile *profile, Buf *key, Error *err) {
        if (key_number(key, profile->default_action, err) < 0 || key_strings(key, profile->architectures, err) < 0 ||
            key_number(key, (uint32_t) profile->n_rules, err) < 0)
                return -1;
        for (size_t i = 0; i < profile->n_rules; i++) {
                const SeccompRule *rule = &profile->rules[i];

                _Static_assert(sizeof(*rule->conditions) == 24, "no padding in the key");
                if (key_number(key, rule->action, err) < 0 || key_strings(key, rule->names, err) < 0 ||
                    key_number(key, (uint32_t) rule->n_conditions, err) < 0 ||
                    buf_append(key, rule->conditions, rule->n_conditions * sizeof(*rule->conditions), err) < 0)
                        return -1;
        }
        return 0;
}
