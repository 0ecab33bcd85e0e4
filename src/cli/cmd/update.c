/* update: other limits for a running container. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/command.h"
#include "oci/runtime-spec.h"

#define RESOURCES_MAX (1u << 20) /* bytes of a resources file; this program's own cap */

typedef struct UpdateArgs {
        const char *resources, *cpuset_cpus, *cpuset_mems, *l3_cache, *mem_bw;
        int64_t blkio_weight, cpu_period, cpu_quota, cpu_shares, cpu_rt_period, cpu_rt_runtime, cpu_burst, cpu_idle, pids;
        int64_t memory, reservation, swap, kernel, kernel_tcp;
} UpdateArgs;

/* No limit has this value, so it means "not given". */
#define UNSET INT64_MIN

static int take_size(void *target, const char *value, Error *err) {
        if (!strcmp(value, "-1")) {
                *(int64_t *) target = -1;
                return 0;
        }
        return spec_size(value, target, err);
}

#define OPT_SIZE(n, member, h)      OPT_CALL(0, n, UpdateArgs, member, "BYTES", take_size, h)
#define OPT_TIME(n, member, low, h) OPT_INTEGER(0, n, UpdateArgs, member, "MICROSECONDS", low, INT64_MAX, h)

static const Option update_options[] = {
        OPT_STRING('r', "resources", UpdateArgs, resources, "FILE", "a resources object of the runtime spec; '-' reads standard input"),
        OPT_SIZE("memory", memory, "memory it may use, such as 512m; -1 for no limit"),
        OPT_SIZE("memory-reservation", reservation, "memory it is left with when memory is short"),
        OPT_SIZE("memory-swap", swap, "memory and swap together; -1 for no limit"),
        OPT_SIZE("kernel-memory", kernel, "memory the kernel may use for it (crun, on cgroup v1)"),
        OPT_SIZE("kernel-memory-tcp", kernel_tcp, "memory for its TCP buffers (crun, on cgroup v1)"),
        OPT_TIME("cpu-period", cpu_period, 0, "the period in which the quota counts"),
        OPT_TIME("cpu-quota", cpu_quota, -1, "processor time it may use in a period"),
        OPT_TIME("cpu-burst", cpu_burst, 0, "processor time it may save up for later periods (runc since 1.2)"),
        OPT_TIME("cpu-rt-period", cpu_rt_period, 0, "the period for realtime tasks"),
        OPT_TIME("cpu-rt-runtime", cpu_rt_runtime, -1, "processor time of realtime tasks in a period"),
        OPT_INTEGER(0, "cpu-share", UpdateArgs, cpu_shares, "N", 0, INT64_MAX, "its weight against others"),
        OPT_INTEGER(0, "cpu-idle", UpdateArgs, cpu_idle, "N", 0, 1, "1: it runs only when nothing else does (runc since 1.2)"),
        OPT_STRING(0, "cpuset-cpus", UpdateArgs, cpuset_cpus, "LIST", "processors it may use, such as 0-2,4"),
        OPT_STRING(0, "cpuset-mems", UpdateArgs, cpuset_mems, "LIST", "memory nodes it may use"),
        OPT_INTEGER(0, "pids-limit", UpdateArgs, pids, "N", -1, INT64_MAX, "processes it may have; -1 for no limit"),
        OPT_INTEGER(0, "blkio-weight", UpdateArgs, blkio_weight, "N", 10, 1000, "its weight for block devices"),
        OPT_STRING(0, "l3-cache-schema", UpdateArgs, l3_cache, "SCHEMA", "its part of the L3 cache (Intel RDT)"),
        OPT_STRING(0, "mem-bw-schema", UpdateArgs, mem_bw, "SCHEMA", "its part of the memory bandwidth (Intel RDT)"),
        OPT_END
};

