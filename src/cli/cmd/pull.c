/* pull: images from their registries into the store. */

#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/registry-options.h"
#include "image/pull.h"

typedef struct PullArgs {
        RegistryArgs registry; /* first */
        Platform platform;
        bool all_platforms, unpack, quiet;
        Store *store;
} PullArgs;

static const Option pull_options[] = {
        OPT_CALL(0, "platform", PullArgs, platform, "OS/ARCH[/VARIANT]", platform_take,
                 "which platform's image to take; this machine's unless given"),
        OPT_FLAG(0, "all-platforms", PullArgs, all_platforms, "take the images of all platforms, under one name"),
        OPT_FLAG(0, "unpack", PullArgs, unpack, "unpack the layers in the same pass, not when a container is made"),
        OPT_FLAG('q', "quiet", PullArgs, quiet, "print digests only, and no progress"),
        OPT_END
};

static void clear(void *arguments) {
        PullArgs *args = arguments;

        platform_clear(&args->platform);
        store_close(args->store);
}

static int pull_one(Cli *cli, const Call *call, const char *name, Error *err) {
        const PullArgs *args = call->args;
        const RegistryOptions registry = registry_request(cli, call, &args->registry);
        ImageProgress progress = cli->lifecycle.observer.image_progress;
        char size[SIZE_TEXT_MAX];
        ImportedImage image;
        int r;

        const PullRequest request = {
                .name = name,
                .platform = args->platform.os ? &args->platform : NULL,
                .all_platforms = args->all_platforms,
                .registry = &registry,
                .unpack = args->unpack,
                .drop_blobs = !cli->config->keep_blobs,
                .workers = (unsigned) cli->config->workers,
                .unpacked_max = (uint64_t) cli->config->layer_size_max,
                .signature_policy = args->registry.signature_policy,
        };

        cli->progress.plain = !args->quiet;
        if (args->quiet)
                progress.report = NULL;
        if (image_pull(args->store, &request, &progress, &image, err) < 0)
                return error_prefix(err, "pull '%s'", name);
        progress_hide(&cli->progress);
        if (args->quiet)
                r = output_printf(&cli->out, err, "%s\n", image.manifest.text);
        else
                r = output_printf(&cli->out, err, "%s %s %s\n", image.name, image.manifest.text, size_text(image.size, size));
        free(image.name);
        return r;
}

static int run(Cli *cli, const Call *call, Error *err) {
        PullArgs *args = call->args;

        if (args->all_platforms && args->platform.os)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--platform and --all-platforms exclude each other");
        if (cli_open_store(cli, STORE_CREATE, &args->store, err) < 0)
                return -1;
        return command_each(cli, call, pull_one, err);
}

const Command cmd_pull = {
        .name = "pull",
        .group = COMMANDS_IMAGES,
        .summary = "fetch images from their registries into the store",
        .operands = "IMAGE...",
        .description = "IMAGE is a reference such as redis:7 or registry.example/team/app@sha256:… Short names mean what registries.conf "
                       "says, and Docker Hub otherwise; mirrors, rewriting, insecure and blocked registries are taken from there too.\n\n"
                       "What is in the store already is not fetched again. A pull that was cut off goes on where it stopped.\n\n"
                       "Whether an image may come in is said by policy.json; signatures are verified before anything but the manifest "
                       "is fetched.",
        .examples = "proxmox-lxcri pull redis:7\n"
                    "proxmox-lxcri pull --platform linux/arm64 alpine\n"
                    "proxmox-lxcri pull --tls-verify=false localhost:5000/app:v1   # plain HTTP",
        .flags = COMMAND_OWNERS,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { pull_options, policy_options, registry_options, NULL },
        .args_size = sizeof(PullArgs),
        .clear = clear,
        .run = run,
};
