/* `linux.resources.memory` for v1 and v2. Sources: runtime-spec, config-linux.md "Memory"; kernel, cgroup-v1/memory.rst and cgroup-v2.rst */

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "runtime/cgroup-settings.h"

#define MEMORY         "linux.resources.memory"
#define SWAPPINESS_MAX 100

typedef struct MemoryLimits {
        int64_t limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1: no limit, 0: not said */
        uint64_t swappiness;
        bool has_swappiness;
        bool disable_oom_killer, oom_said;
        bool use_hierarchy, hierarchy_said;
        bool check;
} MemoryLimits;

static int parse(const json_t *memory, MemoryLimits *ret, Error *err) {
        const JsonPlace place = { MEMORY, ERROR_INVALID_SPEC };
        const json_t *swappiness = json_object_get(memory, "swappiness");
        MemoryLimits limits = { .use_hierarchy = true };

        if (spec_limit(memory, "limit", MEMORY, &limits.limit, err) < 0 ||
            spec_limit(memory, "reservation", MEMORY, &limits.reservation, err) < 0 ||
            spec_limit(memory, "swap", MEMORY, &limits.swap, err) < 0 || spec_limit(memory, "kernel", MEMORY, &limits.kernel, err) < 0 ||
            spec_limit(memory, "kernelTCP", MEMORY, &limits.kernel_tcp, err) < 0 ||
            spec_unsigned(memory, "swappiness", MEMORY, &limits.swappiness, err) < 0 ||
            json_opt_bool(memory, "disableOOMKiller", place, &limits.disable_oom_killer, err) < 0 ||
            json_opt_bool(memory, "useHierarchy", place, &limits.use_hierarchy, err) < 0 ||
            json_opt_bool(memory, "checkBeforeUpdate", place, &limits.check, err) < 0)
                return -1;
        /* 2^64 - 1 is -1 written unsigned: not said */
        limits.has_swappiness = swappiness && !json_is_null(swappiness) && limits.swappiness != UINT64_MAX;
        if (limits.has_swappiness && limits.swappiness > SWAPPINESS_MAX)
                return error_set(err, ERROR_INVALID_SPEC, MEMORY ".swappiness: %llu is not between 0 and %d",
                                 (unsigned long long) limits.swappiness, SWAPPINESS_MAX);
        limits.oom_said = json_is_boolean(json_object_get(memory, "disableOOMKiller"));
        limits.hierarchy_said = json_is_boolean(json_object_get(memory, "useHierarchy"));
        if (limits.swap > 0 && limits.limit > 0 && limits.swap < limits.limit)
                return error_set(err, ERROR_INVALID_SPEC, MEMORY ".swap: %lld is less than the limit %lld, which it includes",
                                 (long long) limits.swap, (long long) limits.limit);
        *ret = limits;
        return 0;
}

static int check_usage(const MemoryLimits *limits, const CgroupTarget *target, Error *err) {
        bool v2 = target->at[CONTROLLER_MEMORY].v2;
        uint64_t usage = 0;

        if (target_read(target, CONTROLLER_MEMORY, v2 ? "memory.current" : "memory.usage_in_bytes", &usage, err) < 0)
                return -1;
        if (limits->limit > 0 && (uint64_t) limits->limit <= usage)
                return error_set(err, ERROR_INVALID_STATE, MEMORY ".limit: %lld is no more than the %llu bytes in use",
                                 (long long) limits->limit, (unsigned long long) usage);
        if (limits->swap > 0 && (uint64_t) limits->swap <= usage)
                return error_set(err, ERROR_INVALID_STATE, MEMORY ".swap: %lld is no more than the %llu bytes in use",
                                 (long long) limits->swap, (unsigned long long) usage);
        return 0;
}

