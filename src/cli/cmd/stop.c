/* stop: end containers, politely first. */

#include <limits.h>

#include "cli/command.h"

typedef struct StopArgs {
        int64_t timeout;
        bool all;
} StopArgs;

static const Option stop_options[] = {
        OPT_INTEGER('t', "time", StopArgs, timeout, "SECONDS", 0, INT_MAX,
                    "how long to wait before SIGKILL; the configuration's stop_timeout unless given"),
        OPT_FLAG('a', "all", StopArgs, all, "every container made from an image that runs"),
        OPT_END
};

static int stop_one(Cli *cli, const Call *call, const char *id, Error *err) {
        const StopArgs *args = call->args;

        return lifecycle_stop(&cli->lifecycle, id, (int) args->timeout, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const StopArgs *args = call->args;

        if (args->all == (call->n_operands > 0))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'stop' needs IDs, or --all and no ID");
        return args->all ? command_each_selected(cli, call, SELECT_RUNNING, stop_one, err) : command_each(cli, call, stop_one, err);
}

const Command cmd_stop = {
        .name = "stop",
        .group = COMMANDS_LIFE,
        .summary = "end containers: the stop signal, then SIGKILL",
        .operands = "[ID...]",
        .description = "The stop signal is the image's, or what --stop-signal said when the container was made, or TERM (RTMIN+3 for an "
                       "init). A container "
                       "that has ended already is no error.",
        .examples = "proxmox-lxcri stop web\nproxmox-lxcri stop --time 60 database",
        .flags = COMMAND_EACH_CONTAINER,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { stop_options, NULL },
        .args_size = sizeof(StopArgs),
        .defaults = &(const StopArgs) { .timeout = -1 },
        .run = run,
};
