/* Copying, and saying what was copied. */

#include "cli/copying.h"

#include "base/cleanup.h"

int copy_run(Cli *cli, const CopyRequest *request, bool quiet, Error *err) {
        ImageProgress progress = cli->lifecycle.observer.image_progress;
        _cleanup_(store_closep) Store *store = NULL;
        const ImageModule *module;
        ImportedImage image;
        _cleanup_free_ char *name = NULL;
        _cleanup_buf_ Buf printable = BUF_INIT(OUTPUT_MAX);

        cli->progress.plain = !quiet;
        if (quiet)
                progress.report = NULL;
        if (cli_open_store(cli, STORE_CREATE, &store, err) < 0)
                return -1;
        module = image_module(err);
        if (!module || module->copy(store, request, &progress, &image, err) < 0)
                return -1;
        name = image.name;
        progress_hide(&cli->progress);
        if (quiet)
                return output_printf(&cli->out, err, "%s\n", image.manifest.text);
        if (text_printable(&printable, name ?: "<none>", false, err) < 0)
                return -1;
        return output_printf(&cli->out, err, "%s %s\n", printable.data, image.manifest.text);
}
