/* image save: an image of the store as an archive. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/copying.h"

typedef struct SaveArgs {
        const char *file, *format;
        bool all_platforms, quiet;
} SaveArgs;

static const Option save_options[] = {
        OPT_STRING('o', "output", SaveArgs, file, "FILE", "where to; it is there when it is whole"),
        OPT_STRING(0, "format", SaveArgs, format, "oci-archive|docker-archive", "docker-archive unless given"),
        OPT_FLAG(0, "all-platforms", SaveArgs, all_platforms, "all of an index; with oci-archive"),
        OPT_FLAG('q', "quiet", SaveArgs, quiet, "print the digest only, and no progress"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const SaveArgs *args = call->args;
        _cleanup_free_ char *target = NULL;

        if (!args->file)
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--output' is missing");
        if (strchr(args->file, ':'))
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--output': a path with ':' is not supported");
        if (string_format(&target, err, "%s:%s", args->format ?: "docker-archive", args->file) < 0)
                return -1;
        const CopyRequest request = {
                .source = call->operands[0],
                .target = target,
                .all_platforms = args->all_platforms,
                .unpacked_max = (uint64_t) cli->config->layer_size_max,
        };
        return copy_run(cli, &request, args->quiet, err);
}

const Command cmd_image_save = {
        .name = "image save",
        .group = COMMANDS_IMAGES,
        .summary = "write an image to an archive",
        .operands = "IMAGE",
        .examples = "proxmox-lxcri image save redis:7 -o redis.tar\n"
                    "proxmox-lxcri image save redis:7 -o redis.tar --format oci-archive",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { save_options, NULL },
        .args_size = sizeof(SaveArgs),
        .run = run,
};
