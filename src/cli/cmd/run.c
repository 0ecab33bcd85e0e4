/* run: create and start; in the foreground also wait, and pass the exit code on. */

#include "base/cleanup.h"
#include "cli/container-options.h"

static const Option run_options[] = {
        OPT_GROUP("Options of run"),
        OPT_FLAG(0, "rm", ContainerArgs, remove, "delete the container when it has ended"),
        OPT_FLAG(0, "keep", ContainerArgs, keep, "do not delete a bundle's container when it has ended"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(container_request_clear) ContainerRequest request = {};
        const ContainerArgs *args = call->args;

        if (args->remove && args->keep)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--rm and --keep exclude each other");
        if (container_request(cli, call, &request, err) < 0)
                return -1;
        return lifecycle_run(&cli->lifecycle, &request.request, &cli->exit_code, err);
}

const Command cmd_run = {
        .name = "run",
        .group = COMMANDS_LIFE,
        .summary = "make a container and start it",
        .operands = "ID [COMMAND [ARG...]]",
        .description = "Without --detach it waits, passes signals and standard streams on, and exits with the exit code of the "
                       "container's process, 128 + N when signal N killed it.\n\n"
                       "A bundle's container is deleted when it has ended, unless --keep is given. One from an image stays, stopped, and "
                       "can be started again, unless --rm is given.\n\n"
                       "Options stand before the ID: what follows it is the command that an image's container runs in place of the "
                       "image's own.",
        .examples = "proxmox-lxcri run --image debian:12 --rm box cat /etc/os-release\n"
                    "proxmox-lxcri run --image debian:12 --rm -t box bash  # with a terminal\n"
                    "proxmox-lxcri run -d --image redis:7 cache            # in the background; see 'logs cache'\n"
                    "proxmox-lxcri run --bundle /srv/web web",
        .flags = COMMAND_OPERANDS_END,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { container_options, run_options, container_image_options, policy_options,
                                                   registry_options, NULL },
        .args_size = sizeof(ContainerArgs),
        .clear = container_args_clear,
        .run = run,
};
