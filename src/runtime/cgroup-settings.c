/* The list of a container's limits: built from `linux.resources` part by part, written, and on an update taken back when one fails. */

#include "runtime/cgroup-settings.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"

#define KERNEL_ENOTSUPP 524 /* the kernel's own ENOTSUPP, which no libc names; memory.kmem.limit_in_bytes and others return it */

void cgroup_settings_free(CgroupSettings *settings) {
        for (size_t i = 0; i < settings->n; i++) {
                free(settings->all[i].file);
                free(settings->all[i].value);
                free(settings->all[i].place);
                free(settings->all[i].old);
        }
        free(settings->all);
        *settings = (CgroupSettings) {};
}

int setting_add(CgroupSettings *settings, NewSetting setting, Error *err, const char *fmt, ...) {
        CgroupSetting *all = reallocarray(settings->all, settings->n + 1, sizeof(*all)), *one;
        va_list args;
        int r;

        if (!all)
                return error_oom(err);
        settings->all = all;
        one = &all[settings->n++];
        *one = (CgroupSetting) {
                .controller = setting.controller,
                .flags = setting.flags,
                .lack = setting.lack,
                .reset = setting.reset,
        };
        va_start(args, fmt);
        r = string_vformat(&one->value, err, fmt, args);
        va_end(args);
        if (r < 0)
                return -1;
        return string_copy(setting.file, &one->file, err) < 0 || string_copy(setting.place, &one->place, err) < 0 ? -1 : 0;
}

int setting_unsupported(const char *place, Error *err, const char *why) {
        return error_set(err, ERROR_NOT_SUPPORTED, "%s: %s", place, why);
}

int target_need(const CgroupTarget *target, CgroupController controller, const char *place, Error *err) {
        const char *v1 = controller_name(controller, false), *v2 = controller_name(controller, true);

        if (target->at[controller].fd >= 0)
                return 0;
        if (!v2 && target->at[CONTROLLER_CORE].fd >= 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "%s: cgroup v2 has no %s, and v1's is not mounted", place, v1 ?: "such file");
        return error_set(err, ERROR_NOT_SUPPORTED, "%s: the container's cgroup has no %s controller", place, v2 ?: v1 ?: "v2");
}

bool target_has(const CgroupTarget *target, CgroupController controller, const char *file) {
        return target->at[controller].fd >= 0 && faccessat(target->at[controller].fd, file, F_OK, 0) == 0;
}

/* The first line of a file without its end. 1, 0: no such file, -1. */
static int read_line(int fd, const char *file, char **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error local = ERROR_INIT;

        if (file_read_at(fd, file, CGROUP_FILE_TEXT_MAX, &text, NULL, &local) < 0) {
                if (local.errnum == ENOENT || local.errnum == ENODEV)
                        return 0;
                if (err)
                        *err = local;
                return -1;
        }
        text[strcspn(text, "\n")] = '\0';
        *ret = TAKE(text);
        return 1;
}

int target_read(const CgroupTarget *target, CgroupController controller, const char *file, uint64_t *ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        int r = read_line(target->at[controller].fd, file, &text, err);

        if (r > 0)
                *ret = !strncmp(text, "max", 3) ? UINT64_MAX : strtoull(text, NULL, 10);
        return r;
}

static const json_t *number_field(const json_t *object, const char *key) {
        const json_t *value = json_object_get(object, key);

        return json_is_null(value) ? NULL : value;
}

int spec_limit(const json_t *object, const char *key, const char *where, int64_t *ret, Error *err) {
        return json_opt_integer(object, key, (JsonPlace) { where, ERROR_INVALID_SPEC }, -1, INT64_MAX, ret, err);
}

int spec_unsigned(const json_t *object, const char *key, const char *where, uint64_t *ret, Error *err) {
        const json_t *value = number_field(object, key);
        int64_t number = 0;

        if (json_is_real(value)) {
                if (json_real_value(value) < 0x1p63 || json_real_value(value) > 0x1p64)
                        return error_set(err, ERROR_INVALID_SPEC, "%s.%s: not an unsigned integer of 64 bits", where, key);
                *ret = json_real_value(value) < 0x1p64 ? (uint64_t) json_real_value(value) : UINT64_MAX;
                return 0;
        }
        if (json_opt_integer(object, key, (JsonPlace) { where, ERROR_INVALID_SPEC }, 0, INT64_MAX, &number, err) < 0)
                return -1;
        if (value)
                *ret = (uint64_t) number;
        return 0;
}