static int v1_kernel(const MemoryLimits *limits, CgroupSettings *settings, Error *err) {
        NewSetting kernel = {
                .controller = CONTROLLER_MEMORY,
                .flags = limits->kernel < 0 ? SETTING_HARMLESS : 0,
                .file = "memory.kmem.limit_in_bytes",
                .place = MEMORY ".kernel",
                .lack = "this kernel does not limit kernel memory",
        };
        NewSetting tcp = {
                .controller = CONTROLLER_MEMORY,
                .flags = limits->kernel_tcp < 0 ? SETTING_HARMLESS : 0,
                .file = "memory.kmem.tcp.limit_in_bytes",
                .place = MEMORY ".kernelTCP",
                .lack = "this kernel does not limit the memory of TCP buffers",
        };

        /* Since Linux 5.16 there is no limit of kernel memory, and even lifting it is refused. */
        if (limits->kernel > 0 && setting_add(settings, kernel, err, "%lld", (long long) limits->kernel) < 0)
                return -1;
        return limits->kernel_tcp != 0 ? setting_add(settings, tcp, err, "%lld", (long long) limits->kernel_tcp) : 0;
}

/* memory.oom_control shows its state in lines; what takes a write back is the opposite. */
static int v1_oom_killer(const MemoryLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting setting = {
                .controller = CONTROLLER_MEMORY,
                .file = "memory.oom_control",
                .place = MEMORY ".disableOOMKiller",
                .reset = limits->disable_oom_killer ? "0" : "1",
        };
        _cleanup_free_ char *text = NULL;
        bool disabled = false;

        if (!limits->oom_said || (!limits->disable_oom_killer && !target->update))
                return 0;
        if (target->update) {
                if (file_read_at(target->at[CONTROLLER_MEMORY].fd, "memory.oom_control", CGROUP_FILE_TEXT_MAX, &text, NULL, err) < 0)
                        return -1;
                disabled = !strncmp(text, "oom_kill_disable 1", strlen("oom_kill_disable 1"));
                if (disabled == limits->disable_oom_killer)
                        return 0;
        }
        return setting_add(settings, setting, err, "%d", limits->disable_oom_killer);
}

/* Since Linux 5.11 accounting is always hierarchical; before, it has to be said while there is nothing below. */
static int v1_hierarchy(const MemoryLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting setting = {
                .controller = CONTROLLER_MEMORY,
                .file = "memory.use_hierarchy",
                .place = MEMORY ".useHierarchy",
        };
        uint64_t now = 1;

        if (target->update && !limits->hierarchy_said)
                return 0;
        if (target_read(target, CONTROLLER_MEMORY, "memory.use_hierarchy", &now, err) < 0)
                return -1;
        return (now != 0) != limits->use_hierarchy ? setting_add(settings, setting, err, "%d", limits->use_hierarchy) : 0;
}

static int v1_settings(const MemoryLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        int64_t swap = limits->swap;
        NewSetting limit = {
                .controller = CONTROLLER_MEMORY,
                .flags = SETTING_LATER, /* may not pass memory and swap together, which follows */
                .file = "memory.limit_in_bytes",
                .place = MEMORY ".limit",
        };
        NewSetting both = {
                .controller = CONTROLLER_MEMORY,
                .flags = limits->swap < 0 ? SETTING_HARMLESS : 0,
                .file = "memory.memsw.limit_in_bytes",
                .place = MEMORY ".swap",
                .lack = "the kernel does not count swap",
        };
        NewSetting reservation = {
                .controller = CONTROLLER_MEMORY,
                .file = "memory.soft_limit_in_bytes",
                .place = MEMORY ".reservation",
        };
        NewSetting swappiness = {
                .controller = CONTROLLER_MEMORY,
                .file = "memory.swappiness",
                .place = MEMORY ".swappiness",
        };

        /* As runc: no limit of memory is none of both. */
        if (limits->limit == -1 && swap == 0) {
                swap = -1;
                both.flags = SETTING_HARMLESS;
        }
        if (v1_hierarchy(limits, target, settings, err) < 0 ||
            (limits->limit != 0 && setting_add(settings, limit, err, "%lld", (long long) limits->limit) < 0) ||
            (swap != 0 && setting_add(settings, both, err, "%lld", (long long) swap) < 0) ||
            (limits->reservation != 0 && setting_add(settings, reservation, err, "%lld", (long long) limits->reservation) < 0) ||
            v1_kernel(limits, settings, err) < 0 ||
            (limits->has_swappiness && setting_add(settings, swappiness, err, "%llu", (unsigned long long) limits->swappiness) < 0))
                return -1;
        return v1_oom_killer(limits, target, settings, err);
}

