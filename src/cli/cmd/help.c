/* help: of the program or of one command; also as manual pages. */

#include "cli/help.h"

typedef struct HelpArgs {
        bool man;
} HelpArgs;

static const Option help_options[] = {
        OPT_FLAG(0, "man", HelpArgs, man, "as a manual page's source"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const HelpArgs *args = call->args;
        const Command *command;
        size_t n;

        if (call->n_operands == 0)
                return args->man ? man_program(&cli->out, err) : help_program(&cli->out, err);
        if (command_find(call->operands, &command, &n, err) == 0)
                return args->man ? man_command(command, &cli->out, err) : help_command(command, &cli->out, err);
        if (call->n_operands == 1 && help_family(call->operands[0], &cli->out, NULL) == 0) {
                *err = ERROR_INIT;
                return 0;
        }
        return -1;
}

const Command cmd_help = {
        .name = "help",
        .group = COMMANDS_SETUP,
        .summary = "show help for the program or for a command",
        .operands = "[COMMAND]",
        .examples = "proxmox-lxcri help run\nproxmox-lxcri help image import\nproxmox-lxcri help --man run | man -l -",
        .flags = COMMAND_PLAIN,
        .max_operands = 2,
        .options = (const Option *const[]) { help_options, NULL },
        .args_size = sizeof(HelpArgs),
        .run = run,
};
