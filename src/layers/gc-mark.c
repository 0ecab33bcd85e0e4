/*
 * Marking reads documents loosely: whatever in them looks like a descriptor is kept, so that artifacts and kinds of image that this program
 * cannot run survive in a store that other programs write to as well.
 */

#include "layers/gc-mark.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "layers/layers.h"
#include "store/container.h"

typedef struct Mark {
        Store *store;
        GcMarks marks;
        PathSet documents; /* those that are or were in the queue */
        Descriptor *queue; /* documents still to be read */
        size_t n_queue;
} Mark;

void gc_marks_clear(GcMarks *marks) {
        path_set_free(&marks->blobs);
        path_set_free(&marks->layers);
}

static void mark_clear(Mark *mark) {
        gc_marks_clear(&mark->marks);
        path_set_free(&mark->documents);
        free(mark->queue);
}

/* Keeps a blob; one that may be a document is read later, once. */
static int keep(Mark *mark, const Descriptor *blob, Error *err) {
        Descriptor *grown;

        if (path_set_add(&mark->marks.blobs, digest_hex(&blob->digest), err) < 0)
                return -1;
        /* An image that calls another's manifest a layer must not keep it from being read. */
        if ((blob->type != MEDIA_MANIFEST && blob->type != MEDIA_INDEX && blob->type != MEDIA_UNKNOWN) ||
            path_set_has(&mark->documents, digest_hex(&blob->digest)))
                return 0;
        if (path_set_add(&mark->documents, digest_hex(&blob->digest), err) < 0)
                return -1;
        grown = reallocarray(mark->queue, mark->n_queue + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        mark->queue = grown;
        mark->queue[mark->n_queue++] = *blob;
        return 0;
}

/* Keeps every blob that @json names in an object with "digest"; its depth is capped by the parser. */
static int keep_descriptors(Mark *mark, json_t *json, Error *err) {
        const char *digest = json_string_value(json_object_get(json, "digest"));
        Descriptor blob = { .type = media_type_parse(json_string_value(json_object_get(json, "mediaType"))) };
        const char *key;
        json_t *value;
        size_t i;

        if (digest && digest_parse(digest, &blob.digest, NULL) == 0 && keep(mark, &blob, err) < 0)
                return -1;
        json_object_foreach(json, key, value)
                if (keep_descriptors(mark, value, err) < 0)
                        return -1;
        json_array_foreach(json, i, value)
                if (keep_descriptors(mark, value, err) < 0)
                        return -1;
        return 0;
}

/* *ret stays NULL for a blob that is not there. */
static int read_document(Mark *mark, const Digest *digest, size_t max, json_t **ret, Error *err) {
        Error cause = ERROR_INIT;

        if (json_load_at(store_blobs_fd(mark->store), digest_hex(digest), max, ret, &cause) == 0 || cause.errnum == ENOENT)
                return 0;
        if (err)
                *err = cause;
        return error_prefix(err, "%s", digest->text);
}

/* Keeps the unpacked layers that an image's config names. */
static int keep_layers(Mark *mark, const json_t *manifest, Error *err) {
        const char *text = json_string_value(json_object_get(json_object_get(manifest, "config"), "digest"));
        _cleanup_json_ json_t *config = NULL;
        Digest digest, chain_id, diff_id;
        json_t *value;
        size_t i;

        if (!text || digest_parse(text, &digest, NULL) < 0)
                return 0;
        if (read_document(mark, &digest, IMAGE_CONFIG_SIZE_MAX, &config, err) < 0)
                return -1;
        json_array_foreach(json_object_get(json_object_get(config, "rootfs"), "diff_ids"), i, value) {
                if (!json_is_string(value) || digest_parse(json_string_value(value), &diff_id, err) < 0)
                        return error_prefix(err, "config %s", digest.text);
                if (layer_chain_id(i > 0 ? &chain_id : NULL, &diff_id, &chain_id, err) < 0 ||
                    path_set_add(&mark->marks.layers, digest_hex(&chain_id), err) < 0)
                        return -1;
        }
        return 0;
}

static int follow(Mark *mark, const Descriptor *blob, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        Error cause = ERROR_INIT;

        if (read_document(mark, &blob->digest, INDEX_SIZE_MAX, &json, &cause) < 0) {
                /* A blob of unknown type need not be a document at all. */
                if (blob->type == MEDIA_UNKNOWN && cause.kind != ERROR_OUT_OF_MEMORY)
                        return 0;
                if (err)
                        *err = cause;
                return error_hint(err, "remove the image it belongs to first (image rm)");
        }
        if (!json)
                return 0;
        if (keep_descriptors(mark, json, err) < 0)
                return -1;
        return blob->type == MEDIA_INDEX ? 0 : keep_layers(mark, json, err);
}

static int mark_names(Mark *mark, Error *err) {
        StoreName *names = NULL;
        size_t n = 0;
        int r = 0;

        if (store_names_list(mark->store, &names, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n && r == 0; i++)
                r = keep(mark, &names[i].descriptor, err);
        store_names_free(names, n);
        return r;
}

/* A container keeps its image, and its layers even when the image's documents are gone. */
static int mark_container(Mark *mark, const char *id, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        Descriptor manifest = { .type = MEDIA_MANIFEST };
        _cleanup_close_ int fd = -EBADF;

        if (container_dir_open(mark->store, id, &fd, err) < 0 || container_record_load(fd, &record, err) < 0 ||
            store_image_load(mark->store, &record->image, &image, err) < 0)
                return -1;
        for (size_t i = 0; image && i < image->n_layers; i++)
                if (path_set_add(&mark->marks.layers, digest_hex(&image->chain_ids[i]), err) < 0)
                        return -1;
        manifest.digest = record->image;
        return keep(mark, &manifest, err);
}

static int mark_containers(Mark *mark, Error *err) {
        _cleanup_strv_ char **ids = NULL;

        if (container_list(mark->store, &ids, err) < 0)
                return -1;
        for (char **id = ids; id && *id; id++) {
                Error cause = ERROR_INIT;

                /* One that vanished meanwhile refers to nothing. */
                if (mark_container(mark, *id, &cause) < 0 && cause.kind != ERROR_CONTAINER_NOT_FOUND) {
                        if (err)
                                *err = cause;
                        return error_prefix(err, "container '%s'", *id);
                }
        }
        return 0;
}

int gc_mark(Store *store, GcMarks *ret, Error *err) {
        _cleanup_(mark_clear) Mark mark = { .store = store };

        if (mark_names(&mark, err) < 0 || mark_containers(&mark, err) < 0)
                return -1;
        while (mark.n_queue > 0) {
                const Descriptor blob = mark.queue[--mark.n_queue];

                if (follow(&mark, &blob, err) < 0)
                        return -1;
        }
        *ret = mark.marks;
        mark.marks = (GcMarks) { 0 };
        return 0;
}
