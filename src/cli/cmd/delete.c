/* delete: remove containers. */

#include "cli/command.h"

typedef struct DeleteArgs {
        bool force, regex;
} DeleteArgs;

static const Option delete_options[] = {
        OPT_FLAG('f', "force", DeleteArgs, force, "kill it first when it runs; an ID that does not exist is no error"),
        OPT_FLAG('r', "regex", DeleteArgs, regex, "ID is an extended regular expression: every container that it matches"),
        OPT_END
};

static int delete_one(Cli *cli, const Call *call, const char *id, Error *err) {
        const DeleteArgs *args = call->args;

        return lifecycle_delete(&cli->lifecycle, id, args->force, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const DeleteArgs *args = call->args;

        return (args->regex ? command_each_match : command_each)(cli, call, delete_one, err);
}

const Command cmd_delete = {
        .name = "delete",
        .alias = "rm",
        .group = COMMANDS_LIFE,
        .summary = "remove containers that have ended",
        .operands = "ID...",
        .description = "What the container wrote to its own root filesystem goes with it; a bundle's directory stays.",
        .examples = "proxmox-lxcri delete web\nproxmox-lxcri delete --force web cache",
        .flags = COMMAND_EACH_CONTAINER,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { delete_options, NULL },
        .args_size = sizeof(DeleteArgs),
        .run = run,
};