/* v2 counts swap alone; the spec counts memory and swap together. */
static int v2_swap(const MemoryLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting swap = {
                .controller = CONTROLLER_MEMORY,
                .file = "memory.swap.max",
                .place = MEMORY ".swap",
                .lack = "the kernel does not count swap",
        };
        uint64_t memory = limits->limit > 0 ? (uint64_t) limits->limit : UINT64_MAX;

        if (limits->swap == 0 && limits->limit != -1)
                return 0;
        if (limits->swap <= 0) {
                swap.flags = SETTING_HARMLESS;
                return setting_add(settings, swap, err, "max");
        }
        if (limits->limit == 0) {
                if (!target->update)
                        return error_set(err, ERROR_INVALID_SPEC, MEMORY ".swap: without a limit, which it includes");
                if (target_read(target, CONTROLLER_MEMORY, "memory.max", &memory, err) < 0)
                        return -1;
                if (memory != UINT64_MAX && (uint64_t) limits->swap < memory)
                        return error_set(err, ERROR_INVALID_SPEC, MEMORY ".swap: %lld is less than the limit %llu, which it includes",
                                         (long long) limits->swap, (unsigned long long) memory);
        }
        /* without swap there is none to forbid */
        swap.flags = (uint64_t) limits->swap == memory ? SETTING_HARMLESS : 0;
        return setting_add(settings, swap, err, "%llu",
                           (unsigned long long) limits->swap - (memory == UINT64_MAX ? 0 : (unsigned long long) memory));
}

static int v2_limit(CgroupSettings *settings, const char *file, const char *place, int64_t value, Error *err) {
        NewSetting setting = { .controller = CONTROLLER_MEMORY, .file = file, .place = place };

        if (value == 0)
                return 0;
        return value < 0 ? setting_add(settings, setting, err, "max") : setting_add(settings, setting, err, "%lld", (long long) value);
}

static int v2_settings(const MemoryLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        if (limits->kernel > 0)
                return setting_unsupported(MEMORY ".kernel", err, "cgroup v2 has no limit of kernel memory");
        if (limits->kernel_tcp > 0)
                return setting_unsupported(MEMORY ".kernelTCP", err, "cgroup v2 has no limit of the memory of TCP buffers");
        if (limits->has_swappiness)
                return setting_unsupported(MEMORY ".swappiness", err, "cgroup v2 has no swappiness of its own");
        if (limits->disable_oom_killer)
                return setting_unsupported(MEMORY ".disableOOMKiller", err, "cgroup v2 cannot disable the OOM killer");
        if (!limits->use_hierarchy)
                return setting_unsupported(MEMORY ".useHierarchy", err, "cgroup v2 always accounts hierarchically");

        /* Swap first, as runc: a limit that is lowered below the usage may kill, and must find the swap it is to have. */
        if (v2_swap(limits, target, settings, err) < 0 || v2_limit(settings, "memory.max", MEMORY ".limit", limits->limit, err) < 0)
                return -1;
        return v2_limit(settings, "memory.low", MEMORY ".reservation", limits->reservation, err);
}

int memory_settings(const json_t *memory, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        MemoryLimits limits;

        if (parse(memory, &limits, err) < 0)
                return -1;
        if (limits.limit == 0 && limits.reservation == 0 && limits.swap == 0 && limits.kernel <= 0 && limits.kernel_tcp == 0 &&
            !limits.has_swappiness && !limits.oom_said && !limits.hierarchy_said)
                return 0;
        /* that nothing is limited needs no controller */
        if (target->at[CONTROLLER_MEMORY].fd < 0 && limits.limit <= 0 && limits.reservation <= 0 && limits.swap <= 0 && limits.kernel <= 0 &&
            limits.kernel_tcp <= 0 && !limits.has_swappiness && !limits.disable_oom_killer && limits.use_hierarchy)
                return 0;
        if (target_need(target, CONTROLLER_MEMORY, MEMORY, err) < 0)
                return -1;
        if (limits.check && check_usage(&limits, target, err) < 0)
                return -1;
        return target->at[CONTROLLER_MEMORY].v2 ? v2_settings(&limits, target, settings, err) : v1_settings(&limits, target, settings, err);
}
