/* Signatures that are images' neighbours in the registry, as cosign puts them there: by a tag made of the digest, or as referrers. */

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "trust/fetch.h"
#include "trust/format.h"

static int tagged_name(const Reference *name, const Digest *manifest, const char *suffix, Reference **ret, Error *err) {
        _cleanup_free_ char *text = NULL;

        return string_format(&text, err, "%s/%s:sha256-%s%s", name->registry, name->repository, digest_hex(manifest), suffix) < 0 ? -1 :
               reference_parse(text, ret, err);
}

int attached_name(const Reference *name, const Digest *manifest, Reference **ret, Error *err) {
        return tagged_name(name, manifest, ".sig", ret, err);
}

/* A manifest that need not be; *ret_found says. */
static int get_manifest(const RegistryModule *module, Registry *registry, const Reference *name, RegistryDocument *ret, bool *ret_found,
                        Error *err) {
        Error cause = ERROR_INIT;

        *ret_found = module->manifest(registry, name, ret, &cause) == 0;
        if (*ret_found || cause.kind == ERROR_IMAGE_NOT_FOUND)
                return 0;
        if (err)
                *err = cause;
        return fetch_failed(err);
}

static int read_blob(const RegistryModule *module, const FetchRequest *request, const Descriptor *blob, Buf *ret, Error *err) {
        RegistryBlob *reader;
        char data[16384], hex[SHA256_HEX_MAX];
        size_t n;
        int r;

        if (module->blob_open(request->registry, request->name, blob, 0, &reader, err) < 0)
                return -1;
        do
                r = module->blob_read(reader, data, sizeof(data), &n, err);
        while (r == 0 && n > 0 && (r = buf_append(ret, data, n, err)) == 0);
        module->blob_close(reader);
        if (r < 0 && err && err->kind == ERROR_DIGEST_MISMATCH)
                err->kind = ERROR_SIGNATURE_REJECTED;
        if (r < 0 || sha256_data(ret->data ?: "", ret->len, hex, err) < 0)
                return -1;
        if (strcmp(hex, digest_hex(&blob->digest)) != 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "the signed text %s has the digest sha256:%s", blob->digest.text, hex);
        return 0;
}

/* One layer: a signed text with its signature beside it, or something else that is attached. */
static int take_layer(const RegistryModule *module, const FetchRequest *request, const json_t *layer, const char *where,
                      TrustSignatures *signatures, Error *err) {
        _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
        const JsonPlace place = { where, ERROR_SIGNATURE_REJECTED };
        _cleanup_buf_ Buf text = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        const char *type = "", *base64 = NULL;
        json_t *annotations = NULL;
        Descriptor blob;

        if (json_need_root(layer, place, err) < 0 || json_opt_string(layer, "mediaType", place, &type, err) < 0)
                return -1;
        if (strcmp(type, SIGSTORE_PAYLOAD_TYPE) != 0)
                return 0;
        if (descriptor_parse(layer, where, &blob, err) < 0) {
                if (err && err->kind == ERROR_INVALID_SPEC)
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return -1;
        }
        if (blob.size > TRUST_SIGNATURE_SIZE_MAX)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: a signed text of %llu bytes", where, (unsigned long long) blob.size);
        if (json_opt_object(layer, "annotations", place, &annotations, err) < 0 ||
            (annotations && json_opt_string(annotations, SIGSTORE_SIGNATURE_ANNOTATION, place, &base64, err) < 0) ||
            read_blob(module, request, &blob, &text, err) < 0 ||
            trust_signature_set(SIGNATURE_SIGSTORE, text.data ?: "", text.len, base64, where, &signature, err) < 0)
                return -1;
        return trust_signatures_add(signatures, &signature, err);
}

static int parse(const char *data, size_t len, const char *where, const char *key, json_t **ret, json_t **ret_list, Error *err) {
        return signature_json(data, len, where, ret, err) < 0 ? -1 :
               json_need_array(*ret, key, (JsonPlace) { where, ERROR_SIGNATURE_REJECTED }, ret_list, err);
}

