/* Device rules reduced to a default with exceptions, and written to v1's devices controller. Sources: runtime-spec, config-linux.md "Device
 * allowed list"; kernel, cgroup-v1/devices.rst; opencontainers/cgroups, devices_emulator.go, for what the order of rules means. */

#include "runtime/cgroup-devices.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"

#define DEVICES         "linux.resources.devices"
#define ANY             (-1)
#define DEVICE_LIST_MAX (1u << 20) /* bytes of a devices.list: at most 32 a rule */
#define PLACE_MAX       64
#define RULE_TEXT_MAX   64 /* bytes; "c 4294967295:4294967295 rwm" */

const CgroupDeviceRule cgroup_default_devices[] = {
        { true, 'c', ANY, ANY, CGROUP_DEVICE_MKNOD },
        { true, 'b', ANY, ANY, CGROUP_DEVICE_MKNOD },
        { true, 'c', 1,   3,   CGROUP_DEVICE_ALL }, /* null */
        { true, 'c', 1,   8,   CGROUP_DEVICE_ALL }, /* random */
        { true, 'c', 1,   7,   CGROUP_DEVICE_ALL }, /* full */
        { true, 'c', 5,   0,   CGROUP_DEVICE_ALL }, /* tty */
        { true, 'c', 1,   5,   CGROUP_DEVICE_ALL }, /* zero */
        { true, 'c', 1,   9,   CGROUP_DEVICE_ALL }, /* urandom */
        { true, 'c', 136, ANY, CGROUP_DEVICE_ALL }, /* pts */
        { true, 'c', 5,   2,   CGROUP_DEVICE_ALL }, /* ptmx */
        { true, 'c', 10,  200, CGROUP_DEVICE_ALL }, /* net/tun */
};
const size_t cgroup_n_default_devices = ARRAY_SIZE(cgroup_default_devices);

void device_filter_free(DeviceFilter *filter) {
        free(filter->exceptions);
        *filter = (DeviceFilter) {};
}

static CgroupDeviceRule *find(const DeviceFilter *filter, char type, int64_t major, int64_t minor) {
        for (size_t i = 0; i < filter->n; i++) {
                CgroupDeviceRule *e = &filter->exceptions[i];

                if (e->type == type && e->major == major && e->minor == minor)
                        return e;
        }
        return NULL;
}

static int add_exception(DeviceFilter *filter, const CgroupDeviceRule *rule, Error *err) {
        CgroupDeviceRule *same = find(filter, rule->type, rule->major, rule->minor), *all;

        if (same) {
                same->access |= rule->access;
                return 0;
        }
        if (rule->access == 0)
                return 0;
        all = reallocarray(filter->exceptions, filter->n + 1, sizeof(*all));
        if (!all)
                return error_oom(err);
        filter->exceptions = all;
        all[filter->n++] = *rule;
        return 0;
}

static int remove_exception(DeviceFilter *filter, const CgroupDeviceRule *rule, const char *place, Error *err) {
        const int64_t wider[][2] = { { ANY, rule->minor }, { rule->major, ANY }, { ANY, ANY } };
        CgroupDeviceRule *same;

        for (size_t i = 0; i < ARRAY_SIZE(wider); i++) {
                if (wider[i][0] == rule->major && wider[i][1] == rule->minor)
                        continue;
                same = find(filter, rule->type, wider[i][0], wider[i][1]);
                if (same && (same->access & rule->access))
                        return error_set(err, ERROR_NOT_SUPPORTED, "%s: takes one device out of a rule for many, which device cgroups cannot",
                                         place);
        }
        same = find(filter, rule->type, rule->major, rule->minor);
        if (!same)
                return 0;
        same->access &= ~rule->access;
        if (same->access == 0)
                *same = filter->exceptions[--filter->n];
        return 0;
}

int device_filter_add(DeviceFilter *filter, const CgroupDeviceRule *rule, const char *place, Error *err) {
        if (rule->type == 'a') {
                device_filter_free(filter);
                filter->allow = rule->allow;
                return 0;
        }
        return rule->allow == filter->allow ? remove_exception(filter, rule, place, err) : add_exception(filter, rule, err);
}

