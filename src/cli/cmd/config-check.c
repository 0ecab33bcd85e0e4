/* config check: whether a configuration file is right, before anything relies on it. */

#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        if (config_load(call->n_operands ? call->operands[0] : cli->global.config, &cli->config, err) < 0)
                return -1;
        return output_printf(&cli->out, err, "%s: right\n", cli->config->path ?: "no configuration file; the defaults");
}

const Command cmd_config_check = {
        .name = "config check",
        .alias = "config validate",
        .group = COMMANDS_SETUP,
        .summary = "check a configuration file",
        .operands = "[FILE]",
        .description = "Without FILE it is the one that other commands would read.",
        .examples = "proxmox-lxcri config check ./config.json",
        .flags = COMMAND_PLAIN,
        .max_operands = 1,
        .run = run,
};
