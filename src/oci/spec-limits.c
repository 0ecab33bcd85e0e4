/* Limits: memory, swap, CPU time and processes for the cgroup, rlimits for the process. */

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "oci/spec-parts.h"

#define CPU_PERIOD    100000 /* microseconds; the kernel's default, sched-bwc.rst */
#define CPU_QUOTA_MIN 1000   /* microseconds; the kernel's least */

/* Swap is counted by cgroup v2 wherever the kernel has swap, by v1 where it was booted to. */
static bool swap_is_counted(void) {
        if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
                return access("/proc/swaps", F_OK) == 0;
        return access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
}

static int memory_build(const SpecOptions *options, json_t *resources, Error *err) {
        _cleanup_json_ json_t *memory = NULL;
        int64_t swap = options->memory_swap;

        if (options->memory == 0 && swap != 0) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--memory-swap without --memory");
                return error_hint(err, "--memory-swap limits memory and swap together");
        }
        if (options->memory == 0)
                return 0;
        if (swap > 0 && swap < options->memory)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--memory-swap %lld is less than --memory %lld, which it includes",
                                 (long long) swap, (long long) options->memory);
        /* As podman and docker: as much swap as memory unless said otherwise, where swap can be limited. */
        if (swap == 0 && swap_is_counted() && options->memory <= INT64_MAX / 2)
                swap = 2 * options->memory;

        memory = json_pack("{s:I}", "limit", (json_int_t) options->memory);
        if (swap != 0 && part_set(memory, "swap", json_integer(swap), err) < 0)
                return -1;
        return part_set(resources, "memory", TAKE(memory), err);
}

static int cpu_build(const SpecOptions *options, json_t *resources, Error *err) {
        int64_t quota = (int64_t) ((__int128) options->nano_cpus * CPU_PERIOD / 1000000000);

        if (options->nano_cpus == 0)
                return 0;
        if (quota < CPU_QUOTA_MIN)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--cpus is less than 0.01, the least the kernel can give");
        return part_set(resources, "cpu", json_pack("{s:I, s:i}", "quota", (json_int_t) quota, "period", CPU_PERIOD), err);
}

/* Unlimited, 2^64 - 1, is more than jansson's integers hold: spec_save() writes that real as the integer. */
static json_t *limit_json(uint64_t limit) {
        return limit == UINT64_MAX ? json_real(0x1p64) : json_integer((json_int_t) limit);
}

static int rlimits_build(const SpecOptions *options, json_t *process, Error *err) {
        _cleanup_json_ json_t *rlimits = NULL;

        if (options->n_rlimits == 0)
                return 0;
        rlimits = json_array();
        for (size_t i = 0; i < options->n_rlimits; i++) {
                const SpecRlimit *limit = &options->rlimits[i];
                _cleanup_json_ json_t *entry = json_object();

                if (text_set(entry, "type", limit->type, "--ulimit", err) < 0)
                        return -1;
                if (part_set(entry, "soft", limit_json(limit->soft), err) < 0 || part_set(entry, "hard", limit_json(limit->hard), err) < 0)
                        return -1;
                if (part_append(rlimits, TAKE(entry), err) < 0)
                        return -1;
        }
        return part_set(process, "rlimits", TAKE(rlimits), err);
}

int limits_build(const SpecOptions *options, json_t *resources, json_t *process, Error *err) {
        if (memory_build(options, resources, err) < 0 || cpu_build(options, resources, err) < 0)
                return -1;
        if (options->pids_limit > 0 && part_set(resources, "pids", json_pack("{s:I}", "limit", (json_int_t) options->pids_limit), err) < 0)
                return -1;
        return rlimits_build(options, process, err);
}
