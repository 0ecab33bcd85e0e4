/* A signature under cosign's tag: an image whose layers are signed texts, each with its signature as an annotation. */

#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "trust/fetch.h"
#include "trust/format.h"
#include "trust/sign.h"

#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"

typedef struct Bytes {
        const char *data;
        size_t len;
} Bytes;

static int describe(MediaType type, const char *data, size_t len, Descriptor *ret, Error *err) {
        char hex[SHA256_HEX_MAX];

        if (sha256_data(data, len, hex, err) < 0)
                return -1;
        *ret = (Descriptor) { .type = type, .size = len };
        digest_from_hex(hex, &ret->digest);
        return 0;
}

static int open_bytes(void *userdata, const Descriptor *blob, int *ret_fd, Error *err) {
        const Bytes *bytes = userdata;
        _cleanup_close_ int fd = memfd_create("blob", MFD_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a file in memory");
        if (fd_write_all(fd, bytes->data, bytes->len, err) < 0)
                return -1;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int push_blob(const RegistryModule *module, Registry *registry, const Reference *name, const Descriptor *blob, const char *data,
                     Error *err) {
        Bytes bytes = { data, blob->size };
        const RegistryUpload upload = { .open = open_bytes, .userdata = &bytes };
        bool exists;

        if (module->blob_exists(registry, name, blob, &exists, err) < 0)
                return -1;
        return exists ? 0 : module->blob_push(registry, name, blob, &upload, err);
}

/* The layers that are there, or none. */
static int get_layers(const RegistryModule *module, Registry *registry, const Reference *name, json_t **ret, Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        const JsonPlace place = { "the signatures that are there", ERROR_INVALID_SPEC };
        _cleanup_json_ json_t *json = NULL;
        Error cause = ERROR_INIT;
        json_t *layers;

        if (module->manifest(registry, name, &document, &cause) < 0) {
                if (cause.kind != ERROR_IMAGE_NOT_FOUND) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                *ret = json_array();
                return *ret ? 0 : error_oom(err);
        }
        if (json_parse(document.data, document.len, place.where, &json, err) < 0 || json_need_root(json, place, err) < 0 ||
            json_need_array(json, "layers", place, &layers, err) < 0)
                return -1;
        if (json_array_size(layers) >= TRUST_SIGNATURES_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "%s are %zu, and no more are looked at", place.where, json_array_size(layers));
        *ret = json_incref(layers);
        return 0;
}

/* A config whose diffIDs are the layers' digests: what makes it an image that every registry takes. */
static int make_config(const json_t *layers, char **ret, Error *err) {
        _cleanup_json_ json_t *ids = json_array(), *config = NULL;
        const json_t *layer;
        size_t i;

        json_array_foreach(layers, i, layer)
                if (json_array_append(ids, json_object_get(layer, "digest")) < 0)
                        return error_set(err, ERROR_INVALID_SPEC, "a signature that is there has no digest");
        config = json_pack("{s:s, s:s, s:{}, s:{s:s, s:O}}", "architecture", "", "os", "", "config", "rootfs", "type", "layers", "diff_ids",
                           ids);
        return config ? json_print(config, ret, err) : error_oom(err);
}

static int make_manifest(const json_t *layers, const Descriptor *config, char **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;

        json = json_pack("{s:i, s:s, s:{s:s, s:I, s:s}, s:O}", "schemaVersion", 2, "mediaType", media_type_name(MEDIA_MANIFEST), "config",
                         "mediaType", CONFIG_TYPE, "size", (json_int_t) config->size, "digest", config->digest.text, "layers", layers);
        return json ? json_print(json, ret, err) : error_oom(err);
}

int attached_push(const RegistryModule *module, Registry *registry, const Reference *name, const Digest *manifest, const char *text,
                  const char *base64_signature, char **ret_where, Error *err) {
        _cleanup_(reference_freep) Reference *target = NULL;
        _cleanup_json_ json_t *layers = NULL, *layer = NULL;
        _cleanup_free_ char *config = NULL, *document = NULL;
        Descriptor blob, described, root;

        if (attached_name(name, manifest, &target, err) < 0 || get_layers(module, registry, target, &layers, err) < 0 ||
            describe(MEDIA_UNKNOWN, text, strlen(text), &blob, err) < 0)
                return -1;
        layer = json_pack("{s:s, s:I, s:s, s:{s:s}}", "mediaType", SIGSTORE_PAYLOAD_TYPE, "size", (json_int_t) blob.size, "digest",
                          blob.digest.text, "annotations", SIGSTORE_SIGNATURE_ANNOTATION, base64_signature);
        if (!layer || json_array_append(layers, layer) < 0)
                return error_oom(err);
        if (make_config(layers, &config, err) < 0 || describe(MEDIA_CONFIG, config, strlen(config), &described, err) < 0 ||
            make_manifest(layers, &described, &document, err) < 0 ||
            describe(MEDIA_MANIFEST, document, strlen(document), &root, err) < 0 ||
            push_blob(module, registry, target, &blob, text, err) < 0 || push_blob(module, registry, target, &described, config, err) < 0 ||
            module->manifest_push(registry, target, &root, document, strlen(document), err) < 0)
                return -1;
        return reference_format(target, ret_where, err);
}
