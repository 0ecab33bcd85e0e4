/* image load: all images of an archive into the store, under their own names. */

#include "base/cleanup.h"
#include "cli/images.h"
#include "cli/registry-options.h"
#include "image/admission.h"

typedef struct LoadArgs {
        const char *file;
        bool quiet;
        const char *signature_policy;
} LoadArgs;

static const Option load_options[] = {
        OPT_STRING('i', "input", LoadArgs, file, "FILE", "an OCI archive, a docker-archive, or the directory of an OCI layout"),
        OPT_FLAG('q', "quiet", LoadArgs, quiet, "print digests only, and no progress"),
        OPT_SIGNATURE_POLICY(LoadArgs, signature_policy),
        OPT_END
};

static int print_loaded(Cli *cli, const ImportedImage *images, size_t n, bool quiet, Error *err) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_buf_ Buf name = BUF_INIT(OUTPUT_MAX);

                if (text_printable(&name, images[i].name ?: "<none>", false, err) < 0 ||
                    (quiet ? output_printf(&cli->out, err, "%s\n", images[i].manifest.text) :
                             output_printf(&cli->out, err, "%s %s\n", name.data, images[i].manifest.text)) < 0)
                        return -1;
        }
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        ImageProgress progress = cli->lifecycle.observer.image_progress;
        _cleanup_(store_closep) Store *store = NULL;
        const LoadArgs *args = call->args;
        ImportedImage *images;
        size_t n;
        int r;

        if (!args->file)
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--input' is missing");
        const ImportRequest request = { .source = args->file, .all_names = true, .unpacked_max = (uint64_t) cli->config->layer_size_max };
        if (args->quiet)
                progress.report = NULL;
        if (cli_open_store(cli, STORE_CREATE, &store, err) < 0)
                return -1;
        if (image_admit(store, &request, args->signature_policy, &progress, &images, &n, err) < 0)
                return error_prefix(err, "load '%s'", args->file);
        progress_hide(&cli->progress);
        r = print_loaded(cli, images, n, args->quiet, err);
        imported_images_free(images, n);
        return r;
}

const Command cmd_image_load = {
        .name = "image load",
        .group = COMMANDS_IMAGES,
        .summary = "bring all images of an archive into the store",
        .description = "Every image gets the name that the archive has for it. 'image import' brings in one image, under a name of yours, "
                       "and root filesystems too.",
        .examples = "proxmox-lxcri image load -i redis.tar",
        .options = (const Option *const[]) { load_options, NULL },
        .args_size = sizeof(LoadArgs),
        .run = run,
};