static int parse_rule(const json_t *entry, const char *where, CgroupDeviceRule *ret, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_SPEC };
        CgroupDeviceRule rule = { .type = 'a', .major = ANY, .minor = ANY };
        const char *type = "a", *access = "";

        if (!json_is_boolean(json_object_get(entry, "allow")))
                return error_set(err, ERROR_INVALID_SPEC, "%s: 'allow' is not true or false", where);
        if (json_opt_bool(entry, "allow", place, &rule.allow, err) < 0 || json_opt_string(entry, "type", place, &type, err) < 0 ||
            json_opt_string(entry, "access", place, &access, err) < 0 ||
            json_opt_integer(entry, "major", place, ANY, UINT32_MAX, &rule.major, err) < 0 ||
            json_opt_integer(entry, "minor", place, ANY, UINT32_MAX, &rule.minor, err) < 0)
                return -1;
        if (type[0] && (!strchr("abc", type[0]) || type[1]))
                return error_set(err, ERROR_INVALID_SPEC, "%s: '%s' is not a type of devices", where, type);
        rule.type = type[0] ?: 'a';
        for (; *access; access++) {
                unsigned bit = *access == 'r' ? CGROUP_DEVICE_READ : *access == 'w' ? CGROUP_DEVICE_WRITE : CGROUP_DEVICE_MKNOD;

                if (!strchr("rwm", *access))
                        return error_set(err, ERROR_INVALID_SPEC, "%s: access has other letters than r, w and m", where);
                rule.access |= bit;
        }
        *ret = rule;
        return 0;
}

int device_filter_build(const json_t *devices, const CgroupDeviceRule *after, size_t n_after, DeviceFilter *ret, Error *err) {
        _cleanup_filter_ DeviceFilter filter = {};
        const json_t *entry;
        size_t i;

        if (json_array_size(devices) + n_after > DEVICE_RULES_MAX)
                return error_set(err, ERROR_INVALID_SPEC, DEVICES ": more than %d rules", DEVICE_RULES_MAX);
        json_array_foreach(devices, i, entry) {
                char where[PLACE_MAX];
                CgroupDeviceRule rule;

                (void) snprintf(where, sizeof(where), DEVICES "[%zu]", i);
                if (parse_rule(entry, where, &rule, err) < 0 || device_filter_add(&filter, &rule, where, err) < 0)
                        return -1;
        }
        for (i = 0; i < n_after; i++)
                if (device_filter_add(&filter, &after[i], DEVICES, err) < 0)
                        return -1;
        *ret = filter;
        filter = (DeviceFilter) {};
        return 0;
}

static const char *number_text(int64_t number, char ret[24]) {
        if (number == ANY)
                return "*";
        (void) snprintf(ret, 24, "%lld", (long long) number);
        return ret;
}

static int write_rule(int allow_fd, int deny_fd, const CgroupDeviceRule *rule, bool allow, unsigned access, Error *err) {
        char text[RULE_TEXT_MAX], major[24], minor[24];

        (void) snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type, number_text(rule->major, major), number_text(rule->minor, minor),
                        access & CGROUP_DEVICE_READ ? "r" : "", access & CGROUP_DEVICE_WRITE ? "w" : "",
                        access & CGROUP_DEVICE_MKNOD ? "m" : "");
        if (write(allow ? allow_fd : deny_fd, text, strlen(text)) < 0) {
                error_set_errno(err, ERROR_FILE, errno, DEVICES ": write '%s' to 'devices.%s'", text, allow ? "allow" : "deny");
                return errno == EPERM && allow ? error_hint(err, "the cgroup above does not allow that device") : -1;
        }
        return 0;
}

