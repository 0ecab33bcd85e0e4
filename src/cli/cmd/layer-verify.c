/* layer verify: whether unpacked layers are what their records say, all in one batch. */

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/images.h"
#include "store/layer.h"

typedef struct LayerVerifyArgs {
        const char *format;
        bool quiet;
} LayerVerifyArgs;

static const Option layer_verify_options[] = {
        OPT_STRING('f', "format", LayerVerifyArgs, format, "text|json", "form of the results"),
        OPT_FLAG('q', "quiet", LayerVerifyArgs, quiet, "print only what is wrong"),
        OPT_END
};

static int print_text(Cli *cli, const VerifyResult *results, size_t n, bool quiet, Error *err) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_buf_ Buf problem = BUF_INIT(OUTPUT_MAX);
                bool wrong = results[i].kind != ERROR_NONE;

                if (!wrong && quiet)
                        continue;
                if (text_printable(&problem, results[i].problem ?: "right", false, err) < 0 ||
                    output_printf(&cli->out, err, "%s: %s%s%s\n", results[i].subject, wrong ? error_kind_name(results[i].kind) : "",
                                  wrong ? ": " : "", problem.data ?: "") < 0)
                        return -1;
        }
        return 0;
}

static int print_json(Cli *cli, const VerifyResult *results, size_t n, bool quiet, Error *err) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; list && i < n; i++) {
                bool wrong = results[i].kind != ERROR_NONE;
                json_t *row;

                if (!wrong && quiet)
                        continue;
                row = json_pack("{s:s, s:b, s:s*, s:s*}", "chainID", results[i].subject, "right", !wrong, "kind",
                                wrong ? error_kind_name(results[i].kind) : NULL, "problem", results[i].problem);
                if (!row || json_array_append_new(list, row) < 0)
                        return error_oom(err);
        }
        return list ? output_json(&cli->out, list, err) : error_oom(err);
}

static int judge(const VerifyResult *results, size_t n, Error *err) {
        const VerifyResult *first = NULL;
        size_t wrong = 0;

        for (size_t i = 0; i < n; i++) {
                wrong += results[i].kind != ERROR_NONE;
                if (results[i].kind != ERROR_NONE && !first)
                        first = &results[i];
        }
        if (!first)
                return 0;
        return error_set(err, first->kind, "%zu of %zu layers are wrong, first %s: %s", wrong, n, first->subject, first->problem);
}

/* The layers that were named, or all. */
static int find_layers(Store *store, const Call *call, Digest **ret, size_t *ret_n, Error *err) {
        _cleanup_free_ Digest *layers = NULL;

        if (call->n_operands == 0)
                return store_layers_list(store, ret, ret_n, err);
        layers = calloc(call->n_operands, sizeof(*layers));
        if (!layers)
                return error_oom(err);
        for (size_t i = 0; i < call->n_operands; i++)
                if (store_layer_find(store, call->operands[i], &layers[i], err) < 0)
                        return -1;
        *ret = TAKE(layers);
        *ret_n = call->n_operands;
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_free_ Digest *layers = NULL;
        const LayerVerifyArgs *args = call->args;
        const ImageModule *module;
        VerifyResult *results;
        size_t n;
        int r;

        if (cli_open_store(cli, STORE_READ, &store, err) < 0 || find_layers(store, call, &layers, &n, err) < 0)
                return -1;
        module = image_module(err);
        if (!module || module->verify_layers(store, layers, n, &results, err) < 0)
                return -1;
        r = args->format && args->format[0] == 'j' ? print_json(cli, results, n, args->quiet, err) :
                                                     print_text(cli, results, n, args->quiet, err);
        if (r == 0)
                r = judge(results, n, err);
        verify_results_free(results, n);
        return r;
}

const Command cmd_layer_verify = {
        .name = "layer verify",
        .group = COMMANDS_IMAGES,
        .summary = "check unpacked layers by their records and their places in the chain",
        .operands = "[LAYER...]",
        .description = "Without LAYER, all of the store are checked. What is in their blobs is 'image verify' to check.",
        .examples = "proxmox-lxcri layer verify\nproxmox-lxcri layer verify 3c1a2b4d5e6f",
        .flags = COMMAND_OWNERS,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { layer_verify_options, NULL },
        .args_size = sizeof(LayerVerifyArgs),
        .run = run,
};
