/* index.json: which name means which manifest. What others wrote in it is kept, field by field. */

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "store/store.h"

#define REF_NAME "org.opencontainers.image.ref.name" /* image-spec, annotations.md */
#define NAME_LEN_MAX 4096                            /* bytes; as reference_parse() takes them */

static const JsonPlace place = { "index.json", ERROR_INVALID_SPEC };

void store_name_clear(StoreName *name) {
        free(name->name);
        *name = (StoreName) { .name = NULL };
}

StoreName *store_names_free(StoreName *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                store_name_clear(&names[i]);
        free(names);
        return NULL;
}

/* The whole document and, borrowed from it, its array. A missing file is an empty index. */
static int index_load(Store *store, json_t **ret_index, json_t **ret_entries, Error *err) {
        _cleanup_json_ json_t *index = NULL;
        json_t *entries = NULL;
        Error cause = ERROR_INIT;

        if (store_fd(store) < 0)
                index = json_object();
        else if (json_load_at(store_fd(store), "index.json", INDEX_SIZE_MAX, &index, &cause) < 0) {
                if (cause.kind != ERROR_FILE || cause.errnum != ENOENT) {
                        if (err)
                                *err = cause;
                        return error_prefix(err, "store '%s'", store_path(store));
                }
                index = json_object();
        }
        if (!index)
                return error_oom(err);
        if (!json_is_object(index))
                return error_set(err, ERROR_INVALID_SPEC, "store '%s': index.json: not an object", store_path(store));

        if (json_opt_array(index, "manifests", place, &entries, err) < 0)
                return error_prefix(err, "store '%s'", store_path(store));
        if (!entries) {
                entries = json_array();
                if (json_object_set_new(index, "schemaVersion", json_integer(2)) < 0 ||
                    json_object_set_new(index, "manifests", entries) < 0)
                        return error_oom(err);
        }
        *ret_index = TAKE(index);
        *ret_entries = entries;
        return 0;
}

/* The name of an entry, borrowed; *ret is NULL when it has none. */
static int entry_name(const json_t *entry, const char **ret, Error *err) {
        json_t *annotations = NULL;

        *ret = NULL;
        if (json_opt_object(entry, "annotations", place, &annotations, err) < 0)
                return -1;
        return annotations ? json_opt_string(annotations, REF_NAME, place, ret, err) : 0;
}

/* Returns 1 for an entry that this program cannot address (another digest algorithm): it is kept, and never found. */
static int entry_parse(const json_t *entry, size_t index, StoreName *ret, Error *err) {
        char where[64];
        const char *name;
        Error cause = ERROR_INIT;
        Descriptor descriptor;

        snprintf(where, sizeof(where), "index.json: manifests[%zu]", index);
        if (descriptor_parse(entry, where, &descriptor, &cause) < 0) {
                if (cause.kind == ERROR_NOT_SUPPORTED)
                        return 1;
                if (err)
                        *err = cause;
                return -1;
        }
        if (entry_name(entry, &name, err) < 0 || string_copy(name, &ret->name, err) < 0)
                return -1;
        ret->descriptor = descriptor;
        return 0;
}

int store_names_list(Store *store, StoreName **ret, size_t *ret_n, Error *err) {
        _cleanup_json_ json_t *index = NULL;
        json_t *entries, *entry;
        StoreName *names;
        size_t n = 0, i;

        if (index_load(store, &index, &entries, err) < 0)
                return -1;
        names = calloc(json_array_size(entries) + 1, sizeof(*names));
        if (!names)
                return error_oom(err);
        json_array_foreach(entries, i, entry) {
                int r = entry_parse(entry, i, &names[n], err);

                if (r < 0) {
                        store_names_free(names, n);
                        return error_prefix(err, "store '%s'", store_path(store));
                }
                if (r == 0)
                        n++;
        }
        *ret = names;
        *ret_n = n;
        return 0;
}

static int index_save(Store *store, const json_t *index, Error *err) {
        if (json_save_at(store_fd(store), "index.json", index, 0600, WRITE_DURABLE, err) < 0)
                return error_prefix(err, "store '%s'", store_path(store));
        return 0;
}

static int entry_new(const char *name, const Descriptor *descriptor, json_t **ret, Error *err) {
        _cleanup_json_ json_t *entry = NULL;
        json_t *annotations;

        if (descriptor_json(descriptor, &entry, err) < 0)
                return -1;
        annotations = json_pack("{s:s}", REF_NAME, name);
        if (!annotations)
                return error_set(err, ERROR_INVALID_ARGUMENT, "image name '%s' is not UTF-8", name);
        if (json_object_set_new(entry, "annotations", annotations) < 0)
                return error_oom(err);
        *ret = TAKE(entry);
        return 0;
}

