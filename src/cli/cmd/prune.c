/* prune: give back the space of what nothing refers to. */

#include "base/json.h"
#include "cli/images.h"

typedef struct PruneArgs {
        bool dry_run;
        const char *format;
} PruneArgs;

static const Option prune_options[] = {
        OPT_FLAG('n', "dry-run", PruneArgs, dry_run, "only say what would be removed"),
        OPT_STRING('f', "format", PruneArgs, format, "text|json", "form of the answer"),
        OPT_END
};

static int print_json(Cli *cli, const PruneResult *result, Error *err) {
        _cleanup_json_ json_t *object = NULL;

        object = json_pack("{s:I, s:I, s:I, s:I, s:I}",
                           "blobs", (json_int_t) result->blobs,
                           "layers", (json_int_t) result->layers,
                           "images", (json_int_t) result->images,
                           "temporary", (json_int_t) result->temporary,
                           "bytes", (json_int_t) result->bytes);
        return object ? output_json(&cli->out, object, err) : error_oom(err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        const PruneArgs *args = call->args;
        const ImageModule *module;
        char size[SIZE_TEXT_MAX];
        PruneResult result = {};

        if (cli_open_store(cli, STORE_READ, &store, err) < 0)
                return -1;
        /* A store that does not exist has nothing to remove. */
        if (store_fd(store) >= 0) {
                module = image_module(err);
                if (!module || module->prune(store, args->dry_run, &result, err) < 0)
                        return -1;
        }
        if (args->format && args->format[0] == 'j')
                return print_json(cli, &result, err);
        return output_printf(&cli->out, err, "%s %lu blobs, %lu layers, %lu image records and %lu unfinished things: %s\n",
                             args->dry_run ? "would remove" : "removed", (unsigned long) result.blobs, (unsigned long) result.layers,
                             (unsigned long) result.images, (unsigned long) result.temporary, size_text(result.bytes, size));
}

const Command cmd_prune = {
        .name = "prune",
        .group = COMMANDS_IMAGES,
        .summary = "remove blobs, layers and leftovers that nothing refers to",
        .description = "What a name or a container refers to stays, and what is mounted.",
        .examples = "proxmox-lxcri prune --dry-run\nproxmox-lxcri prune",
        .flags = COMMAND_OWNERS,
        .options = (const Option *const[]) { prune_options, NULL },
        .args_size = sizeof(PruneArgs),
        .run = run,
};