/* What devices.list says holds now. In a default of allow it shows no exceptions. */
static int read_list(int dir_fd, DeviceFilter *ret, Error *err) {
        _cleanup_filter_ DeviceFilter filter = {};
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (file_read_at(dir_fd, "devices.list", DEVICE_LIST_MAX, &text, NULL, err) < 0)
                return -1;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                CgroupDeviceRule rule = { .allow = true, .type = line[0] };
                char major[16], minor[16], access[4];

                if (sscanf(line, "%*c %15[^:]:%15[^ ] %3s", major, minor, access) != 3)
                        continue;
                rule.major = major[0] == '*' ? ANY : strtoll(major, NULL, 10);
                rule.minor = minor[0] == '*' ? ANY : strtoll(minor, NULL, 10);
                rule.access = (strchr(access, 'r') ? CGROUP_DEVICE_READ : 0) | (strchr(access, 'w') ? CGROUP_DEVICE_WRITE : 0) |
                              (strchr(access, 'm') ? CGROUP_DEVICE_MKNOD : 0);
                if (device_filter_add(&filter, &rule, "devices.list", err) < 0)
                        return -1;
        }
        *ret = filter;
        filter = (DeviceFilter) {};
        return 0;
}

/* Writes those of @filter that @other lacks. */
static int write_difference(int allow_fd, int deny_fd, const DeviceFilter *filter, const DeviceFilter *other, bool allow, Error *err) {
        for (size_t i = 0; i < filter->n; i++) {
                const CgroupDeviceRule *e = &filter->exceptions[i], *same = other ? find(other, e->type, e->major, e->minor) : NULL;
                unsigned access = e->access & ~(same ? same->access : 0);

                if (access && write_rule(allow_fd, deny_fd, e, allow, access, err) < 0)
                        return -1;
        }
        return 0;
}

/*
 * A running container must at no moment lose a device that it has and keeps, so only the difference is written; where the default changes,
 * or is allow, whose exceptions cannot be read, all is written anew, and there is such a moment.
 */
static int apply_v1(const DeviceFilter *filter, const CgroupTarget *target, Error *err) {
        static const CgroupDeviceRule all = { .type = 'a', .major = ANY, .minor = ANY };
        _cleanup_filter_ DeviceFilter now = { .allow = true };
        int dir_fd = target->at[CONTROLLER_DEVICES].fd;
        _cleanup_close_ int allow_fd = openat(dir_fd, "devices.allow", O_WRONLY | O_CLOEXEC);
        _cleanup_close_ int deny_fd = openat(dir_fd, "devices.deny", O_WRONLY | O_CLOEXEC);

        if (allow_fd < 0 || deny_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, DEVICES ": open 'devices.allow' and 'devices.deny'");
        if (target->update && read_list(dir_fd, &now, err) < 0)
                return error_prefix(err, DEVICES);
        if (!now.allow && !filter->allow)
                return write_difference(allow_fd, deny_fd, &now, filter, false, err) < 0 ||
                       write_difference(allow_fd, deny_fd, filter, &now, true, err) < 0 ? -1 : 0;
        if (write_rule(allow_fd, deny_fd, &all, filter->allow, CGROUP_DEVICE_ALL, err) < 0)
                return -1;
        return write_difference(allow_fd, deny_fd, filter, NULL, !filter->allow, err);
}

static int apply_v2(const DeviceFilter *filter, const CgroupTarget *target, Error *err) {
        _cleanup_free_ struct bpf_insn *program = NULL;
        size_t n;

        return device_program(filter, &program, &n, err) < 0 ||
               device_program_attach(target->at[CONTROLLER_CORE].fd, program, n, target->update, err) < 0 ? -1 : 0;
}

int device_filter_apply(const DeviceFilter *filter, const CgroupTarget *target, Error *err) {
        if (target->at[CONTROLLER_DEVICES].fd >= 0)
                return apply_v1(filter, target, err);
        if (target->at[CONTROLLER_CORE].fd >= 0)
                return apply_v2(filter, target, err);
        return error_set(err, ERROR_NOT_SUPPORTED, DEVICES ": this host has neither cgroup v1's devices controller nor cgroup v2");
}
