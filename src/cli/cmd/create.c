/* create: the nine phases, up to a container whose process waits for start. */

#include "base/cleanup.h"
#include "cli/container-options.h"

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(container_request_clear) ContainerRequest request = {};

        if (container_request(cli, call, &request, err) < 0)
                return -1;
        return lifecycle_create(&cli->lifecycle, &request.request, err);
}

const Command cmd_create = {
        .name = "create",
        .group = COMMANDS_LIFE,
        .summary = "make a container; 'start' lets its process run",
        .operands = "ID [COMMAND [ARG...]]",
        .description = "Makes a container from a bundle (a directory with config.json and a root filesystem) or from an image of the "
                       "store. Either all of it succeeds, or what was done is undone.\n\n"
                       "Options stand before the ID: what follows it is the command that an image's container runs in place of the "
                       "image's own.\n\n"
                       "Options other than those under 'Options' go with --image; a bundle's config.json says for itself how it runs.",
        .examples = "proxmox-lxcri create --bundle /srv/web web          # from a bundle\n"
                    "proxmox-lxcri create --image redis:7 -m 512m cache  # from an image, with a limit\n"
                    "proxmox-lxcri --timings create --image debian:12 box sleep 1h",
        .flags = COMMAND_OPERANDS_END,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { container_options, container_image_options, policy_options, registry_options, NULL },
        .args_size = sizeof(ContainerArgs),
        .clear = container_args_clear,
        .run = run,
};
