/* image import: bring images into the store. */

#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/images.h"
#include "cli/registry-options.h"
#include "image/admission.h"

typedef struct ImportArgs {
        bool all, quiet, unpack;
        Platform platform;
        const char *signature_policy;
} ImportArgs;

static const Option import_options[] = {
        OPT_CALL(0, "platform", ImportArgs, platform, "OS/ARCH[/VARIANT]", platform_take,
                 "which platform's image to take; this machine's unless given"),
        OPT_FLAG(0, "all", ImportArgs, all, "take every image of an archive that holds several"),
        OPT_FLAG(0, "unpack", ImportArgs, unpack, "unpack the layers in the same pass, so that the first container need not"),
        OPT_FLAG('q', "quiet", ImportArgs, quiet, "print digests only"),
        OPT_SIGNATURE_POLICY(ImportArgs, signature_policy),
        OPT_END
};

static void clear(void *arguments) {
        ImportArgs *args = arguments;

        platform_clear(&args->platform);
}

static int print_imported(Cli *cli, const ImportedImage *images, size_t n, bool quiet, Error *err) {
        char size[SIZE_TEXT_MAX];

        for (size_t i = 0; i < n; i++) {
                _cleanup_buf_ Buf name = BUF_INIT(OUTPUT_MAX);
                int r;

                if (text_printable(&name, images[i].name ?: "<none>", false, err) < 0)
                        return -1;
                if (quiet)
                        r = output_printf(&cli->out, err, "%s\n", images[i].manifest.text);
                else
                        r = output_printf(&cli->out, err, "%s %s %s\n", name.data, images[i].manifest.text,
                                          size_text(images[i].size, size));
                if (r < 0)
                        return -1;
        }
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        const ImportArgs *args = call->args;
        ImportedImage *images;
        size_t n;
        int r;

        const ImportRequest request = {
                .source = call->operands[0],
                .name = call->n_operands > 1 ? call->operands[1] : NULL,
                .platform = args->platform.os ? &args->platform : NULL,
                .all_names = args->all,
                .unpack = args->unpack,
                .drop_blobs = !cli->config->keep_blobs,
                .workers = (unsigned) cli->config->workers,
                .unpacked_max = (uint64_t) cli->config->layer_size_max,
        };

        if (cli_open_store(cli, STORE_CREATE, &store, err) < 0)
                return -1;
        if (image_admit(store, &request, args->signature_policy, &cli->lifecycle.observer.image_progress, &images, &n, err) < 0)
                return error_prefix(err, "import '%s'", request.source);
        progress_hide(&cli->progress);
        r = print_imported(cli, images, n, args->quiet, err);
        imported_images_free(images, n);
        return r;
}

const Command cmd_image_import = {
        .name = "image import",
        .group = COMMANDS_IMAGES,
        .summary = "bring an image into the store",
        .operands = "FILE [NAME]",
        .description = "FILE is an OCI layout directory, an OCI archive or a docker-archive (plain, gzip or zstd), or a root filesystem "
                       "as a tar or a directory. Its kind is found by looking; oci:, oci-archive:, docker-archive: and dir: before it "
                       "say it outright. NAME defaults to what the source says of itself; a root filesystem needs one.\n\n"
                       "Every blob's digest and size and every layer's diffID are checked; a source that fails leaves nothing behind.",
        .examples = "proxmox-lxcri image import redis.tar\n"
                    "proxmox-lxcri image import oci:./layout:v2 registry.example/app:v2\n"
                    "proxmox-lxcri image import dir:/srv/debian-root debian:mine",
        .min_operands = 1,
        .max_operands = 2,
        .options = (const Option *const[]) { import_options, NULL },
        .args_size = sizeof(ImportArgs),
        .clear = clear,
        .run = run,
};
