/* Manifests and indexes: parsing, and the choice of a platform's image. */

#include "oci/manifest.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"

Manifest *manifest_free(Manifest *manifest) {
        if (manifest)
                free(manifest->layers);
        free(manifest);
        return NULL;
}

Index *index_free(Index *index) {
        for (size_t i = 0; index && i < index->n_entries; i++) {
                IndexEntry *entry = &index->entries[i];

                free(entry->platform.os);
                free(entry->platform.architecture);
                free(entry->platform.variant);
                free(entry->ref_name);
        }
        if (index)
                free(index->entries);
        free(index);
        return NULL;
}

/*
 * What manifests and indexes have in common: the schema's version, and a type on which the document, its own fields and its descriptor
 * agree. One that could be read as either is refused: two programs would see two images under one digest.
 */
static int check_document(const json_t *json, MediaType wanted, MediaType claimed, JsonPlace place, Error *err) {
        const char *type = NULL;
        int64_t version = 0;

        if (json_need_root(json, place, err) < 0 || json_opt_string(json, "mediaType", place, &type, err) < 0)
                return -1;
        if (claimed == MEDIA_SCHEMA1 || media_type_parse(type) == MEDIA_SCHEMA1 || json_object_get(json, "fsLayers"))
                goto schema1;
        if (json_need_integer(json, "schemaVersion", place, 1, INT64_MAX, &version, err) < 0)
                return -1;
        if (version == 1)
                goto schema1;
        if (version != 2)
                return error_set(err, ERROR_INVALID_SPEC, "%s: 'schemaVersion' is %lld, not 2", place.where, (long long) version);

        if (json_object_get(json, "manifests") && (json_object_get(json, "layers") || json_object_get(json, "config")))
                return error_set(err, ERROR_INVALID_SPEC, "%s: it has both an index's 'manifests' and a manifest's '%s'", place.where,
                                 json_object_get(json, "layers") ? "layers" : "config");
        if (type && media_type_parse(type) != wanted)
                return error_set(err, ERROR_INVALID_SPEC, "%s: 'mediaType' is '%s', not '%s'", place.where, type, media_type_name(wanted));
        if (claimed != MEDIA_UNKNOWN && claimed != wanted)
                return error_set(err, ERROR_INVALID_SPEC, "%s: it is '%s', but was announced as '%s'", place.where,
                                 media_type_name(wanted), media_type_name(claimed));
        return 0;

schema1:
        error_set(err, ERROR_NOT_SUPPORTED, "%s: Docker image manifests of schema 1 are not supported", place.where);
        return error_hint(err, "push the image again with a current tool, which writes schema 2 or OCI manifests");
}

/* The media type as it stands, for errors about one that is not known. */
static const char *media_type_text(const json_t *descriptor) {
        return json_string_value(json_object_get(descriptor, "mediaType"));
}

static int refuse_artifacts(const json_t *json, const Manifest *manifest, JsonPlace place, Error *err) {
        const char *artifact = NULL;

        if (json_opt_string(json, "artifactType", place, &artifact, err) < 0)
                return -1;
        /* Some tools repeat the config's type here. */
        if (artifact && media_type_parse(artifact) == MEDIA_CONFIG)
                artifact = NULL;
        if (!artifact && manifest->config.type == MEDIA_CONFIG)
                return 0;
        return error_set(err, ERROR_NOT_SUPPORTED, "%s: an artifact of type '%s', not a container image", place.where,
                         artifact ?: media_type_text(json_object_get(json, "config")));
}

static int parse_layer(const json_t *json, size_t number, const char *where, Descriptor *ret, Error *err) {
        char place[32];

        snprintf(place, sizeof(place), "layers[%zu]", number);
        if (descriptor_parse(json, place, ret, err) < 0)
                return error_prefix(err, "%s", where);
        switch (ret->type) {
        case MEDIA_LAYER_TAR:
        case MEDIA_LAYER_GZIP:
        case MEDIA_LAYER_ZSTD:
                return 0;
        case MEDIA_UNKNOWN:
                return error_set(err, ERROR_NOT_SUPPORTED, "%s: %s: layers of type '%s' are not supported", where, place,
                                 media_type_text(json));
        case MEDIA_INDEX:
        case MEDIA_MANIFEST:
        case MEDIA_CONFIG:
        case MEDIA_SCHEMA1:
        default:
                return error_set(err, ERROR_INVALID_SPEC, "%s: %s: '%s' is not a layer", where, place, media_type_text(json));
        }
}