/* One row a part of `linux.resources`; devices are apart, being no files on v2. */
static const struct PartRow {
        const char *key;
        unsigned controllers;
        int (*build)(const json_t *part, const CgroupTarget *target, CgroupSettings *settings, Error *err);
} parts[] = {
        { "pids",           1u << CONTROLLER_PIDS,                                   pids_settings },
        { "memory",         1u << CONTROLLER_MEMORY,                                 memory_settings },
        { "cpu",            1u << CONTROLLER_CPU | 1u << CONTROLLER_CPUSET,          cpu_settings },
        { "blockIO",        1u << CONTROLLER_IO,                                     io_settings },
        { "hugepageLimits", 1u << CONTROLLER_HUGETLB,                                hugepage_settings },
        { "network",        1u << CONTROLLER_NET_CLS | 1u << CONTROLLER_NET_PRIO,    network_settings },
        { "rdma",           1u << CONTROLLER_RDMA,                                   rdma_settings },
        { "unified",        1u << CONTROLLER_CORE,                                   unified_settings }, /* last: it has the last word */
};

int cgroup_settings_build(const json_t *resources, const CgroupTarget *target, CgroupSettings *ret, Error *err) {
        _cleanup_settings_ CgroupSettings settings = {};

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                const json_t *part = number_field(resources, parts[i].key);

                if (part && parts[i].build(part, target, &settings, err) < 0)
                        return -1;
        }
        *ret = settings;
        settings = (CgroupSettings) {};
        return 0;
}

/* Whether nothing in there asks for anything: null, 0, false, "" and what holds only such. */
static bool says_nothing(const json_t *value) {
        const char *key;
        json_t *item;
        size_t i;

        if (json_is_object(value)) {
                json_object_foreach((json_t *) value, key, item)
                        if (!says_nothing(item))
                                return false;
                return true;
        }
        if (json_is_array(value)) {
                json_array_foreach(value, i, item)
                        if (!says_nothing(item))
                                return false;
                return true;
        }
        return !value || json_is_null(value) || json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 0) ||
               (json_is_string(value) && !json_string_value(value)[0]);
}

/* "memory.high" needs the memory controller. */
static unsigned unified_need(const json_t *unified) {
        unsigned need = 0;
        const char *key;
        json_t *item;

        json_object_foreach((json_t *) unified, key, item) {
                _cleanup_free_ char *name = strndup(key, strcspn(key, "."));

                if (name)
                        need |= controller_v2_mask(name);
        }
        return need;
}

unsigned resources_need(const json_t *resources) {
        unsigned need = unified_need(number_field(resources, "unified"));

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (!says_nothing(number_field(resources, parts[i].key)))
                        need |= parts[i].controllers;
        /* what is only about time needs no cpuset, and the other way round */
        if (need & 1u << CONTROLLER_CPUSET) {
                const json_t *cpu = number_field(resources, "cpu");

                if (says_nothing(number_field(cpu, "cpus")) && says_nothing(number_field(cpu, "mems")))
                        need &= ~(1u << CONTROLLER_CPUSET);
        }
        return need;
}

unsigned resources_mentioned(const json_t *resources) {
        unsigned mask = 0;

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (number_field(resources, parts[i].key))
                        mask |= parts[i].controllers;
        return mask;
}

/* What the file says now, so that it can be written back. */
static int note_old(CgroupSetting *setting, int dir_fd, Error *err) {
        _cleanup_free_ char *text = NULL;
        size_t key = strcspn(setting->value, " ");
        Error local = ERROR_INIT;

        if (setting->reset && !(setting->flags & SETTING_KEYED))
                return string_copy(setting->reset, &setting->old, err);
        if (file_read_at(dir_fd, setting->file, CGROUP_FILE_TEXT_MAX, &text, NULL, &local) < 0) {
                /* what is missing or cannot be read is told by the write */
                if (local.kind == ERROR_OUT_OF_MEMORY)
                        return error_oom(err);
                return 0;
        }
        if (!(setting->flags & SETTING_KEYED)) {
                text[strcspn(text, "\n")] = '\0';
                setting->old = TAKE(text);
                return 0;
        }
        for (char *line = text; *line; line += line[strcspn(line, "\n")] ? strcspn(line, "\n") + 1 : strcspn(line, "\n"))
                if (!strncmp(line, setting->value, key) && line[key] == ' ') {
                        line[strcspn(line, "\n")] = '\0';
                        return string_copy(line, &setting->old, err);
                }
        return setting->reset ? string_format(&setting->old, err, "%.*s %s", (int) key, setting->value, setting->reset) : 0;
}