/* Another entry of the same manifest knows its exact media type (Docker's or OCI's), which a Descriptor does not. */
static int entry_take_type(json_t *wanted, const json_t *entries, Error *err) {
        json_t *entry;
        size_t i;

        json_array_foreach(entries, i, entry) {
                json_t *type = json_object_get(entry, "mediaType");

                if (json_is_string(type) && json_equal(json_object_get(entry, "digest"), json_object_get(wanted, "digest")))
                        return json_object_set(wanted, "mediaType", type) < 0 ? error_oom(err) : 0;
        }
        return 0;
}

/* Whether the entry says the same as the new one, whatever more it says. */
static bool entry_means(const json_t *entry, const json_t *wanted) {
        return json_equal(json_object_get(entry, "digest"), json_object_get(wanted, "digest")) &&
               json_equal(json_object_get(entry, "size"), json_object_get(wanted, "size")) &&
               json_equal(json_object_get(entry, "mediaType"), json_object_get(wanted, "mediaType"));
}

int store_name_set(Store *store, const char *name, const Descriptor *descriptor, Error *err) {
        _cleanup_json_ json_t *index = NULL, *wanted = NULL;
        _cleanup_close_ int lock = -EBADF;
        json_t *entries;
        size_t found = SIZE_MAX;
        bool changed = false;

        if (!name[0] || strlen(name) > NAME_LEN_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "an image name has 1 to %d bytes", NAME_LEN_MAX);
        if (entry_new(name, descriptor, &wanted, err) < 0)
                return -1;
        if (store_lock(store, "index", true, true, &lock, err) < 0 || index_load(store, &index, &entries, err) < 0 ||
            entry_take_type(wanted, entries, err) < 0)
                return -1;

        for (size_t i = 0; i < json_array_size(entries);) {
                json_t *entry = json_array_get(entries, i);
                const char *other;

                if (entry_name(entry, &other, err) < 0)
                        return error_prefix(err, "store '%s'", store_path(store));
                if (!other || strcmp(other, name)) {
                        i++;
                        continue;
                }
                if (found != SIZE_MAX) {
                        json_array_remove(entries, i);
                        changed = true;
                        continue;
                }
                found = i++;
                if (entry_means(entry, wanted))
                        continue;
                if (json_array_set(entries, found, wanted) < 0)
                        return error_oom(err);
                changed = true;
        }
        if (found == SIZE_MAX) {
                if (json_array_append(entries, wanted) < 0)
                        return error_oom(err);
                changed = true;
        }
        return changed ? index_save(store, index, err) : 0;
}

int store_name_remove(Store *store, const char *name, bool *ret_last, Error *err) {
        _cleanup_json_ json_t *index = NULL, *removed = NULL;
        _cleanup_close_ int lock = -EBADF;
        json_t *entries, *entry;
        size_t i;
        bool by_digest, last = true;
        Digest digest;

        by_digest = digest_parse(name, &digest, NULL) == 0;
        removed = json_object();
        if (!removed)
                return error_oom(err);
        if (store_fd(store) >= 0 && store_lock(store, "index", true, true, &lock, err) < 0)
                return -1;
        if (index_load(store, &index, &entries, err) < 0)
                return -1;

        for (i = 0; i < json_array_size(entries);) {
                const char *other, *text;

                entry = json_array_get(entries, i);
                text = json_string_value(json_object_get(entry, "digest"));
                if (entry_name(entry, &other, err) < 0)
                        return error_prefix(err, "store '%s'", store_path(store));
                if (other ? strcmp(other, name) != 0 : !by_digest || !text || strcmp(text, digest.text) != 0) {
                        i++;
                        continue;
                }
                if (text && json_object_set_new(removed, text, json_true()) < 0)
                        return error_oom(err);
                json_array_remove(entries, i);
        }
        if (json_object_size(removed) == 0)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "no image named '%s' in the store '%s'", name, store_path(store));

        json_array_foreach(entries, i, entry) {
                const char *text = json_string_value(json_object_get(entry, "digest"));

                if (text && json_object_get(removed, text))
                        last = false;
        }
        if (index_save(store, index, err) < 0)
                return -1;
        if (ret_last)
                *ret_last = last;
        return 0;
}
