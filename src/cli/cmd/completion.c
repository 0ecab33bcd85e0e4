/* completion: scripts for shells. */

#include "cli/completion.h"

#include <string.h>

static int run(Cli *cli, const Call *call, Error *err) {
        static const struct {
                const char *shell;
                int (*print)(Output *out, Error *err);
        } shells[] = { { "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish } };

        for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
                if (!strcmp(call->operands[0], shells[i].shell))
                        return shells[i].print(&cli->out, err);
        error_set(err, ERROR_INVALID_ARGUMENT, "no completion for the shell '%s'", call->operands[0]);
        return error_hint(err, "bash, zsh or fish");
}

const Command cmd_completion = {
        .name = "completion",
        .group = COMMANDS_SETUP,
        .summary = "print a completion script for a shell",
        .operands = "SHELL",
        .description = "SHELL is bash, zsh or fish.",
        .examples = "source <(proxmox-lxcri completion bash)\n"
                    "proxmox-lxcri completion fish > ~/.config/fish/completions/proxmox-lxcri.fish",
        .flags = COMMAND_PLAIN,
        .min_operands = 1,
        .max_operands = 1,
        .run = run,
};
