/* start: let a created container run, or a stopped one from an image run again. */

#include "base/cleanup.h"
#include "cli/command.h"

typedef struct StartArgs {
        bool attach, on_boot;
} StartArgs;

static const Option start_options[] = {
        OPT_FLAG('a', "attach", StartArgs, attach, "stay in the foreground with the container's standard streams, and exit with its code"),
        OPT_FLAG(0, "on-boot", StartArgs, on_boot, "start every container that was made with --on-boot and does not run"),
        OPT_END
};

static int start_one(Cli *cli, const Call *call, const char *id, Error *err) {
        const StartArgs *args = call->args;
        const StartRequest request = { .id = id, .attach = args->attach };

        return lifecycle_start(&cli->lifecycle, &request, &cli->exit_code, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const StartArgs *args = call->args;

        if (args->on_boot == (call->n_operands > 0) || (args->on_boot && args->attach))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'start' needs an ID, or --on-boot and nothing else");
        return args->on_boot ? command_each_selected(cli, call, SELECT_ON_BOOT, start_one, err) : command_each(cli, call, start_one, err);
}

const Command cmd_start = {
        .name = "start",
        .group = COMMANDS_LIFE,
        .summary = "let the process of a created container run",
        .operands = "[ID]",
        .description = "A container made from an image that has ended, also by a reboot, is started again with the files it had.\n\n"
                       "What 'create' and 'run' made with --on-boot is started by 'start --on-boot', in the order of the IDs; one that "
                       "fails does not keep the others from starting. The unit proxmox-lxcri-on-boot.service runs it when the host "
                       "has booted.",
        .examples = "proxmox-lxcri start web\nproxmox-lxcri start --attach box\nproxmox-lxcri start --on-boot",
        .flags = COMMAND_OF_CONTAINER,
        .max_operands = 1,
        .options = (const Option *const[]) { start_options, NULL },
        .args_size = sizeof(StartArgs),
        .run = run,
};
