/* restart: stop and start again. */

#include <limits.h>

#include "cli/command.h"

typedef struct RestartArgs {
        int64_t timeout;
} RestartArgs;

static const Option restart_options[] = {
        OPT_INTEGER('t', "time", RestartArgs, timeout, "SECONDS", 0, INT_MAX,
                    "how long to wait before SIGKILL; the configuration's stop_timeout unless given"),
        OPT_END
};

static int restart_one(Cli *cli, const Call *call, const char *id, Error *err) {
        const RestartArgs *args = call->args;

        return lifecycle_restart(&cli->lifecycle, id, (int) args->timeout, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        return command_each(cli, call, restart_one, err);
}

const Command cmd_restart = {
        .name = "restart",
        .group = COMMANDS_LIFE,
        .summary = "stop containers made from images and start them again",
        .operands = "ID...",
        .examples = "proxmox-lxcri restart cache",
        .flags = COMMAND_EACH_CONTAINER,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { restart_options, NULL },
        .args_size = sizeof(RestartArgs),
        .defaults = &(const RestartArgs) { .timeout = -1 },
        .run = run,
};
