/* Signatures that are images' neighbours in the registry, as cosign puts them there: by a tag made of the digest, or as referrers. */

#include <string.h>

#include "base/json.h"
#include "trust/fetch.h"
#include "trust/format.h"

int attached_name(const Reference *name, const Digest *manifest, Reference **ret, Error *err) {
        return reference_beside(name, manifest, ".sig", ret, err);
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

/* A text that is another than was named is no signed one. */
static int read_text(const RegistryModule *module, const FetchRequest *request, const Descriptor *blob, char **ret, size_t *ret_len,
                     Error *err) {
        if (module->blob_get(request->registry, request->name, blob, TRUST_SIGNATURE_SIZE_MAX, ret, ret_len, err) == 0)
                return 0;
        if (err && err->kind == ERROR_DIGEST_MISMATCH)
                err->kind = ERROR_SIGNATURE_REJECTED;
        return fetch_failed(err);
}

/* One layer: a signed text with its signature beside it, or something else that is attached. */
static int take_layer(const RegistryModule *module, const FetchRequest *request, const json_t *layer, const char *where,
                      TrustSignatures *signatures, Error *err) {
        _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
        const JsonPlace place = { where, ERROR_SIGNATURE_REJECTED };
        _cleanup_free_ char *text = NULL;
        const char *type = "", *base64 = NULL;
        json_t *annotations = NULL;
        Descriptor blob;
        size_t len;

        if (json_need_root(layer, place, err) < 0 || json_opt_string(layer, "mediaType", place, &type, err) < 0)
                return -1;
        if (strcmp(type, SIGSTORE_PAYLOAD_TYPE) != 0)
                return 0;
        if (descriptor_parse(layer, where, &blob, err) < 0) {
                if (err && err->kind == ERROR_INVALID_SPEC)
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return -1;
        }
        if (json_opt_object(layer, "annotations", place, &annotations, err) < 0 ||
            (annotations && json_opt_string(annotations, SIGSTORE_SIGNATURE_ANNOTATION, place, &base64, err) < 0) ||
            read_text(module, request, &blob, &text, &len, err) < 0 ||
            trust_signature_set(SIGNATURE_SIGSTORE, text, len, base64, where, &signature, err) < 0)
                return -1;
        return trust_signatures_add(signatures, &signature, err);
}

static int take_manifest(const RegistryModule *module, const FetchRequest *request, const RegistryDocument *document, const char *where,
                         TrustSignatures *signatures, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        json_t *layers;

        if (signature_json(document->data, document->len, where, &json, err) < 0 ||
            json_need_array(json, "layers", (JsonPlace) { where, ERROR_SIGNATURE_REJECTED }, &layers, err) < 0)
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

static int from_referrers(const RegistryModule *module, const FetchRequest *request, TrustSignatures *signatures, Error *err) {
        _cleanup_(referrers_clear) Referrers referrers = { 0 };

        if (module->referrers(request->registry, request->name, request->manifest, SIGSTORE_ARTIFACT_TYPE, TRUST_SIGNATURES_MAX, &referrers,
                              err) < 0) {
                if (err && (err->kind == ERROR_INVALID_JSON || err->kind == ERROR_INVALID_SPEC))
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return fetch_failed(err);
        }
        for (size_t i = 0; i < referrers.n; i++) {
                const Reference name = {
                        .registry = request->name->registry,
                        .repository = request->name->repository,
                        .has_digest = true,
                        .digest = referrers.items[i].digest,
                };

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
