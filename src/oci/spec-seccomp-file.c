/*
 * Seccomp profiles that users bring: podman's and docker's format, in which a rule may depend on capabilities, architecture and kernel.
 * The runtime-spec's own format is that without the conditions, so one reader serves both.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fs.h"
#include "base/json.h"
#include "oci/spec-parts.h"
#include "oci/spec-schema.h"

#define SECCOMP_FILE_MAX (4u << 20) /* bytes; this program's own cap */

typedef struct Conditions {
        uint64_t capabilities;
        const SeccompArch *arch;
        unsigned kernel[2]; /* major, minor */
} Conditions;

static int strings_check(const json_t *array, const char *key, JsonPlace place, Error *err) {
        for (size_t i = 0; i < json_array_size(array); i++)
                if (!json_is_string(json_array_get(array, i)))
                        return error_set(err, place.kind, "%s: '%s[%zu]' is not a string", place.where, key, i);
        return 0;
}

/* Whether the container has all (or, for an exclusion, any) of what a condition names; *ret_empty when it names nothing. */
static int condition_holds(const json_t *rule, const char *key, bool any, const Conditions *conditions, JsonPlace place, bool *ret,
                           Error *err) {
        json_t *object = NULL, *caps = NULL, *arches = NULL;
        const char *kernel = NULL;
        unsigned named = 0, met = 0, major, minor;

        if (json_opt_object(rule, key, place, &object, err) < 0)
                return -1;
        if (json_opt_array(object, "caps", place, &caps, err) < 0 || json_opt_array(object, "arches", place, &arches, err) < 0 ||
            json_opt_string(object, "minKernel", place, &kernel, err) < 0 || strings_check(caps, "caps", place, err) < 0 ||
            strings_check(arches, "arches", place, err) < 0)
                return -1;

        for (size_t i = 0; i < json_array_size(caps); i++) {
                int number = capability_find(json_string_value(json_array_get(caps, i)));

                named++;
                met += number >= 0 && (conditions->capabilities & ((uint64_t) 1 << number));
        }
        if (json_array_size(arches) > 0) {
                bool found = false;

                for (size_t i = 0; i < json_array_size(arches); i++)
                        found = found || !strcmp(json_string_value(json_array_get(arches, i)), conditions->arch->name);
                named++;
                met += found;
        }
        if (kernel) {
                if (sscanf(kernel, "%u.%u", &major, &minor) != 2)
                        return error_set(err, place.kind, "%s: 'minKernel' is '%s', not a version such as '4.8'", place.where, kernel);
                named++;
                met += conditions->kernel[0] > major || (conditions->kernel[0] == major && conditions->kernel[1] >= minor);
        }
        *ret = any ? met > 0 : met == named;
        return 0;
}

static int copy_fields(const json_t *from, json_t *to, const char *const *fields, Error *err) {
        for (; *fields; fields++) {
                json_t *value = json_object_get(from, *fields);

                /* An empty list of arguments is what these files write for none. */
                if (value && !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0) &&
                    json_object_set(to, *fields, value) < 0)
                        return error_oom(err);
        }
        return 0;
}

static int convert_rule(const json_t *rule, const Conditions *conditions, JsonPlace place, json_t *rules, Error *err) {
        _cleanup_json_ json_t *out = NULL;
        const char *name = NULL;
        json_t *names = NULL;
        bool included, excluded;

        if (!json_is_object(rule))
                return error_set(err, place.kind, "%s: not an object", place.where);
        if (condition_holds(rule, "includes", false, conditions, place, &included, err) < 0 ||
            condition_holds(rule, "excludes", true, conditions, place, &excluded, err) < 0)
                return -1;
        if (json_opt_string(rule, "name", place, &name, err) < 0 || json_opt_array(rule, "names", place, &names, err) < 0)
                return -1;
        if (name && json_array_size(names) > 0)
                return error_set(err, place.kind, "%s: both 'name' and 'names'", place.where);
        if (!included || excluded)
                return 0;

        out = json_object();
        if (name && part_set(out, "names", json_pack("[s]", name), err) < 0)
                return -1;
        if (copy_fields(rule, out, (const char *const[]) { "names", "action", "errnoRet", "args", NULL }, err) < 0)
                return -1;
        return part_append(rules, TAKE(out), err);
}

