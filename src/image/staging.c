/* The staging area of an import. */

#include "image/staging.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/describe.h"
#include "oci/reference.h"

LayerProgress layer_progress(const ImageProgress *progress) {
        return progress ? (LayerProgress) { .report = progress->report, .userdata = progress->userdata, .cancelled = progress->cancelled } :
                          (LayerProgress) {};
}

int staging_open(Store *store, const ImportRequest *request, const ImageProgress *progress, Staging *ret, Error *err) {
        _cleanup_staging_ Staging s = STAGING_INIT;

        s.store = store;
        s.request = request;
        s.progress = progress;
        if (store_tmp_make(store, &s.tmp_name, &s.tmp_fd, &s.lock_fd, err) < 0)
                return -1;
        if (request->unpack && layers_lock_open(store, &s.layers_lock, err) < 0)
                return -1;
        if (mkdirat(s.tmp_fd, "blobs", 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create directory 'blobs'");
        if (dir_open_at(s.tmp_fd, "blobs", &s.blobs_fd, err) < 0)
                return -1;
        *ret = s;
        s = STAGING_INIT;
        return 0;
}

void staging_close(Staging *staging) {
        closep(&staging->blobs_fd);
        closep(&staging->tmp_fd);
        if (staging->tmp_name)
                (void) dir_remove_tree_at(store_tmp_fd(staging->store), staging->tmp_name, NULL);
        free(staging->tmp_name);
        closep(&staging->lock_fd);
        closep(&staging->layers_lock);
        strv_free(staging->added);
        *staging = STAGING_INIT;
}

typedef struct Reporter {
        const Staging *staging;
        const char *subject;
        uint64_t total;
} Reporter;

static void report(void *userdata, uint64_t done) {
        const Reporter *r = userdata;

        if (r->staging->progress->report)
                r->staging->progress->report(r->staging->progress->userdata, "import", r->subject, done, r->total);
}

int staging_create(Staging *staging, int *ret_fd, Error *err) {
        int fd = openat(staging->tmp_fd, "new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a temporary file in the store");
        *ret_fd = fd;
        return 0;
}

int staging_settle(Staging *staging, const Digest *digest, Error *err) {
        if (renameat(staging->tmp_fd, "new", staging->blobs_fd, digest_hex(digest)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "rename blob %s", digest->text);
        return 0;
}

int staging_settle_own(const Staging *staging, const StagingBlob *blob, const Digest *digest, Error *err) {
        if (linkat(blob->own_dir_fd, blob->own_name, staging->blobs_fd, digest_hex(digest), 0) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "link blob %s", digest->text);
        return 0;
}

int staging_add(Staging *staging, int fd, const StagingBlob *blob, BlobStreamResult *ret, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_close_ int copy_fd = -EBADF;
        char what[128];
        struct stat st;

        snprintf(what, sizeof(what), "%s%s%s", blob->what, blob->digest ? " " : "", blob->digest ? blob->digest->text : "");
        Reporter reporter = {
                .staging = staging,
                .subject = blob->digest ? blob->digest->text : blob->what,
                .total = blob->size ? *blob->size : fstat(fd, &st) == 0 ? (uint64_t) st.st_size : 0,
        };

        if (blob->own_dir_fd < 0 && staging_create(staging, &copy_fd, err) < 0)
                return -1;
        const BlobStreamOptions options = {
                .what = what,
                .digest = blob->digest,
                .size = blob->size,
                .diff_id = blob->diff_id,
                .raw = blob->raw,
                .copy_fd = copy_fd,
                .output_max = blob->raw ? 0 : staging->request->unpacked_max ?: LAYER_UNPACKED_MAX,
                .cancelled = staging->progress->cancelled,
                .report = report,
                .userdata = &reporter,
        };

        if (blob_stream_new(fd, &options, &stream, err) < 0)
                return -1;
        if (blob_stream_finish(stream, ret, err) < 0)
                return blob_stream_blame(stream, err);
        return copy_fd >= 0 ? staging_settle(staging, &ret->digest, err) : staging_settle_own(staging, blob, &ret->digest, err);
}

int staging_add_data(Staging *staging, MediaType type, const void *data, size_t len, Descriptor *ret, Error *err) {
        char hex[SHA256_HEX_MAX];

        if (sha256_data(data, len, hex, err) < 0 || file_write_atomic_at(staging->blobs_fd, hex, data, len, 0600, 0, err) < 0)
                return -1;
        *ret = (Descriptor) { .type = type, .size = len };
        digest_from_hex(hex, &ret->digest);
        return 0;
}

/* The manifest of an image. Source: image-spec, manifest.md */
static int print_manifest(const Descriptor *config, const Descriptor *layers, size_t n_layers, char **ret, Error *err) {
        _cleanup_json_ json_t *manifest = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", media_type_name(MEDIA_MANIFEST));
        _cleanup_json_ json_t *list = json_array();
        json_t *item;

        if (!manifest || !list)
                return error_oom(err);
        if (descriptor_json(config, &item, err) < 0)
                return -1;
        if (json_object_set_new(manifest, "config", item) < 0)
                return error_oom(err);
        for (size_t i = 0; i < n_layers; i++) {
                if (descriptor_json(&layers[i], &item, err) < 0)
                        return -1;
                if (json_array_append_new(list, item) < 0)
                        return error_oom(err);
        }
        if (json_object_set(manifest, "layers", list) < 0)
                return error_oom(err);
        return json_print(manifest, ret, err);
}

int staging_add_image(Staging *staging, const char *config, size_t config_len, const Descriptor *layers, size_t n_layers, const char *name,
                      StagedImages *images, Error *err) {
        const DescribeRequest request = { .blobs_fd = staging->blobs_fd };
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_free_ char *text = NULL;
        Descriptor config_blob, manifest;

        if (staging_add_data(staging, MEDIA_CONFIG, config, config_len, &config_blob, err) < 0 ||
            print_manifest(&config_blob, layers, n_layers, &text, err) < 0 ||
            staging_add_data(staging, MEDIA_MANIFEST, text, strlen(text), &manifest, err) < 0 ||
            image_describe(&request, &manifest, &image, NULL, err) < 0)
                return -1;
        return staged_images_add(images, name, &manifest, TAKE(image), NULL, err);
}

int staging_sync(Staging *staging, Error *err) {
        return syncfs(staging->blobs_fd) < 0 ? error_set_errno(err, ERROR_FILE, errno, "sync what was staged") : 0;
}

int staging_commit(Staging *staging, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        int blobs = store_blobs_fd(staging->store), fd;
        struct dirent *entry;

        fd = openat(staging->blobs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read the staged blobs");
        }
        while ((errno = 0, entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                if (faccessat(blobs, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && strv_push(&staging->added, entry->d_name, err) < 0)
                        return -1;
                /* One that is there already is replaced by what was verified just now: it may be damaged. */
                if (renameat(staging->blobs_fd, entry->d_name, blobs, entry->d_name) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "move blob 'sha256:%s' into the store", entry->d_name);
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the staged blobs");
        if (fsync(blobs) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the store's blobs");
        return 0;
}

void staging_rollback(Staging *staging) {
        for (char **hex = staging->added; hex && *hex; hex++)
                (void) unlinkat(store_blobs_fd(staging->store), *hex, 0);
}

void staged_image_clear(StagedImage *image) {
        free(image->name);
        layer_batch_free(image->layers);
        store_image_free(image->image);
}

void staged_images_clear(StagedImages *images) {
        for (size_t i = 0; i < images->n; i++)
                staged_image_clear(&images->items[i]);
        free(images->items);
        *images = (StagedImages) { 0 };
}

int staged_images_add(StagedImages *images, const char *name, const Descriptor *manifest, StoreImage *image, LayerBatch *layers,
                      Error *err) {
        _cleanup_(store_image_freep) StoreImage *owned = image;
        _cleanup_(layer_batch_freep) LayerBatch *batch = layers;
        StagedImage item = { .manifest = *manifest };
        StagedImage *grown;

        if (string_copy(name, &item.name, err) < 0)
                return -1;
        grown = reallocarray(images->items, images->n + 1, sizeof(*grown));
        if (!grown) {
                free(item.name);
                return error_oom(err);
        }
        item.image = TAKE(owned);
        item.layers = TAKE(batch);
        images->items = grown;
        images->items[images->n++] = item;
        return 0;
}

static char *normalised(const char *text) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        char *full;

        if (!text || reference_parse(text, &reference, NULL) < 0 || reference_format(reference, &full, NULL) < 0)
                return NULL;
        return full;
}

bool name_is_wanted(const char *name, const char *selector) {
        _cleanup_free_ char *a = NULL, *b = NULL;

        if (!selector)
                return true;
        if (!name)
                return false;
        if (!strcmp(name, selector))
                return true;
        a = normalised(name);
        b = normalised(selector);
        return a && b && !strcmp(a, b);
}
