/* layer list: the unpacked layers of the store. */

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/images.h"
#include "store/layer.h"

#define SHORT_LEN 12 /* hex digits of a chainID in the table, as of an image */

typedef struct LayerListArgs {
        const char *format;
        bool quiet;
} LayerListArgs;

static const Option layer_list_options[] = {
        OPT_STRING('f', "format", LayerListArgs, format, "text|json", "form of the list"),
        OPT_FLAG('q', "quiet", LayerListArgs, quiet, "print chainIDs only"),
        OPT_END
};

static int row_json(const StoreLayer *layer, json_t *list, Error *err) {
        json_t *row = json_pack("{s:s, s:s, s:s*, s:I, s:I}", "chainID", layer->chain_id.text, "diffID", layer->diff_id.text, "parent",
                                layer->has_parent ? layer->parent.text : NULL, "size", (json_int_t) layer->size, "entries",
                                (json_int_t) layer->entries);

        return row && json_array_append_new(list, row) == 0 ? 0 : error_oom(err);
}

static int row_text(const StoreLayer *layer, Table *table, Error *err) {
        char id[SHORT_LEN + 1], parent[SHORT_LEN + 1] = "", size[SIZE_TEXT_MAX], entries[24];

        snprintf(id, sizeof(id), "%s", digest_hex(&layer->chain_id));
        if (layer->has_parent)
                snprintf(parent, sizeof(parent), "%s", digest_hex(&layer->parent));
        snprintf(entries, sizeof(entries), "%llu", (unsigned long long) layer->entries);
        return TABLE_ADD(table, err, id, parent, entries, size_text(layer->size, size));
}

/* All that can be listed is; a damaged record is an error all the same, once the others are shown. */
static int print(Cli *cli, Store *store, const Digest *layers, size_t n, const LayerListArgs *args, Error *err) {
        _cleanup_table_ Table table = TABLE_INIT("LAYER", "PARENT", "ENTRIES", "SIZE");
        bool json = args->format && args->format[0] == 'j', failed = false;
        _cleanup_json_ json_t *list = json_array();

        if (!list)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                Error mine = ERROR_INIT;
                StoreLayer layer;
                int r;

                if (args->quiet)
                        r = output_printf(&cli->out, err, "%s\n", layers[i].text);
                else if (store_layer_load(store, &layers[i], &layer, &mine) == 0)
                        r = json ? row_json(&layer, list, err) : row_text(&layer, &table, err);
                else {
                        if (failed)
                                report_error(&cli->report, err);
                        failed = true;
                        *err = mine;
                        continue;
                }
                if (r < 0)
                        return -1;
        }
        if (!args->quiet && (json ? output_json(&cli->out, list, err) : table_print(&table, &cli->out, err)) < 0)
                return -1;
        return failed ? -1 : 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_free_ Digest *layers = NULL;
        size_t n;

        if (cli_open_store(cli, STORE_READ, &store, err) < 0 || store_layers_list(store, &layers, &n, err) < 0)
                return -1;
        return print(cli, store, layers, n, call->args, err);
}

const Command cmd_layer_list = {
        .name = "layer list",
        .group = COMMANDS_IMAGES,
        .summary = "list the unpacked layers of the store",
        .description = "A layer is known by its chainID; images share what they have in common. SIZE is that of its tar.",
        .examples = "proxmox-lxcri layer list\nproxmox-lxcri layer list --format json | jq '[.[].size] | add'",
        .options = (const Option *const[]) { layer_list_options, NULL },
        .args_size = sizeof(LayerListArgs),
        .run = run,
};
