/* features: the document of the runtime spec. */

#include "base/json.h"
#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *features = NULL;

        (void) call;
        if (lifecycle_features(&cli->lifecycle, &features, err) < 0)
                return -1;
        return output_json(&cli->out, features, err);
}

const Command cmd_features = {
        .name = "features",
        .group = COMMANDS_SETUP,
        .summary = "print what the runtime can do, as the runtime spec has it",
        .description = "It is about the runtime that a bundle without annotations would get: --runtime, the program's name, the "
                       "configuration. A version of a runtime that cannot tell is described by what its --version says.",
        .examples = "proxmox-lxcri features | jq -r .ociVersionMax\nproxmox-lxcri --runtime runc features",
        .run = run,
};
