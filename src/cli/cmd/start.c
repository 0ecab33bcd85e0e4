/* start: let a created container run, or a stopped one from an image run again. */

#include "cli/command.h"

typedef struct StartArgs {
        bool attach;
} StartArgs;

static const Option start_options[] = {
        OPT_FLAG('a', "attach", StartArgs, attach, "stay in the foreground with the container's standard streams, and exit with its code"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const StartArgs *args = call->args;
        const StartRequest request = { .id = call->operands[0], .attach = args->attach };

        return lifecycle_start(&cli->lifecycle, &request, &cli->exit_code, err);
}

const Command cmd_start = {
        .name = "start",
        .group = COMMANDS_LIFE,
        .summary = "let the process of a created container run",
        .operands = "ID",
        .description = "A container made from an image that has ended, also by a reboot, is started again with the files it had.",
        .examples = "proxmox-lxcri start web\nproxmox-lxcri start --attach box",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { start_options, NULL },
        .args_size = sizeof(StartArgs),
        .run = run,
};
