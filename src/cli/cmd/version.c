/* version: of the program and of the specifications it follows. */

#include <jansson.h>

#include "cli/command.h"

#define RUNTIME_SPEC_VERSION "1.3.0" /* the newest runtime-spec whose fields are known */

static int run(Cli *cli, const Call *call, Error *err) {
        if (output_printf(&cli->out, err, "proxmox-lxcri version %s\nspec: %s\n", PROJECT_VERSION, RUNTIME_SPEC_VERSION) < 0 ||
            output_printf(&cli->out, err, "jansson: %s\nruntimes:", jansson_version_str()) < 0)
                return -1;
        for (size_t i = 0; backend_at(i); i++)
                if (output_printf(&cli->out, err, " %s", backend_at(i)->name) < 0)
                        return -1;
        return output_printf(&cli->out, err, "\n");
}

const Command cmd_version = {
        .name = "version",
        .group = COMMANDS_SETUP,
        .summary = "show the version of the program and of the specifications it follows",
        .flags = COMMAND_PLAIN,
        .run = run,
};
