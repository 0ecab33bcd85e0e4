/* The records of unpacked layers. */

#include "store/layer.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define RECORD_SIZE_MAX 4096 /* bytes; four fields */
#define HEX_LEN         64

static int parse(const json_t *json, StoreLayer *layer, Error *err) {
        static const JsonPlace place = { "layer.json", ERROR_INVALID_SPEC };
        const char *diff_id, *parent = NULL;
        int64_t size, entries;

        if (json_need_string(json, "diffID", place, &diff_id, err) < 0 || digest_parse(diff_id, &layer->diff_id, err) < 0 ||
            json_opt_string(json, "parent", place, &parent, err) < 0 ||
            json_need_integer(json, "size", place, 0, INT64_MAX, &size, err) < 0 ||
            json_need_integer(json, "entries", place, 0, INT64_MAX, &entries, err) < 0)
                return -1;
        layer->has_parent = parent != NULL;
        layer->size = (uint64_t) size;
        layer->entries = (uint64_t) entries;
        return parent ? digest_parse(parent, &layer->parent, err) : 0;
}

int store_layer_load(Store *store, const Digest *chain_id, StoreLayer *ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        StoreLayer layer = { .chain_id = *chain_id };
        char path[HEX_LEN + sizeof("/layer.json")];
        Error cause = ERROR_INIT;

        if (!store_layer_exists(store, chain_id))
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "no layer %s in the store '%s'", chain_id->text, store_path(store));
        snprintf(path, sizeof(path), "%s/layer.json", digest_hex(chain_id));
        if (json_load_at(store_layers_fd(store), path, RECORD_SIZE_MAX, &json, &cause) < 0 || parse(json, &layer, &cause) < 0) {
                if (err)
                        *err = cause;
                return error_prefix(err, "layer %s", chain_id->text);
        }
        *ret = layer;
        return 0;
}

static bool is_hex(const char *name) {
        return strspn(name, "0123456789abcdef") == strlen(name);
}

static int by_text(const void *a, const void *b) {
        return strcmp(((const Digest *) a)->text, ((const Digest *) b)->text);
}

int store_layers_list(Store *store, Digest **ret, size_t *ret_n, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        _cleanup_free_ Digest *digests = NULL;
        struct dirent *entry;
        size_t n = 0;

        if (store_layers_fd(store) >= 0) {
                if (dir_read(store_layers_fd(store), &dir, err) < 0)
                        return -1;
                while ((entry = dir_next(dir))) {
                        Digest *grown;

                        if (strlen(entry->d_name) != HEX_LEN || !is_hex(entry->d_name))
                                continue;
                        grown = (n & (n - 1)) == 0 ? reallocarray(digests, n ? n * 2 : 1, sizeof(*digests)) : digests;
                        if (!grown)
                                return error_oom(err);
                        digests = grown;
                        digest_from_hex(entry->d_name, &digests[n++]);
                }
                if (errno != 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read the store's layers");
        }
        if (n > 0)
                qsort(digests, n, sizeof(*digests), by_text);
        *ret = TAKE(digests);
        *ret_n = n;
        return 0;
}

int store_layer_find(Store *store, const char *text, Digest *ret, Error *err) {
        const char *hex = !strncmp(text, "sha256:", 7) ? text + 7 : text;
        _cleanup_free_ Digest *digests = NULL;
        const Digest *found = NULL;
        size_t n, len = strlen(hex);

        if (len < 6 || len > HEX_LEN || !is_hex(hex)) {
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is no layer's chainID", text);
                return error_hint(err, "'layer list' shows them; six of their digits are enough");
        }
        if (store_layers_list(store, &digests, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                if (strncmp(digest_hex(&digests[i]), hex, len) != 0)
                        continue;
                if (found)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is the beginning of several layers' chainIDs", text);
                found = &digests[i];
        }
        if (!found)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "no layer '%s' in the store '%s'", text, store_path(store));
        *ret = *found;
        return 0;
}
