/* Reading an image's documents. */

#include "image/describe.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "layers/layers.h"

#define INDEX_DEPTH_MAX 4 /* indexes within indexes; this program's own cap */

int blob_read_verified(int blobs_fd, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len, Error *err) {
        _cleanup_free_ char *data = NULL;
        char hex[SHA256_HEX_MAX];
        Error cause = ERROR_INIT;
        size_t len;

        if (blob->size > max)
                return error_set(err, ERROR_INVALID_SPEC, "%s %s has %llu bytes, at most %zu are accepted", what, blob->digest.text,
                                 (unsigned long long) blob->size, max);
        if (file_read_at(blobs_fd, digest_hex(&blob->digest), max, &data, &len, &cause) < 0) {
                if (cause.errnum == ENOENT)
                        return error_set_errno(err, ERROR_IMAGE_NOT_FOUND, ENOENT, "%s %s", what, blob->digest.text);
                if (err)
                        *err = cause;
                return error_prefix(err, "%s %s", what, blob->digest.text);
        }
        if (len != blob->size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s %s has %zu bytes, not %llu", what, blob->digest.text, len,
                                 (unsigned long long) blob->size);
        if (sha256_data(data, len, hex, err) < 0)
                return -1;
        if (strcmp(hex, digest_hex(&blob->digest)) != 0)
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s %s has the digest sha256:%s", what, blob->digest.text, hex);
        *ret_data = TAKE(data);
        *ret_len = len;
        return 0;
}

static int read_document(const DescribeRequest *r, const Descriptor *blob, size_t max, const char *what, char **ret, size_t *ret_len,
                         Error *err) {
        /* Before fetching: nothing larger than we read is worth a copy. */
        if (blob->size > max)
                return error_set(err, ERROR_INVALID_SPEC, "%s %s has %llu bytes, at most %zu are accepted", what, blob->digest.text,
                                 (unsigned long long) blob->size, max);
        if (r->read)
                return r->read(r->userdata, blob, max, what, ret, ret_len, err);
        if (r->fetch && r->fetch(r->userdata, blob, what, err) < 0)
                return -1;
        return blob_read_verified(r->blobs_fd, blob, max, what, ret, ret_len, err);
}

/* Replaces an index's descriptor by that of the manifest for the platform. */
static int follow_index(const DescribeRequest *r, Descriptor *descriptor, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;
        _cleanup_free_ char *data = NULL;
        const IndexEntry *entry;
        char where[96];
        size_t len;

        snprintf(where, sizeof(where), "index %s", descriptor->digest.text);
        if (read_document(r, descriptor, INDEX_SIZE_MAX, "index", &data, &len, err) < 0 ||
            index_parse(data, len, descriptor->type, where, &index, err) < 0 || index_choose(index, r->platform, where, &entry, err) < 0)
                return -1;
        *descriptor = entry->descriptor;
        return 0;
}

static int fill(StoreImage *image, const Descriptor *descriptor, const Manifest *manifest, const ImageConfig *config, Error *err) {
        size_t n = manifest->n_layers;

        if (config->n_diff_ids != n)
                return error_set(err, ERROR_INVALID_SPEC, "config %s has %zu diffIDs for %zu layers", manifest->config.digest.text,
                                 config->n_diff_ids, n);
        image->manifest = descriptor->digest;
        image->config = manifest->config.digest;
        image->size = descriptor->size + manifest->config.size;
        image->n_layers = n;
        if (n == 0)
                return 0;
        image->chain_ids = calloc(n, sizeof(*image->chain_ids));
        image->diff_ids = calloc(n, sizeof(*image->diff_ids));
        image->layers = calloc(n, sizeof(*image->layers));
        if (!image->chain_ids || !image->diff_ids || !image->layers)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                image->diff_ids[i] = config->diff_ids[i];
                image->layers[i] = manifest->layers[i];
                image->size += manifest->layers[i].size;
                if (layer_chain_id(i > 0 ? &image->chain_ids[i - 1] : NULL, &image->diff_ids[i], &image->chain_ids[i], err) < 0)
                        return -1;
        }
        return 0;
}

int image_describe(const DescribeRequest *request, const Descriptor *descriptor, StoreImage **ret, Descriptor *ret_manifest, Error *err) {
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        _cleanup_free_ char *manifest_data = NULL, *config_data = NULL;
        Descriptor current = *descriptor;
        char where[96];
        size_t len;

        for (unsigned depth = 0; current.type == MEDIA_INDEX; depth++) {
                if (depth == INDEX_DEPTH_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "index %s: more than %d indexes within each other",
                                         descriptor->digest.text, INDEX_DEPTH_MAX);
                if (follow_index(request, &current, err) < 0)
                        return -1;
        }
        if (read_document(request, &current, MANIFEST_SIZE_MAX, "manifest", &manifest_data, &len, err) < 0)
                return -1;
        snprintf(where, sizeof(where), "manifest %s", current.digest.text);
        if (manifest_parse(manifest_data, len, current.type, where, &manifest, err) < 0)
                return -1;
        if (request->judge && request->judge(request->userdata, &current, err) < 0)
                return -1;
        if (read_document(request, &manifest->config, IMAGE_CONFIG_SIZE_MAX, "config", &config_data, &len, err) < 0)
                return -1;
        snprintf(where, sizeof(where), "config %s", manifest->config.digest.text);
        if (image_config_parse(config_data, len, where, &config, err) < 0)
                return -1;
        if (request->strict && descriptor->type != MEDIA_INDEX &&
            platform_check(request->platform, &(Platform) { config->os, config->architecture, config->variant }, err) < 0)
                return -1;

        image = calloc(1, sizeof(*image));
        if (!image)
                return error_oom(err);
        if (fill(image, &current, manifest, config, err) < 0)
                return error_prefix(err, "manifest %s", current.digest.text);
        if (ret_manifest)
                *ret_manifest = current;
        *ret = TAKE(image);
        return 0;
}
