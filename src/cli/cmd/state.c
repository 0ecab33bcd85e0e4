/* state: the document of the runtime spec. */

#include "base/json.h"
#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *state = NULL;

        if (lifecycle_state(&cli->lifecycle, call->operands[0], &state, err) < 0)
                return -1;
        return output_json(&cli->out, state, err);
}

const Command cmd_state = {
        .name = "state",
        .group = COMMANDS_LOOK,
        .summary = "print the state of a container, as the runtime spec has it",
        .operands = "ID",
        .description = "It never waits: a container that is just being made is 'creating'.",
        .examples = "proxmox-lxcri state web | jq -r .status",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .run = run,
};
