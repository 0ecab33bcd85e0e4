/* inspect: all that is known of containers. */

#include "base/json.h"
#include "cli/command.h"

typedef struct Inspection {
        json_t *found;
} Inspection;

static int inspect_one(Cli *cli, const Call *call, const char *id, Error *err) {
        Inspection *inspection = call->args;
        json_t *container;

        if (lifecycle_inspect(&cli->lifecycle, id, &container, err) < 0)
                return -1;
        if (!inspection->found)
                inspection->found = json_array();
        return json_array_append_new(inspection->found, container) < 0 ? error_oom(err) : 0;
}

static void clear(void *args) {
        json_decref(((Inspection *) args)->found);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const Inspection *inspection = call->args;
        int r = command_each(cli, call, inspect_one, err);

        if (inspection->found && output_json(&cli->out, inspection->found, err) < 0)
                return -1;
        return r;
}

const Command cmd_inspect = {
        .name = "inspect",
        .group = COMMANDS_LOOK,
        .summary = "print all that is known of containers, as a JSON array",
        .operands = "ID...",
        .examples = "proxmox-lxcri inspect web | jq '.[0].mounts'",
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .args_size = sizeof(Inspection),
        .clear = clear,
        .run = run,
};
