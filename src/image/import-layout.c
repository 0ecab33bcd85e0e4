/* Importing an OCI image layout. Source: image-spec, image-layout.md */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "image/describe.h"
#include "image/import.h"

#define REF_NAME        "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

typedef struct Fetch {
        Staging *staging;
        const LayoutSource *source;
} Fetch;

static int open_blob(const Fetch *fetch, const Descriptor *descriptor, StagingBlob *blob, int *ret_fd, Error *err) {
        char path[96];

        snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&descriptor->digest));
        return fetch->source->open(fetch->source->userdata, path, blob, ret_fd, err);
}

/* Stages a document of the layout. */
static int fetch_document(void *userdata, const Descriptor *descriptor, const char *what, Error *err) {
        const Fetch *fetch = userdata;
        StagingBlob blob = { .what = what, .digest = &descriptor->digest, .size = &descriptor->size, .raw = true, .own_dir_fd = -1 };
        _cleanup_close_ int fd = -EBADF;
        BlobStreamResult result;

        /* Several images of a source may share one. */
        if (faccessat(fetch->staging->blobs_fd, digest_hex(&descriptor->digest), F_OK, 0) == 0)
                return 0;
        if (open_blob(fetch, descriptor, &blob, &fd, err) < 0)
                return error_prefix(err, "%s %s", what, descriptor->digest.text);
        return staging_add(fetch->staging, fd, &blob, &result, err);
}

static int open_layer(void *userdata, const Descriptor *layer, StagingBlob *blob, int *ret_fd, Error *err) {
        return open_blob(userdata, layer, blob, ret_fd, err);
}

static int import_entry(const Fetch *fetch, const Descriptor *descriptor, const char *name, StagedImages *ret, Error *err) {
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        const DescribeRequest request = {
                .blobs_fd = fetch->staging->blobs_fd,
                .platform = fetch->staging->request->platform,
                .strict = true,
                .fetch = fetch_document,
                .userdata = (void *) fetch,
        };
        LayerBatch *layers;
        Descriptor manifest;

        if (image_describe(&request, descriptor, &image, &manifest, err) < 0 ||
            staging_add_layers(fetch->staging, image, open_layer, (void *) fetch, &layers, err) < 0)
                return -1;
        return staged_images_add(ret, name, &manifest, TAKE(image), layers, err);
}

/* What the layout itself calls an entry: containerd keeps the full name beside the tag. */
static const char *entry_name(const json_t *json, size_t i) {
        const json_t *annotations = json_object_get(json_array_get(json_object_get(json, "manifests"), i), "annotations");
        const char *name = json_string_value(json_object_get(annotations, CONTAINERD_NAME));

        return name ?: json_string_value(json_object_get(annotations, REF_NAME));
}

static bool entry_is_selected(const json_t *json, size_t i, const char *selector) {
        const json_t *annotations = json_object_get(json_array_get(json_object_get(json, "manifests"), i), "annotations");

        return name_is_wanted(json_string_value(json_object_get(annotations, CONTAINERD_NAME)), selector) ||
               name_is_wanted(json_string_value(json_object_get(annotations, REF_NAME)), selector);
}

static int read_file(const LayoutSource *source, const char *path, size_t max, char **ret, size_t *ret_len, Error *err) {
        StagingBlob unused = { .own_dir_fd = -1 };
        _cleanup_close_ int fd = -EBADF;

        if (source->open(source->userdata, path, &unused, &fd, err) < 0)
                return -1;
        return file_read_fd(fd, path, max, ret, ret_len, err);
}

static int check_version(const LayoutSource *source, Error *err) {
        const JsonPlace place = { .where = "oci-layout", .kind = ERROR_INVALID_SPEC };
        _cleanup_free_ char *data = NULL;
        _cleanup_json_ json_t *json = NULL;
        const char *version;
        size_t len;

        if (read_file(source, "oci-layout", 4096, &data, &len, err) < 0 || json_parse(data, len, "oci-layout", &json, err) < 0 ||
            json_need_string(json, "imageLayoutVersion", place, &version, err) < 0)
                return -1;
        if (strcmp(version, "1.0.0") != 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "oci-layout: version '%s' is not 1.0.0", version);
        return 0;
}

int import_layout(Staging *staging, const LayoutSource *source, StagedImages *ret, Error *err) {
        const Fetch fetch = { .staging = staging, .source = source };
        _cleanup_(index_freep) Index *index = NULL;
        _cleanup_free_ char *data = NULL;
        _cleanup_json_ json_t *json = NULL;
        size_t len;

        if (check_version(source, err) < 0 || read_file(source, "index.json", INDEX_SIZE_MAX, &data, &len, err) < 0 ||
            index_parse(data, len, MEDIA_INDEX, "index.json", &index, err) < 0 || json_parse(data, len, "index.json", &json, err) < 0)
                return error_prefix(err, "'%s'", source->what);
        for (size_t i = 0; i < index->n_entries; i++) {
                const Descriptor *descriptor = &index->entries[i].descriptor;

                if (!entry_is_selected(json, i, source->selector) ||
                    (descriptor->type == MEDIA_UNKNOWN && index->n_entries > 1 && !source->selector))
                        continue;
                if (import_entry(&fetch, descriptor, entry_name(json, i), ret, err) < 0)
                        return error_prefix(err, "'%s'", source->what);
        }
        if (ret->n == 0) {
                error_set(err, ERROR_IMAGE_NOT_FOUND, "'%s' has no image%s%s%s", source->what, source->selector ? " '" : "",
                          source->selector ?: "", source->selector ? "'" : "");
                return -1;
        }
        return 0;
}

static int open_in_directory(void *userdata, const char *path, StagingBlob *blob, int *ret_fd, Error *err) {
        const int *dir_fd = userdata;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* Symlinks are the user's own; a FIFO must not hang us. */
        fd = openat(*dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, errno == ENOENT ? ERROR_IMAGE_NOT_FOUND : ERROR_FILE, errno, "open '%s'", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERROR_FILE, "'%s' is not a regular file", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int import_layout_directory(Staging *staging, int dir_fd, const char *path, const char *selector, StagedImages *ret, Error *err) {
        const LayoutSource source = { .open = open_in_directory, .userdata = &dir_fd, .what = path, .selector = selector };

        return import_layout(staging, &source, ret, err);
}
