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
#include "oci/reference.h"

int staging_open(Store *store, const ImportRequest *request, const ImageProgress *progress, Staging *ret, Error *err) {
        _cleanup_staging_ Staging s = STAGING_INIT;

        s.store = store;
        s.request = request;
        s.progress = progress;
        if (store_tmp_make(store, &s.tmp_name, &s.tmp_fd, &s.lock_fd, err) < 0)
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

/* Gives the file "new" in the staging area, or the source itself, its name. */
static int settle(Staging *staging, const StagingBlob *blob, int copy_fd, const Digest *digest, Error *err) {
        const char *hex = digest_hex(digest);

        if (copy_fd >= 0) {
                if (fsync(copy_fd) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "sync %s %s", blob->what, digest->text);
                if (renameat(staging->tmp_fd, "new", staging->blobs_fd, hex) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "rename %s %s", blob->what, digest->text);
                return 0;
        }
        if (linkat(blob->own_dir_fd, blob->own_name, staging->blobs_fd, hex, 0) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "link %s %s", blob->what, digest->text);
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

        if (blob->own_dir_fd < 0) {
                copy_fd = openat(staging->tmp_fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
                if (copy_fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "create a file for %s", what);
        }
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
        return settle(staging, blob, copy_fd, &ret->digest, err);
}

int staging_add_data(Staging *staging, MediaType type, const void *data, size_t len, Descriptor *ret, Error *err) {
        char hex[SHA256_HEX_MAX];

        if (sha256_data(data, len, hex, err) < 0 || file_write_atomic_at(staging->blobs_fd, hex, data, len, 0600, WRITE_DURABLE, err) < 0)
                return -1;
        *ret = (Descriptor) { .type = type, .size = len };
        digest_from_hex(hex, &ret->digest);
        return 0;
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

void staged_images_clear(StagedImages *images) {
        for (size_t i = 0; i < images->n; i++) {
                free(images->items[i].name);
                store_image_free(images->items[i].image);
        }
        free(images->items);
        *images = (StagedImages) { 0 };
}

int staged_images_add(StagedImages *images, const char *name, const Descriptor *manifest, StoreImage *image, Error *err) {
        _cleanup_(store_image_freep) StoreImage *owned = image;
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
