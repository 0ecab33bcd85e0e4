/* resume: let a paused container go on. */

#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        return lifecycle_resume(&cli->lifecycle, call->operands[0], err);
}

const Command cmd_resume = {
        .name = "resume",
        .alias = "unpause",
        .group = COMMANDS_LIFE,
        .summary = "let a paused container go on",
        .operands = "ID",
        .examples = "proxmox-lxcri resume web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .run = run,
};
