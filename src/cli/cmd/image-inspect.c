/* image inspect: an image's digests, layers and configuration. */

#include <string.h>

#include "base/json.h"
#include "cli/attached.h"
#include "cli/images.h"
#include "cli/registry-options.h"
#include "image/admission.h"

#define REMOTE "docker://"

typedef struct Inspection {
        RegistryArgs registry; /* first */
        Platform platform;
        bool attached;
        const char *extract;
        Store *store;
        json_t *found;
} Inspection;

static int set_string(json_t *object, const char *key, const char *value) {
        return value ? json_object_set_new(object, key, json_string(value)) : 0;
}

static int set_strings(json_t *object, const char *key, char *const *values) {
        json_t *array;
        int r = 0;

        if (!values)
                return 0;
        array = json_array();
        for (; *values; values++)
                r |= json_array_append_new(array, json_string(*values));
        return json_object_set_new(object, key, array) | r;
}

static int layer_json(Store *store, const StoreImage *image, size_t i, json_t *layers) {
        json_t *layer = json_object();
        int r = 0;

        r |= set_string(layer, "mediaType", media_type_name(image->layers[i].type));
        r |= set_string(layer, "digest", image->layers[i].digest.text);
        r |= json_object_set_new(layer, "size", json_integer((json_int_t) image->layers[i].size));
        r |= set_string(layer, "diffID", image->diff_ids[i].text);
        r |= set_string(layer, "chainID", image->chain_ids[i].text);
        r |= json_object_set_new(layer, "unpacked", json_boolean(store_layer_exists(store, &image->chain_ids[i])));
        return json_array_append_new(layers, layer) | r;
}

/* The part of the configuration that says how containers run, with the image-spec's own field names. */
static int config_json(const ImageConfig *config, json_t *object) {
        json_t *run = json_object();
        int r = 0;

        r |= set_string(object, "created", config->created);
        r |= set_string(object, "author", config->author);
        r |= set_string(object, "architecture", config->architecture);
        r |= set_string(object, "variant", config->variant);
        r |= set_string(object, "os", config->os);
        r |= set_string(run, "User", config->user);
        r |= set_strings(run, "ExposedPorts", config->exposed_ports);
        r |= set_strings(run, "Env", config->env);
        r |= set_strings(run, "Entrypoint", config->entrypoint);
        r |= set_strings(run, "Cmd", config->cmd);
        r |= set_strings(run, "Volumes", config->volumes);
        r |= set_string(run, "WorkingDir", config->working_dir);
        r |= set_string(run, "StopSignal", config->stop_signal);
        if (config->labels)
                r |= json_object_set(run, "Labels", config->labels);
        return json_object_set_new(object, "config", run) | r;
}

static int names_of(Store *store, const Digest *digest, json_t *object, Error *err) {
        json_t *array = json_array();
        StoreName *names;
        int r = 0;
        size_t n;

        if (store_names_list(store, &names, &n, err) < 0) {
                json_decref(array);
                return -1;
        }
        for (size_t i = 0; i < n; i++)
                if (names[i].name && digest_equal(&names[i].descriptor.digest, digest))
                        r |= json_array_append_new(array, json_string(names[i].name));
        store_names_free(names, n);
        return (json_object_set_new(object, "names", array) | r) < 0 ? error_oom(err) : 0;
}

static int image_json(Store *store, const StoreImage *image, const ImageConfig *config, json_t *object, Error *err) {
        json_t *layers;
        int r = 0;

        r |= set_string(object, "digest", image->manifest.text);
        r |= set_string(object, "configDigest", image->config.text);
        r |= json_object_set_new(object, "size", json_integer((json_int_t) image->size));
        r |= config_json(config, object);
        r |= json_object_set_new(object, "layers", json_array());
        layers = json_object_get(object, "layers");
        for (size_t i = 0; layers && i < image->n_layers; i++)
                r |= layer_json(store, image, i, layers);
        return r < 0 ? error_oom(err) : 0;
}

static int print_document(Cli *cli, const ImageModule *module, const AttachedRequest *request, const Attachments *attachments,
                          const char *which, Error *err) {
        const Attachment *attachment;
        _cleanup_free_ char *data = NULL;
        size_t len;

        if (attached_choose(attachments, which, &attachment, err) < 0 || module->attached_read(request, attachment, &data, &len, err) < 0)
                return -1;
        return output_bytes(&cli->out, data, len, err);
}

static bool wants_attached(const Inspection *inspection) {
        return inspection->attached || inspection->extract;
}

/* @name: the image's own in its registry; NULL: it came from none */
static int inspect_attached(Cli *cli, const Call *call, const char *text, const char *name, const Digest *manifest, json_t *object,
                            Error *err) {
        _cleanup_attachments_ Attachments attachments = {};
        const Inspection *inspection = call->args;
        const RegistryOptions registry = registry_request(cli, call, &inspection->registry);
        const AttachedRequest request = { .registry = &registry, .name = name, .manifest = manifest };
        const ImageModule *module;

        if (!wants_attached(inspection))
                return 0;
        if (!name) {
                error_set(err, ERROR_NOT_SUPPORTED, "image '%s': it did not come from a registry, which would keep attachments", text);
                return error_hint(err, "docker://NAME asks a registry");
        }
        module = image_module(err);
        if (!module || module->attached(&request, &attachments, err) < 0 ||
            (inspection->attached && attached_json(&attachments, object, err) < 0) ||
            (inspection->extract && print_document(cli, module, &request, &attachments, inspection->extract, err) < 0))
                return error_prefix(err, "image '%s'", text);
        return 0;
}