/* The architectures that archMap gives for this machine; none: the native one. */
static int convert_arch_map(const json_t *file, const SeccompArch *arch, JsonPlace place, json_t *profile, Error *err) {
        json_t *map = NULL, *covers = NULL;

        if (json_opt_array(file, "archMap", place, &map, err) < 0 || json_opt_array(file, "architectures", place, &covers, err) < 0)
                return -1;
        if (json_array_size(map) > 0 && json_array_size(covers) > 0)
                return error_set(err, place.kind, "%s: both 'architectures' and 'archMap'", place.where);
        for (size_t i = 0; arch->covers && i < json_array_size(map); i++) {
                const json_t *row = json_array_get(map, i);
                json_t *older = NULL, *list;
                const char *name;

                if (json_need_string(row, "architecture", place, &name, err) < 0 ||
                    json_opt_array(row, "subArchitectures", place, &older, err) < 0)
                        return -1;
                if (strcmp(name, arch->covers[0]) != 0)
                        continue;
                list = json_pack("[s]", name);
                if (!list || (older && json_array_extend(list, older) < 0)) {
                        json_decref(list);
                        return error_oom(err);
                }
                return part_set(profile, "architectures", list, err);
        }
        return 0;
}

static int convert(const json_t *file, const Conditions *conditions, const char *path, json_t **ret, Error *err) {
        _cleanup_json_ json_t *profile = json_object(), *rules = json_array();
        const JsonPlace place = { .where = path, .kind = ERROR_INVALID_SPEC };
        json_t *from = NULL;

        if (!json_is_object(file))
                return error_set(err, ERROR_INVALID_SPEC, "%s: not an object", path);
        if (copy_fields(file, profile,
                        (const char *const[]) { "defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath",
                                               "listenerMetadata", NULL },
                        err) < 0 ||
            convert_arch_map(file, conditions->arch, place, profile, err) < 0 || json_opt_array(file, "syscalls", place, &from, err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(from); i++) {
                char where[PATH_MAX + 32];

                snprintf(where, sizeof(where), "%s: syscalls[%zu]", path, i);
                if (convert_rule(json_array_get(from, i), conditions, (JsonPlace) { .where = where, .kind = ERROR_INVALID_SPEC }, rules,
                                 err) < 0)
                        return -1;
        }
        if (part_set(profile, "syscalls", TAKE(rules), err) < 0)
                return -1;
        *ret = TAKE(profile);
        return 0;
}

int seccomp_load(const char *path, uint64_t capabilities, const SeccompArch *arch, json_t **ret, Error *err) {
        _cleanup_json_ json_t *file = NULL, *profile = NULL;
        Conditions conditions = { .capabilities = capabilities, .arch = arch };
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int fd = -EBADF;
        SpecVersion version = SPEC_1_0;
        struct utsname system;
        size_t len;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) {
                error_set_errno(err, ERROR_FILE, errno, "--security-opt seccomp: open '%s'", path);
                return error_hint(err, "name a profile's file, 'unconfined' or 'default'");
        }
        if (file_read_fd(fd, path, SECCOMP_FILE_MAX, &data, &len, err) < 0 || json_parse(data, len, path, &file, err) < 0)
                return error_prefix(err, "--security-opt seccomp");
        if (uname(&system) < 0 || sscanf(system.release, "%u.%u", &conditions.kernel[0], &conditions.kernel[1]) != 2)
                conditions.kernel[0] = conditions.kernel[1] = 0;
        if (convert(file, &conditions, path, &profile, err) < 0 ||
            schema_walk(&schema_seccomp, profile, &(Place) { .key = path }, &version, err) < 0)
                return error_prefix(err, "--security-opt seccomp");
        *ret = TAKE(profile);
        return 0;
}