static int load_resources(const char *path, json_t **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (strcmp(path, "-") != 0)
                return json_load_at(AT_FDCWD, path, RESOURCES_MAX, ret, err);
        if (file_read_fd(STDIN_FILENO, "standard input", RESOURCES_MAX, &text, &len, err) < 0)
                return -1;
        return json_parse(text, len, "standard input", ret, err);
}

/* Sets GROUP.KEY, making the group; takes over @value. */
static int set(json_t *resources, const char *group, const char *key, json_t *value) {
        json_t *object = json_object_get(resources, group);

        if (!object) {
                object = json_object();
                if (json_object_set_new(resources, group, object) < 0) {
                        json_decref(value);
                        return -1;
                }
        }
        return json_object_set_new(object, key, value);
}

static int make_resources(const UpdateArgs *args, json_t **ret, Error *err) {
        const struct {
                const char *group, *key;
                int64_t value;
        } numbers[] = {
                { "memory", "limit", args->memory },
                { "memory", "reservation", args->reservation },
                { "memory", "swap", args->swap },
                { "memory", "kernel", args->kernel },
                { "memory", "kernelTCP", args->kernel_tcp },
                { "cpu", "period", args->cpu_period },
                { "cpu", "quota", args->cpu_quota },
                { "cpu", "burst", args->cpu_burst },
                { "cpu", "realtimePeriod", args->cpu_rt_period },
                { "cpu", "realtimeRuntime", args->cpu_rt_runtime },
                { "cpu", "shares", args->cpu_shares },
                { "cpu", "idle", args->cpu_idle },
                { "pids", "limit", args->pids },
                { "blockIO", "weight", args->blkio_weight },
        };
        _cleanup_json_ json_t *resources = json_object();
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (numbers[i].value != UNSET)
                        r |= set(resources, numbers[i].group, numbers[i].key, json_integer(numbers[i].value));
        if (args->cpuset_cpus)
                r |= set(resources, "cpu", "cpus", json_string(args->cpuset_cpus));
        if (args->cpuset_mems)
                r |= set(resources, "cpu", "mems", json_string(args->cpuset_mems));
        if (r < 0 || !resources)
                return error_oom(err);
        *ret = TAKE(resources);
        return 0;
}

/* An option that says what a resources file says as well. */
static const Option *other_option(const Call *call) {
        for (size_t i = 0; i < call->n_given; i++)
                if (options_contain(update_options, call->given[i]) && call->given[i]->letter != 'r')
                        return call->given[i];
        return NULL;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *resources = NULL;
        const UpdateArgs *args = call->args;

        if (args->resources && other_option(call))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--resources and '--%s' exclude each other", other_option(call)->name);
        if ((args->resources ? load_resources(args->resources, &resources, err) : make_resources(args, &resources, err)) < 0)
                return -1;
        if (spec_resources_check(resources, err) < 0)
                return -1;

        const BackendUpdate request = { .resources = resources, .l3_cache_schema = args->l3_cache, .mem_bw_schema = args->mem_bw };

        return lifecycle_update(&cli->lifecycle, call->operands[0], &request, err);
}

const Command cmd_update = {
        .name = "update",
        .group = COMMANDS_LIFE,
        .summary = "change the limits of a running container",
        .operands = "ID",
        .description = "What the runtime would pass over is refused. A resources file may say again what the container has anyway.",
        .examples = "proxmox-lxcri update --memory 536870912 web\nproxmox-lxcri update --resources limits.json web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { update_options, NULL },
        .args_size = sizeof(UpdateArgs),
        .defaults = &(const UpdateArgs) {
                .blkio_weight = UNSET, .cpu_period = UNSET, .cpu_quota = UNSET, .cpu_shares = UNSET, .cpu_rt_period = UNSET,
                .cpu_rt_runtime = UNSET, .cpu_burst = UNSET, .cpu_idle = UNSET, .pids = UNSET, .memory = UNSET,
                .reservation = UNSET, .swap = UNSET, .kernel = UNSET, .kernel_tcp = UNSET,
        },
        .run = run,
};