/* From the registry's documents alone. */
static int inspect_remote(Cli *cli, const Call *call, const char *text, json_t *object, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_free_ char *name = NULL;
        Inspection *inspection = call->args;
        const RegistryOptions registry = registry_request(cli, call, &inspection->registry);
        const Platform *platform = inspection->platform.os ? &inspection->platform : NULL;
        const ImageModule *module = image_module(err);

        if (!module || module->describe(&registry, text, platform, &image, &config, &name, err) < 0)
                return error_prefix(err, "image '%s'", text);
        if (json_object_set_new(object, "names", json_pack("[s]", name)) < 0)
                return error_oom(err);
        if (image_json(inspection->store, image, config, object, err) < 0)
                return -1;
        return inspect_attached(cli, call, text, name, &image->manifest, object, err);
}

static int inspect_local(Cli *cli, const Call *call, const char *text, json_t *object, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(found_image_clear) FoundImage found = {};
        _cleanup_free_ char *name = NULL;
        Inspection *inspection = call->args;

        if (image_find(inspection->store, text, &found, err) < 0)
                return -1;
        if (store_image_config(inspection->store, found.image, &config, err) < 0)
                return error_prefix(err, "image '%s'", text);
        if (names_of(inspection->store, &found.name.descriptor.digest, object, err) < 0 ||
            image_json(inspection->store, found.image, config, object, err) < 0 ||
            (wants_attached(inspection) && admission_origin(inspection->store, found.name.name, &found.image->manifest, &name, err) < 0))
                return -1;
        return inspect_attached(cli, call, text, name, &found.image->manifest, object, err);
}

static int inspect_one(Cli *cli, const Call *call, const char *text, Error *err) {
        _cleanup_json_ json_t *object = json_object();
        const bool remote = !strncmp(text, REMOTE, strlen(REMOTE));
        Inspection *inspection = call->args;

        if ((remote ? inspect_remote(cli, call, text + strlen(REMOTE), object, err) : inspect_local(cli, call, text, object, err)) < 0)
                return -1;
        return json_array_append_new(inspection->found, TAKE(object)) < 0 ? error_oom(err) : 0;
}

static const Option inspect_options[] = {
        OPT_FLAG(0, "attached", Inspection, attached,
                 "list the documents that the image's registry keeps beside it, too: SPDX, CycloneDX and others"),
        OPT_STRING(0, "extract", Inspection, extract, "DOCUMENT",
                   "print one of those documents alone, as it is: spdx, cyclonedx, or a type or digest as --attached shows it"),
        OPT_CALL(0, "platform", Inspection, platform, "OS/ARCH[/VARIANT]", platform_take,
                 "with docker://: which platform's image; this machine's unless given"),
        OPT_END
};

static void clear(void *args) {
        Inspection *inspection = args;

        store_close(inspection->store);
        json_decref(inspection->found);
        platform_clear(&inspection->platform);
}

static int run(Cli *cli, const Call *call, Error *err) {
        Inspection *inspection = call->args;
        int r;

        if (inspection->extract && (inspection->attached || call->n_operands > 1))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--extract is for one image, and without --attached");
        inspection->found = json_array();
        if (cli_open_store(cli, STORE_READ, &inspection->store, err) < 0)
                return -1;
        r = command_each(cli, call, inspect_one, err);
        if (json_array_size(inspection->found) > 0 && !inspection->extract && output_json(&cli->out, inspection->found, err) < 0)
                return -1;
        return r;
}

const Command cmd_image_inspect = {
        .name = "image inspect",
        .group = COMMANDS_IMAGES,
        .summary = "print images' digests, layers and configuration, as a JSON array",
        .operands = "IMAGE...",
        .description = "IMAGE is a name, a digest, or at least six hex digits of one; docker://NAME is looked at in its registry, without "
                       "fetching its layers.\n\n"
                       "Documents beside an image, such as lists of its parts (SBOM), are asked for in the registry it came from: its "
                       "referrers, cosign's tags sha256-HEX.sbom and sha256-HEX.att, and the attestations in its index. Their digests are "
                       "checked; what they say, and whether whoever put them there may say it, is not. Signatures are not among "
                       "them: see 'image verify'.",
        .examples = "proxmox-lxcri image inspect redis:7 | jq '.[0].config.Env'\n"
                    "proxmox-lxcri image inspect --attached docker://registry.example/app:v2 | jq '.[0].attached'\n"
                    "proxmox-lxcri image inspect --extract spdx docker://registry.example/app:v2 > app.spdx.json",
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { inspect_options, registry_options, NULL },
        .args_size = sizeof(Inspection),
        .clear = clear,
        .run = run,
};
