/* --security-opt, and the paths of /proc and /sys that a container does not get to see or to write. */

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "oci/spec-parts.h"

/* As podman 4 and docker have them; powercap (CVE-2020-8694: other containers' secrets by their power use) since podman 4.6. */
static const char *const masked_paths[] = {
        "/proc/acpi",        "/proc/kcore",       "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi",        "/sys/firmware", "/sys/fs/selinux",  "/sys/dev/block",   "/sys/devices/virtual/powercap",
};

static const char *const readonly_paths[] = {
        "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

void security_clear(SpecSecurity *security) {
        security->mask = strv_free(security->mask);
        security->unmask = strv_free(security->unmask);
}

/* Adds the ':'-separated absolute paths of a value; "ALL" is told apart when @ret_all is given. */
static int parse_paths(const char *key, const char *value, char ***paths, bool *ret_all, Error *err) {
        _cleanup_free_ char *copy = NULL;
        char *cursor, *path;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        cursor = copy;
        while ((path = strsep(&cursor, ":"))) {
                if (ret_all && !strcasecmp(path, "all")) {
                        *ret_all = true;
                        continue;
                }
                if (path[0] != '/')
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--security-opt %s=%s: '%s' is not an absolute path", key, value,
                                         path);
                if (strv_push(paths, path, err) < 0)
                        return -1;
        }
        return 0;
}

static int parse_seccomp(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        ret->seccomp_unconfined = !strcmp(value, "unconfined");
        ret->seccomp_file = !ret->seccomp_unconfined && strcmp(value, "default") != 0 ? value : NULL;
        return 0;
}

bool apparmor_is_enabled(void) {
        _cleanup_free_ char *text = NULL;

        return file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text, NULL, NULL) == 0 && text[0] == 'Y';
}

static int parse_apparmor(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        if (!strcmp(value, "unconfined")) {
                /* Without AppArmor everything is. */
                ret->apparmor = apparmor_is_enabled() ? value : NULL;
                return 0;
        }
        if (!apparmor_is_enabled()) {
                error_set(err, ERROR_NOT_SUPPORTED, "--security-opt apparmor=%s: this kernel has no AppArmor", value);
                return error_hint(err, "leave the option out, or boot with apparmor=1 security=apparmor");
        }
        ret->apparmor = value;
        return 0;
}

static int parse_label(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        if (!strcmp(value, "disable"))
                return 0;
        return error_set(err, ERROR_NOT_SUPPORTED, "--security-opt label=%s: SELinux labels are not supported, only label=disable", value);
}

static int parse_no_new_privileges(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        if (!strcmp(value, "") || !strcmp(value, "true"))
                ret->no_new_privileges = true;
        else if (!strcmp(value, "false"))
                ret->no_new_privileges = false;
        else
                return error_set(err, ERROR_INVALID_ARGUMENT, "--security-opt no-new-privileges=%s: neither true nor false", value);
        return 0;
}

static int parse_mask(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        return parse_paths(key, value, &ret->mask, NULL, err);
}

static int parse_unmask(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        return parse_paths(key, value, &ret->unmask, &ret->paths_unconfined, err);
}

static int parse_system_paths(const char *key, const char *value, SpecSecurity *ret, Error *err) {
        if (strcmp(value, "unconfined") != 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--security-opt systempaths=%s: only 'unconfined' is known", value);
        ret->paths_unconfined = true;
        return 0;
}

static const struct {
        const char *key;
        int (*parse)(const char *key, const char *value, SpecSecurity *ret, Error *err);
        bool alone; /* the key may stand without a value */
} security_keys[] = {
        { "apparmor",          parse_apparmor },
        { "label",             parse_label },
        { "mask",              parse_mask },
        { "no-new-privileges", parse_no_new_privileges, .alone = true },
        { "seccomp",           parse_seccomp },
        { "systempaths",       parse_system_paths },
        { "unmask",            parse_unmask },
};

/* KEY=VALUE, or KEY:VALUE as docker once wrote it */
static int parse_one(const char *option, SpecSecurity *ret, Error *err) {
        size_t len = strcspn(option, "=:");

        for (size_t i = 0; i < ARRAY_SIZE(security_keys); i++) {
                const char *key = security_keys[i].key;

                if (strncmp(option, key, len) != 0 || key[len] != '\0')
                        continue;
                if (option[len] == '\0' && !security_keys[i].alone)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--security-opt %s: '=' and a value are missing", option);
                return security_keys[i].parse(key, option[len] ? option + len + 1 : "", ret, err);
        }
        error_set(err, ERROR_INVALID_ARGUMENT, "--security-opt: '%s' is not known", option);
        return error_hint(err, "known are apparmor=, label=disable, mask=, no-new-privileges, seccomp=, systempaths=unconfined, unmask=");
}

int security_parse(char *const *options, SpecSecurity *ret, Error *err) {
        SpecSecurity security = { 0 };

        for (; options && *options; options++)
                if (parse_one(*options, &security, err) < 0) {
                        security_clear(&security);
                        return -1;
                }
        *ret = security;
        return 0;
}

static bool is_unmasked(const SpecSecurity *security, const char *path) {
        for (char **glob = security->unmask; glob && *glob; glob++)
                if (fnmatch(*glob, path, FNM_PATHNAME) == 0)
                        return true;
        return security->paths_unconfined;
}

static int paths_build(const SpecSecurity *security, const char *const *paths, size_t n, char *const *more, json_t **ret, Error *err) {
        _cleanup_json_ json_t *array = json_array();

        if (!array)
                return error_oom(err);
        for (size_t i = 0; i < n; i++)
                if (!is_unmasked(security, paths[i]) && part_append(array, json_string(paths[i]), err) < 0)
                        return -1;
        for (; more && *more; more++)
                if (text_append(array, *more, "--security-opt mask", err) < 0)
                        return -1;
        *ret = json_array_size(array) > 0 ? TAKE(array) : NULL;
        return 0;
}

int masked_paths_build(const SpecSecurity *security, json_t **ret, Error *err) {
        return paths_build(security, masked_paths, ARRAY_SIZE(masked_paths), security->mask, ret, err);
}

int readonly_paths_build(const SpecSecurity *security, json_t **ret, Error *err) {
        return paths_build(security, readonly_paths, ARRAY_SIZE(readonly_paths), NULL, ret, err);
}
