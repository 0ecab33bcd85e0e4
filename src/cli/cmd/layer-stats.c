/* layer stats: how much there is, and what unpacks it. */

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/images.h"
#include "store/layer.h"

typedef struct LayerStatsArgs {
        const char *format;
} LayerStatsArgs;

static const Option layer_stats_options[] = {
        OPT_STRING('f', "format", LayerStatsArgs, format, "text|json", "form of the answer"),
        OPT_END
};

typedef struct Totals {
        uint64_t layers, bases, size, entries;
} Totals;

static int count(Store *store, Totals *totals, Error *err) {
        _cleanup_free_ Digest *layers = NULL;
        size_t n;

        if (store_layers_list(store, &layers, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                StoreLayer layer;

                if (store_layer_load(store, &layers[i], &layer, err) < 0)
                        return -1;
                totals->layers++;
                totals->bases += !layer.has_parent;
                totals->size += layer.size;
                totals->entries += layer.entries;
        }
        return 0;
}

static int print_json(Cli *cli, const Totals *totals, const ImageEngine *engine, Error *err) {
        _cleanup_json_ json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:i}",
                                                  "layers", (json_int_t) totals->layers,
                                                  "bases", (json_int_t) totals->bases,
                                                  "entries", (json_int_t) totals->entries,
                                                  "size", (json_int_t) totals->size,
                                                  "gzip", engine->gzip,
                                                  "zstd", engine->zstd,
                                                  "workers", (int) engine->workers);

        return object ? output_json(&cli->out, object, err) : error_oom(err);
}

static int print_text(Cli *cli, const Totals *totals, const ImageEngine *engine, Error *err) {
        char size[SIZE_TEXT_MAX];

        return output_printf(&cli->out, err,
                             "layers   %llu, of which %llu stand on no other\n"
                             "entries  %llu\n"
                             "size     %s\n"
                             "gzip     %s\n"
                             "zstd     %s\n"
                             "workers  %u\n",
                             (unsigned long long) totals->layers, (unsigned long long) totals->bases, (unsigned long long) totals->entries,
                             size_text(totals->size, size), engine->gzip, engine->zstd, engine->workers);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        const LayerStatsArgs *args = call->args;
        const ImageModule *module = image_module(err);
        ImageEngine engine;
        Totals totals = {};

        if (!module || cli_open_store(cli, STORE_READ, &store, err) < 0 || count(store, &totals, err) < 0)
                return -1;
        module->engine(&engine);
        return args->format && args->format[0] == 'j' ? print_json(cli, &totals, &engine, err) : print_text(cli, &totals, &engine, err);
}

const Command cmd_layer_stats = {
        .name = "layer stats",
        .group = COMMANDS_IMAGES,
        .summary = "print how many layers are unpacked, their size, and what unpacks them",
        .description = "gzip and zstd are the libraries that decompress; workers is how many layers are unpacked at once.",
        .examples = "proxmox-lxcri layer stats\nproxmox-lxcri layer stats --format json | jq .gzip",
        .flags = COMMAND_OWNERS,
        .options = (const Option *const[]) { layer_stats_options, NULL },
        .args_size = sizeof(LayerStatsArgs),
        .run = run,
};
