/* copy: an image between registries, layouts, archives and the store. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/copying.h"
#include "image/admission.h"
#include "image/pull.h"

typedef struct CopyArgs {
        RegistryArgs registry; /* first */
        const char *source_creds, *target_creds;
        Platform platform;
        bool all_platforms, quiet;
} CopyArgs;

static const Option copy_options[] = {
        OPT_CALL(0, "platform", CopyArgs, platform, "OS/ARCH[/VARIANT]", platform_take,
                 "which platform's image of an index to copy; this machine's unless given"),
        OPT_FLAG(0, "all-platforms", CopyArgs, all_platforms, "copy all of an index"),
        OPT_STRING(0, "src-creds", CopyArgs, source_creds, "USER[:PASSWORD]", "credentials for the source alone"),
        OPT_STRING(0, "dest-creds", CopyArgs, target_creds, "USER[:PASSWORD]", "credentials for the target alone"),
        OPT_FLAG('q', "quiet", CopyArgs, quiet, "print the digest only, and no progress"),
        OPT_END
};

static void clear(void *arguments) {
        platform_clear(&((CopyArgs *) arguments)->platform);
}

static bool names_a_place(const char *text) {
        static const char *const prefixes[] = { "docker://", "oci:", "oci-archive:", "docker-archive:" };

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
                        return true;
        return false;
}

static int print(Cli *cli, ImportedImage *image, bool quiet, Error *err) {
        _cleanup_free_ char *name = TAKE(image->name);

        progress_hide(&cli->progress);
        return quiet ? output_printf(&cli->out, err, "%s\n", image->manifest.text) :
                       output_printf(&cli->out, err, "%s %s\n", name, image->manifest.text);
}

/* From what a name of the store stands for to one platform's image. */
static int choose_platform(Store *store, const Platform *platform, Descriptor *descriptor, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        const ImageModule *module = image_module(err);
        const bool chosen = descriptor->type == MEDIA_INDEX;

        if (!module || module->resolve(store, descriptor, platform, &image, descriptor, err) < 0 ||
            (!chosen && store_image_config(store, image, &config, err) < 0))
                return -1;
        return chosen ? 0 : platform_check(platform, &(Platform) { config->os, config->architecture, config->variant }, err);
}

/* Into the store: pulled, imported or given a second name, under exactly the name that was asked for. */
static int copy_to_store(Cli *cli, const CopyArgs *args, const CopyRequest *request, Error *err) {
        ImageProgress progress = cli->lifecycle.observer.image_progress;
        _cleanup_(store_closep) Store *store = NULL;
        ImportedImage image = {}, *images;
        StoreName name = {};
        size_t n;
        int r;

        if (args->quiet)
                progress.report = NULL;
        if (cli_open_store(cli, STORE_CREATE, &store, err) < 0)
                return -1;
        if (!strncmp(request->source, "docker://", 9)) {
                const PullRequest pull = {
                        .name = request->source + 9,
                        .as = request->target,
                        .platform = request->platform,
                        .all_platforms = request->all_platforms,
                        .registry = request->from,
                        .unpacked_max = request->unpacked_max,
                        .signature_policy = args->registry.signature_policy,
                };

                if (image_pull(store, &pull, &progress, &image, err) < 0)
                        return error_prefix(err, "copy '%s'", request->source);
                return print(cli, &image, args->quiet, err);
        }
        if (request->all_platforms)
                return error_set(err, ERROR_NOT_SUPPORTED, "--all-platforms into the store is for registries: pull --all-platforms");
        if (!names_a_place(request->source)) {
                if (store_name_find(store, request->source, &name, err) < 0)
                        return -1;
                r = request->platform ? choose_platform(store, request->platform, &name.descriptor, err) : 0;
                if (r == 0)
                        r = store_name_set(store, request->target, &name.descriptor, err);
                image.manifest = name.descriptor.digest;
                store_name_clear(&name);
                if (r < 0 || string_copy(request->target, &image.name, err) < 0)
                        return error_prefix(err, "copy '%s'", request->source);
                return print(cli, &image, args->quiet, err);
        }
        const ImportRequest import = {
                .source = request->source,
                .name = request->target,
                .platform = request->platform,
                .unpacked_max = request->unpacked_max,
        };
        if (image_admit(store, &import, args->registry.signature_policy, &progress, &images, &n, err) < 0)
                return error_prefix(err, "copy '%s'", request->source);
        r = print(cli, &images[0], args->quiet, err);
        imported_images_free(images, n);
        return r;
}

static int run(Cli *cli, const Call *call, Error *err) {
        const CopyArgs *args = call->args;
        RegistryOptions from = registry_request(cli, call, &args->registry), to = from;
        _cleanup_(admission_freep) Admission *admission = NULL;
        CopyRequest request = {
                .source = call->operands[0],
                .target = call->operands[1],
                .platform = args->platform.os ? &args->platform : NULL,
                .all_platforms = args->all_platforms,
                .from = &from,
                .to = &to,
                .unpacked_max = (uint64_t) cli->config->layer_size_max,
        };

        if (request.platform && request.all_platforms)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--platform and --all-platforms exclude each other");
        for (size_t i = 0; i < 2; i++)
                if (!names_a_place(call->operands[i]) && strstr(call->operands[i], "://")) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is no place that can be copied from or to", call->operands[i]);
                        return error_hint(err, "docker://NAME, oci:DIR, oci-archive:FILE, docker-archive:FILE, or a name of the store");
                }
        if (args->source_creds)
                from.creds = args->source_creds;
        if (args->target_creds)
                to.creds = args->target_creds;
        if (!names_a_place(request.target))
                return copy_to_store(cli, args, &request, err);
        if (names_a_place(request.source)) {
                if (admission_open(args->registry.signature_policy, &admission, err) < 0)
                        return -1;
                request.judge = admission_judge(admission);
        }
        return copy_run(cli, &request, args->quiet, err);
}

const Command cmd_copy = {
        .name = "copy",
        .group = COMMANDS_IMAGES,
        .summary = "copy an image between registries, layouts, archives and the store",
        .operands = "SOURCE TARGET",
        .description = "Both are one of docker://NAME (a registry), oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME], "
                       "or a name of the store. Between registries nothing passes through the store; blobs that the target has are not "
                       "sent, and within one registry they are mounted.\n\n"
                       "Every digest stays what it is, but in a docker-archive, whose layers are not compressed.",
        .examples = "proxmox-lxcri copy docker://redis:7 docker://registry.example/redis:7\n"
                    "proxmox-lxcri copy --all-platforms docker://alpine oci:/srv/layout:alpine\n"
                    "proxmox-lxcri copy app:v2 docker-archive:app.tar",
        .min_operands = 2,
        .max_operands = 2,
        .options = (const Option *const[]) { copy_options, policy_options, registry_options, NULL },
        .args_size = sizeof(CopyArgs),
        .clear = clear,
        .run = run,
};