int manifest_parse(const char *data, size_t len, MediaType claimed, const char *where, Manifest **ret, Error *err) {
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        _cleanup_json_ json_t *json = NULL;
        JsonPlace place = { where, ERROR_INVALID_SPEC };
        json_t *config = NULL, *layers = NULL;
        size_t n;

        if (len > MANIFEST_SIZE_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "%s: %zu bytes, at most %u are accepted", where, len, MANIFEST_SIZE_MAX);
        if (json_parse(data, len, where, &json, err) < 0 || check_document(json, MEDIA_MANIFEST, claimed, place, err) < 0 ||
            json_need_object(json, "config", place, &config, err) < 0)
                return -1;

        manifest = calloc(1, sizeof(*manifest));
        if (!manifest)
                return error_oom(err);
        if (descriptor_parse(config, "config", &manifest->config, err) < 0)
                return error_prefix(err, "%s", where);
        if (refuse_artifacts(json, manifest, place, err) < 0 || json_need_array(json, "layers", place, &layers, err) < 0)
                return -1;

        n = json_array_size(layers);
        if (n > MANIFEST_LAYER_MAX)
                return error_set(err, ERROR_NOT_SUPPORTED, "%s: %zu layers, at most %d are supported", where, n, MANIFEST_LAYER_MAX);
        manifest->layers = calloc(n ?: 1, sizeof(*manifest->layers));
        if (!manifest->layers)
                return error_oom(err);
        for (size_t i = 0; i < n; i++)
                if (parse_layer(json_array_get(layers, i), i, where, &manifest->layers[i], err) < 0)
                        return -1;
        manifest->n_layers = n;
        *ret = TAKE(manifest);
        return 0;
}

static int parse_entry(const json_t *json, const char *where, IndexEntry *entry, Error *err) {
        JsonPlace place = { where, ERROR_INVALID_SPEC };
        json_t *platform = NULL, *annotations = NULL;
        const char *artifact = NULL;

        if (descriptor_parse(json, where, &entry->descriptor, err) < 0 || json_opt_object(json, "platform", place, &platform, err) < 0 ||
            json_opt_object(json, "annotations", place, &annotations, err) < 0 ||
            json_opt_string(json, "artifactType", place, &artifact, err) < 0)
                return -1;
        if (artifact && media_type_parse(artifact) != MEDIA_CONFIG)
                entry->descriptor.type = MEDIA_UNKNOWN;
        if (json_opt_string_copy(platform, "os", place, &entry->platform.os, err) < 0 ||
            json_opt_string_copy(platform, "architecture", place, &entry->platform.architecture, err) < 0 ||
            json_opt_string_copy(platform, "variant", place, &entry->platform.variant, err) < 0)
                return -1;
        return json_opt_string_copy(annotations, "org.opencontainers.image.ref.name", place, &entry->ref_name, err);
}

int index_parse(const char *data, size_t len, MediaType claimed, const char *where, Index **ret, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;
        _cleanup_json_ json_t *json = NULL;
        JsonPlace place = { where, ERROR_INVALID_SPEC };
        json_t *manifests = NULL;
        size_t n;

        if (len > INDEX_SIZE_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "%s: %zu bytes, at most %u are accepted", where, len, INDEX_SIZE_MAX);
        if (json_parse(data, len, where, &json, err) < 0 || check_document(json, MEDIA_INDEX, claimed, place, err) < 0 ||
            json_need_array(json, "manifests", place, &manifests, err) < 0)
                return -1;

        index = calloc(1, sizeof(*index));
        if (!index)
                return error_oom(err);
        n = json_array_size(manifests);
        index->entries = calloc(n ?: 1, sizeof(*index->entries));
        if (!index->entries)
                return error_oom(err);
        index->n_entries = n; /* calloc: those not parsed yet own nothing */
        for (size_t i = 0; i < n; i++) {
                char entry[40];

                snprintf(entry, sizeof(entry), "manifests[%zu]", i);
                if (parse_entry(json_array_get(manifests, i), entry, &index->entries[i], err) < 0)
                        return error_prefix(err, "%s", where);
        }
        *ret = TAKE(index);
        return 0;
}
