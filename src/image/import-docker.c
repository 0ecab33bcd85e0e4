/*
 * Importing a docker-archive (docker save, skopeo, podman, kaniko, bazel). Layers stay as they are, the config byte for byte; only the
 * manifest is made here, an OCI one. Source: moby's image-spec v1.2, "manifest.json"
 */

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "image/import.h"

static const JsonPlace place = { .where = "manifest.json", .kind = ERROR_INVALID_SPEC };

static int read_member(Members *members, const char *name, size_t max, char **ret, size_t *ret_len, Error *err) {
        StagingBlob unused = { .own_dir_fd = -1 };
        _cleanup_close_ int fd = -EBADF;

        if (members_open(members, name, &unused, &fd, err) < 0)
                return -1;
        return file_read_fd(fd, name, max, ret, ret_len, err);
}

static int stage_layer(Staging *staging, Members *members, const char *name, const Digest *diff_id, Descriptor *ret, Error *err) {
        static const MediaType types[_COMPRESSION_MAX] = {
                [COMPRESSION_NONE] = MEDIA_LAYER_TAR,
                [COMPRESSION_GZIP] = MEDIA_LAYER_GZIP,
                [COMPRESSION_ZSTD] = MEDIA_LAYER_ZSTD,
        };
        StagingBlob blob = { .what = name, .diff_id = diff_id, .own_dir_fd = -1 };
        _cleanup_close_ int fd = -EBADF;
        BlobStreamResult result;

        if (members_open(members, name, &blob, &fd, err) < 0 || staging_add(staging, fd, &blob, &result, err) < 0)
                return -1;
        *ret = (Descriptor) { .type = types[result.compression], .digest = result.digest, .size = result.size };
        return 0;
}

/* One image under each of its tags. */
static int add_tags(Staging *staging, const json_t *tags, const char *config, size_t config_len, const Descriptor *layers, size_t n_layers,
                    const char *selector, StagedImages *ret, Error *err) {
        json_t *tag;
        size_t i;

        if (json_array_size(tags) == 0)
                return selector ? 0 : staging_add_image(staging, config, config_len, layers, n_layers, NULL, ret, err);
        json_array_foreach(tags, i, tag) {
                if (!json_is_string(tag))
                        return error_set(err, ERROR_INVALID_SPEC, "manifest.json: a tag is not a string");
                if (name_is_wanted(json_string_value(tag), selector) &&
                    staging_add_image(staging, config, config_len, layers, n_layers, json_string_value(tag), ret, err) < 0)
                        return -1;
        }
        return 0;
}

static bool is_selected(const json_t *tags, const char *selector) {
        json_t *tag;
        size_t i;

        if (!selector)
                return true;
        json_array_foreach(tags, i, tag)
                if (json_is_string(tag) && name_is_wanted(json_string_value(tag), selector))
                        return true;
        return false;
}

static int import_one(Staging *staging, Members *members, const json_t *item, const char *selector, StagedImages *ret, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_free_ Descriptor *descriptors = NULL;
        json_t *layers = NULL, *tags = NULL;
        _cleanup_free_ char *data = NULL;
        const char *config_name;
        size_t n, len;

        if (json_need_string(item, "Config", place, &config_name, err) < 0 || json_need_array(item, "Layers", place, &layers, err) < 0 ||
            json_opt_array(item, "RepoTags", place, &tags, err) < 0)
                return -1;
        if (!is_selected(tags, selector))
                return 0;
        if (read_member(members, config_name, IMAGE_CONFIG_SIZE_MAX, &data, &len, err) < 0 ||
            image_config_parse(data, len, config_name, &config, err) < 0)
                return -1;
        n = json_array_size(layers);
        if (n > MANIFEST_LAYER_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "manifest.json: %zu layers, at most %d are accepted", n, MANIFEST_LAYER_MAX);
        if (n != config->n_diff_ids)
                return error_set(err, ERROR_INVALID_SPEC, "config '%s' has %zu diffIDs for %zu layers", config_name, config->n_diff_ids, n);
        descriptors = calloc(n ?: 1, sizeof(*descriptors));
        if (!descriptors)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                const char *name = json_string_value(json_array_get(layers, i));

                if (!name)
                        return error_set(err, ERROR_INVALID_SPEC, "manifest.json: Layers[%zu] is not a string", i);
                if (stage_layer(staging, members, name, &config->diff_ids[i], &descriptors[i], err) < 0)
                        return -1;
        }
        return add_tags(staging, tags, data, len, descriptors, n, selector, ret, err);
}

int import_docker(Staging *staging, Members *members, const char *path, const char *selector, StagedImages *ret, Error *err) {
        _cleanup_json_ json_t *manifest = NULL;
        _cleanup_free_ char *data = NULL;
        json_t *item;
        size_t len, i;

        if (read_member(members, "manifest.json", MANIFEST_SIZE_MAX, &data, &len, err) < 0 ||
            json_parse(data, len, "manifest.json", &manifest, err) < 0)
                return error_prefix(err, "'%s'", path);
        if (!json_is_array(manifest))
                return error_set(err, ERROR_INVALID_SPEC, "'%s': manifest.json: not an array", path);
        json_array_foreach(manifest, i, item)
                if (import_one(staging, members, item, selector, ret, err) < 0)
                        return error_prefix(err, "'%s'", path);
        if (ret->n == 0)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "'%s' has no image%s%s%s", path, selector ? " '" : "", selector ?: "",
                                 selector ? "'" : "");
        return 0;
}
