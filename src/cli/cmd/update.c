/* update: other limits for a running container. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/command.h"

#define RESOURCES_MAX (1u << 20) /* bytes of a resources file; this program's own cap */

typedef struct UpdateArgs {
        const char *resources, *cpuset_cpus, *cpuset_mems;
        int64_t blkio_weight, cpu_period, cpu_quota, cpu_shares, memory, reservation, swap, pids;
} UpdateArgs;

/* No limit has this value, so it means "not given". */
#define UNSET INT64_MIN

static const Option update_options[] = {
        OPT_STRING('r', "resources", UpdateArgs, resources, "FILE", "a resources object of the runtime spec; '-' reads standard input"),
        OPT_INTEGER(0, "memory", UpdateArgs, memory, "BYTES", -1, INT64_MAX, "memory it may use"),
        OPT_INTEGER(0, "memory-reservation", UpdateArgs, reservation, "BYTES", -1, INT64_MAX,
                    "memory it is left with when memory is short"),
        OPT_INTEGER(0, "memory-swap", UpdateArgs, swap, "BYTES", -1, INT64_MAX, "memory and swap together; -1 for no limit"),
        OPT_INTEGER(0, "cpu-period", UpdateArgs, cpu_period, "MICROSECONDS", 0, INT64_MAX, "the period in which the quota counts"),
        OPT_INTEGER(0, "cpu-quota", UpdateArgs, cpu_quota, "MICROSECONDS", -1, INT64_MAX, "processor time it may use in a period"),
        OPT_INTEGER(0, "cpu-share", UpdateArgs, cpu_shares, "N", 0, INT64_MAX, "its weight against others"),
        OPT_STRING(0, "cpuset-cpus", UpdateArgs, cpuset_cpus, "LIST", "processors it may use, such as 0-2,4"),
        OPT_STRING(0, "cpuset-mems", UpdateArgs, cpuset_mems, "LIST", "memory nodes it may use"),
        OPT_INTEGER(0, "pids-limit", UpdateArgs, pids, "N", -1, INT64_MAX, "processes it may have; -1 for no limit"),
        OPT_INTEGER(0, "blkio-weight", UpdateArgs, blkio_weight, "N", 10, 1000, "its weight for block devices"),
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
                { "memory", "limit", args->memory },     { "memory", "reservation", args->reservation },
                { "memory", "swap", args->swap },        { "cpu", "period", args->cpu_period },
                { "cpu", "quota", args->cpu_quota },     { "cpu", "shares", args->cpu_shares },
                { "pids", "limit", args->pids },         { "blockIO", "weight", args->blkio_weight },
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
        if (!args->resources && json_object_size(resources) == 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "nothing to update for '%s'", call->operands[0]);
        return lifecycle_update(&cli->lifecycle, call->operands[0], resources, err);
}

const Command cmd_update = {
        .name = "update",
        .group = COMMANDS_LIFE,
        .summary = "change the limits of a running container",
        .operands = "ID",
        .examples = "proxmox-lxcri update --memory 536870912 web\nproxmox-lxcri update --resources limits.json web",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { update_options, NULL },
        .args_size = sizeof(UpdateArgs),
        .defaults = &(const UpdateArgs) {
                .blkio_weight = UNSET, .cpu_period = UNSET, .cpu_quota = UNSET, .cpu_shares = UNSET,
                .memory = UNSET, .reservation = UNSET, .swap = UNSET, .pids = UNSET,
        },
        .run = run,
};
