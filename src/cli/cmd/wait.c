/* wait: until containers have ended. */

#include "cli/command.h"

static int wait_one(Cli *cli, const Call *call, const char *id, Error *err) {
        int code;

        if (lifecycle_wait(&cli->lifecycle, id, &code, err) < 0)
                return -1;
        if (output_printf(&cli->out, err, "%d\n", code) < 0)
                return -1;
        return output_flush(&cli->out, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        return command_each(cli, call, wait_one, err);
}

const Command cmd_wait = {
        .name = "wait",
        .group = COMMANDS_LIFE,
        .summary = "wait until containers have ended, and print their exit codes",
        .operands = "ID...",
        .examples = "proxmox-lxcri wait job",
        .flags = COMMAND_EACH_CONTAINER,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .run = run,
};
