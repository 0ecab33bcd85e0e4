/* images/HEX.json: what was found out once about a verified image. A cache: a damaged record counts as none. */

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "store/store.h"

#define RECORD_SIZE_MAX (1u << 20) /* bytes; MANIFEST_LAYER_MAX layers of about 350 bytes each */

StoreImage *store_image_free(StoreImage *image) {
        if (!image)
                return NULL;
        free(image->chain_ids);
        free(image->diff_ids);
        free(image->layers);
        free(image);
        return NULL;
}

static void record_name(const Digest *manifest, char ret[NAME_MAX + 1]) {
        snprintf(ret, NAME_MAX + 1, "%s.json", digest_hex(manifest));
}

static int need_digest(const json_t *object, const char *key, JsonPlace place, Digest *ret, Error *err) {
        const char *text;

        if (json_need_string(object, key, place, &text, err) < 0)
                return -1;
        return digest_parse(text, ret, err);
}

static int image_parse(const json_t *json, const Digest *manifest, StoreImage **ret, Error *err) {
        static const JsonPlace place = { "image record", ERROR_INVALID_SPEC };
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        json_t *layers, *layer;
        int64_t size;
        size_t i;

        image = calloc(1, sizeof(*image));
        if (!image)
                return error_oom(err);
        if (need_digest(json, "manifest", place, &image->manifest, err) < 0 ||
            need_digest(json, "config", place, &image->config, err) < 0 ||
            json_need_integer(json, "size", place, 0, INT64_MAX, &size, err) < 0 ||
            json_need_array(json, "layers", place, &layers, err) < 0)
                return -1;
        if (!digest_equal(&image->manifest, manifest) || json_array_size(layers) > MANIFEST_LAYER_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "%s: of another image", place.where);
        image->size = (uint64_t) size;
        image->n_layers = json_array_size(layers);
        image->chain_ids = calloc(image->n_layers + 1, sizeof(*image->chain_ids));
        image->diff_ids = calloc(image->n_layers + 1, sizeof(*image->diff_ids));
        image->layers = calloc(image->n_layers + 1, sizeof(*image->layers));
        if (!image->chain_ids || !image->diff_ids || !image->layers)
                return error_oom(err);
        json_array_foreach(layers, i, layer)
                if (descriptor_parse(layer, place.where, &image->layers[i], err) < 0 ||
                    need_digest(layer, "chainID", place, &image->chain_ids[i], err) < 0 ||
                    need_digest(layer, "diffID", place, &image->diff_ids[i], err) < 0)
                        return -1;
        *ret = TAKE(image);
        return 0;
}

int store_image_load(Store *store, const Digest *manifest, StoreImage **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        char name[NAME_MAX + 1];
        StoreImage *image = NULL;
        Error cause = ERROR_INIT;

        record_name(manifest, name);
        if (store_images_fd(store) < 0) {
                *ret = NULL;
                return 0;
        }
        if (json_load_at(store_images_fd(store), name, RECORD_SIZE_MAX, &json, &cause) < 0 ||
            image_parse(json, manifest, &image, &cause) < 0) {
                bool none = cause.kind == ERROR_INVALID_JSON || cause.kind == ERROR_INVALID_SPEC || cause.kind == ERROR_NOT_SUPPORTED ||
                            cause.errnum == ENOENT;

                if (!none) {
                        if (err)
                                *err = cause;
                        return error_prefix(err, "image record of '%s'", manifest->text);
                }
        }
        *ret = image;
        return 0;
}

int store_image_save(Store *store, const StoreImage *image, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        json_t *layers;
        char name[NAME_MAX + 1];

        json = json_pack("{s:s, s:s, s:I, s:[]}", "manifest", image->manifest.text, "config", image->config.text, "size",
                         (json_int_t) image->size, "layers");
        if (!json)
                return error_oom(err);
        layers = json_object_get(json, "layers");
        for (size_t i = 0; i < image->n_layers; i++) {
                json_t *layer;

                if (descriptor_json(&image->layers[i], &layer, err) < 0)
                        return -1;
                if (json_array_append_new(layers, layer) < 0 ||
                    json_object_set_new(layer, "diffID", json_string(image->diff_ids[i].text)) < 0 ||
                    json_object_set_new(layer, "chainID", json_string(image->chain_ids[i].text)) < 0)
                        return error_oom(err);
        }
        record_name(&image->manifest, name);
        if (json_save_at(store_images_fd(store), name, json, 0600, 0, err) < 0)
                return error_prefix(err, "image record of '%s'", image->manifest.text);
        return 0;
}

int store_image_config(Store *store, const StoreImage *image, ImageConfig **ret, Error *err) {
        _cleanup_free_ char *data = NULL;
        char where[sizeof(Digest) + sizeof("image config ")];
        int blobs = store_blobs_fd(store);
        Error cause = ERROR_INIT;
        size_t len;

        snprintf(where, sizeof(where), "image config %s", image->config.text);
        if (blobs < 0 || file_read_at(blobs, digest_hex(&image->config), IMAGE_CONFIG_SIZE_MAX, &data, &len, &cause) < 0) {
                if (blobs < 0 || cause.errnum == ENOENT)
                        return error_set(err, ERROR_IMAGE_NOT_FOUND, "no %s in the store '%s'", where, store_path(store));
                if (err)
                        *err = cause;
                return error_prefix(err, "%s", where);
        }
        return image_config_parse(data, len, where, ret, err);
}