/* Writes one value. 0 or a positive errno; ENOENT says that there is no such file. */
static int write_value(int dir_fd, const char *file, const char *value) {
        _cleanup_close_ int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        /* an empty value, "all that the parent has" in cpuset.cpus, would be no write at all */
        if (fd < 0 || write(fd, value[0] ? value : "\n", value[0] ? strlen(value) : 1) < 0)
                return errno;
        return 0;
}

static int refused(const CgroupSetting *setting, int errnum, Error *err) {
        ErrorKind kind = errnum == EINVAL || errnum == ERANGE || errnum == ENODEV || errnum == ENXIO ? ERROR_INVALID_SPEC : ERROR_FILE;

        if (errnum == ENOENT)
                return setting->lack ? setting_unsupported(setting->place, err, setting->lack)
                                     : error_set(err, ERROR_NOT_SUPPORTED, "%s: this kernel has no '%s'", setting->place, setting->file);
        if (errnum == KERNEL_ENOTSUPP || errnum == EOPNOTSUPP)
                return error_set(err, ERROR_NOT_SUPPORTED, "%s: this kernel no longer takes a value in '%s'", setting->place,
                                 setting->file);
        error_set_errno(err, kind, errnum, "%s: write '%s' to '%s'", setting->place, setting->value, setting->file);
        if (errnum == EBUSY && setting->controller == CONTROLLER_MEMORY)
                error_hint(err, "the container uses more than that, and the kernel could not take it back");
        return -1;
}

static int write_setting(CgroupSetting *setting, const CgroupTarget *target, bool last, Error *err) {
        int errnum = write_value(target->at[setting->controller].fd, setting->file, setting->value);

        setting->again = errnum == EINVAL && (setting->flags & SETTING_LATER) && !last;
        if (errnum == 0)
                setting->written = true;
        else if (setting->again)
                return 0;
        else if (errnum != ENOENT || !(setting->flags & SETTING_HARMLESS))
                return refused(setting, errnum, err);
        return 0;
}

/* Those of one controller, from @begin on; those that the kernel refuses until others are in place once more at the end. */
static int apply_controller(CgroupSettings *settings, size_t begin, size_t end, const CgroupTarget *target, Error *err) {
        for (size_t i = begin; i < end; i++)
                if (write_setting(&settings->all[i], target, false, err) < 0)
                        return -1;
        for (size_t i = begin; i < end; i++)
                if (settings->all[i].again && write_setting(&settings->all[i], target, true, err) < 0)
                        return -1;
        return 0;
}

int cgroup_settings_apply(CgroupSettings *settings, const CgroupTarget *target, Error *err) {
        for (size_t i = 0; target->update && i < settings->n; i++)
                if (note_old(&settings->all[i], target->at[settings->all[i].controller].fd, err) < 0)
                        return -1;
        for (size_t begin = 0, end; begin < settings->n; begin = end) {
                for (end = begin; end < settings->n && settings->all[end].controller == settings->all[begin].controller; end++)
                        ;
                if (apply_controller(settings, begin, end, target, err) < 0) {
                        if (target->update)
                                cgroup_settings_undo(settings, target, err);
                        return -1;
                }
        }
        return 0;
}

void cgroup_settings_undo(CgroupSettings *settings, const CgroupTarget *target, Error *err) {
        /* Twice: what the kernel refuses before others are back succeeds then. */
        for (unsigned pass = 0; pass < 2; pass++)
                for (size_t i = settings->n; i-- > 0;) {
                        CgroupSetting *s = &settings->all[i];

                        if (!s->written)
                                continue;
                        if (s->old && write_value(target->at[s->controller].fd, s->file, s->old) == 0)
                                s->written = false;
                        else if (pass == 1)
                                error_prefix(err, "%s stays changed", s->place);
                }
}
