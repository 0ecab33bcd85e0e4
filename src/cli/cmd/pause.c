/* pause: freeze a container's processes. */

#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        return lifecycle_pause(&cli->lifecycle, call->operands[0], err);
}

const Command cmd_pause = {
        .name = "pause",
        .group = COMMANDS_LIFE,
        .summary = "freeze all processes of a container",
        .operands = "ID",
        .examples = "proxmox-lxcri pause web\nproxmox-lxcri resume web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .run = run,
};