static int take_manifest(const RegistryModule *module, const FetchRequest *request, const RegistryDocument *document, const char *where,
                         TrustSignatures *signatures, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        json_t *layers;

        if (parse(document->data, document->len, where, "layers", &json, &layers, err) < 0)
                return -1;
        /* Before the first of their texts is asked for. */
        if (json_array_size(layers) > TRUST_SIGNATURES_MAX)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: %zu signatures, at most %d are looked at", where,
                                 json_array_size(layers), TRUST_SIGNATURES_MAX);
        for (size_t i = 0; i < json_array_size(layers); i++)
                if (take_layer(module, request, json_array_get(layers, i), where, signatures, err) < 0)
                        return -1;
        return 0;
}

static int from_name(const RegistryModule *module, const FetchRequest *request, const Reference *name, TrustSignatures *signatures,
                     Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        _cleanup_free_ char *where = NULL;
        bool found;

        if (reference_format(name, &where, err) < 0 || get_manifest(module, request->registry, name, &document, &found, err) < 0)
                return -1;
        return found ? take_manifest(module, request, &document, where, signatures, err) : 0;
}

/* By the API, or under a tag in a registry that has none. Source: distribution-spec, "Listing Referrers" */
static int get_referrers(const RegistryModule *module, const FetchRequest *request, char **ret, size_t *ret_len, Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_free_ char *after = NULL;
        bool found;

        if (string_format(&after, err, "/referrers/%s", request->manifest->text) < 0)
                return -1;
        if (module->api_get(request->registry, request->name, "/v2/", after, MANIFEST_SIZE_MAX, ret, ret_len, err) < 0)
                return fetch_failed(err);
        if (*ret)
                return 0;
        if (tagged_name(request->name, request->manifest, "", &name, err) < 0 ||
            get_manifest(module, request->registry, name, &document, &found, err) < 0)
                return -1;
        if (found) {
                *ret_len = document.len;
                *ret = TAKE(document.data);
        }
        return 0;
}

static int from_referrers(const RegistryModule *module, const FetchRequest *request, TrustSignatures *signatures, Error *err) {
        const JsonPlace place = { "the image's referrers", ERROR_SIGNATURE_REJECTED };
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *data = NULL;
        size_t len, n = 0, i;
        json_t *list, *entry;

        if (get_referrers(module, request, &data, &len, err) < 0)
                return -1;
        if (!data)
                return 0;
        if (parse(data, len, place.where, "manifests", &json, &list, err) < 0)
                return -1;
        /* Counted before the first is asked for. */
        json_array_foreach(list, i, entry) {
                const char *type = "";

                if (json_need_root(entry, place, err) < 0 || json_opt_string(entry, "artifactType", place, &type, err) < 0)
                        return -1;
                if (strcmp(type, SIGSTORE_ARTIFACT_TYPE) != 0)
                        continue;
                if (++n > TRUST_SIGNATURES_MAX)
                        return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: more than %d signatures", place.where, TRUST_SIGNATURES_MAX);
        }
        json_array_foreach(list, i, entry) {
                Reference name = { .registry = request->name->registry, .repository = request->name->repository, .has_digest = true };
                const char *type = "", *digest;

                if (json_opt_string(entry, "artifactType", place, &type, err) < 0)
                        return -1;
                if (strcmp(type, SIGSTORE_ARTIFACT_TYPE) != 0)
                        continue;
                if (json_need_string(entry, "digest", place, &digest, err) < 0 || digest_parse(digest, &name.digest, err) < 0) {
                        if (err && err->kind == ERROR_INVALID_SPEC)
                                err->kind = ERROR_SIGNATURE_REJECTED;
                        return -1;
                }
                if (from_name(module, request, &name, signatures, err) < 0)
                        return -1;
        }
        return 0;
}

int attached_fetch(const RegistryModule *module, const FetchRequest *request, TrustSignatures *signatures, Error *err) {
        _cleanup_(reference_freep) Reference *name = NULL;

        if (attached_name(request->name, request->manifest, &name, err) < 0 || from_name(module, request, name, signatures, err) < 0)
                return error_prefix(err, "cosign's signatures");
        return from_referrers(module, request, signatures, err) < 0 ? error_prefix(err, "signatures among the referrers") : 0;
}
