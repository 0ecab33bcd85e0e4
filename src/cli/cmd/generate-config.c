/* generate-config: a bundle's config.json to begin with, on standard output. */

#include "base/json.h"
#include "cli/command.h"
#include "oci/runtime-spec.h"

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *spec = NULL;

        if (spec_default(&spec, err) < 0)
                return -1;
        return output_json(&cli->out, spec, err);
}

const Command cmd_generate_config = {
        .name = "generate-config",
        .group = COMMANDS_SETUP,
        .summary = "print a config.json for a new bundle",
        .examples = "proxmox-lxcri generate-config > config.json",
        .flags = COMMAND_PLAIN,
        .run = run,
};
