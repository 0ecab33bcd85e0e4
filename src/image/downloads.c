/* The files in downloads/: opened, continued, and renamed. */

#include "image/downloads.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/lock.h"

#define POLL_MS   50  /* between two looks at what another thread or process fetches */
#define STUCK_MAX 600 /* looks at another process's download that does not grow, before the blob is fetched beside it */

typedef enum DownloadState {
        DOWNLOAD_OPEN,
        DOWNLOAD_WHOLE, /* it is in downloads/ */
        DOWNLOAD_THERE, /* it is in the store */
        DOWNLOAD_FAILED,
} DownloadState;

int downloads_open(Store *store, const StoreImage *image, const BlobSource *source, const ImageProgress *progress, bool unpack,
                   Downloads *ret, Error *err) {
        _cleanup_(downloads_close) Downloads d = { store, image, source, progress, unpack, .dir_fd = -EBADF };

        d.items = calloc(image->n_layers + 1, sizeof(*d.items));
        if (!d.items)
                return error_oom(err);
        if (dir_make_at(store_fd(store), "downloads", 0700, &d.dir_fd, err) < 0)
                return -1;
        *ret = d;
        d = DOWNLOADS_INIT;
        return 0;
}

void downloads_close(Downloads *downloads) {
        closep(&downloads->dir_fd);
        free(downloads->items);
        *downloads = DOWNLOADS_INIT;
}

static bool is_there(const Downloads *d, const Descriptor *blob) {
        struct stat st;

        return fstatat(store_blobs_fd(d->store), digest_hex(&blob->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
               (uint64_t) st.st_size == blob->size;
}

static int pause_briefly(const Downloads *d, const Descriptor *blob, const LayerStop *stop, Error *err) {
        if (stop->stopped(stop->userdata) || (d->progress->cancelled && *d->progress->cancelled))
                return error_set(err, ERROR_INTERRUPTED, "interrupted at blob %s", blob->digest.text);
        (void) nanosleep(&(struct timespec) { .tv_nsec = POLL_MS * 1000000 }, NULL);
        return 0;
}

/*
 * A blob that a lower layer has too is that one's to fetch: if the upper one had the file, the lower one would wait for it while it waits
 * for the lower one. Returns the lowest layer of that blob; the layer itself when there is no other
 */
static size_t find_lower(const Downloads *d, size_t layer) {
        size_t lower = 0;

        while (!digest_equal(&d->image->layers[lower].digest, &d->image->layers[layer].digest))
                lower++;
        return lower;
}

static int wait_for_lower(const Downloads *d, size_t lower, const LayerStop *stop, Error *err) {
        const Descriptor *blob = &d->image->layers[lower];

        while (atomic_load(&d->items[lower].state) == DOWNLOAD_OPEN)
                if (pause_briefly(d, blob, stop, err) < 0)
                        return -1;
        if (atomic_load(&d->items[lower].state) == DOWNLOAD_FAILED)
                return error_set(err, ERROR_INTERRUPTED, "layer %s: interrupted", blob->digest.text);
        return 0;
}

static off_t size_of(const Downloads *d, const char *name) {
        struct stat st;

        return fstatat(d->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : -1;
}

/*
 * The file of a download, locked. Two processes whose images have the same blobs in another order could wait for each other for ever: one
 * whose file does not grow is left alone after a while.
 */
static int lock_download(const Downloads *d, const Descriptor *blob, Download *item, const LayerStop *stop, int *ret_fd, Error *err) {
        Error busy = ERROR_INIT;
        unsigned stuck = 0;
        off_t before = -1;

        snprintf(item->name, sizeof(item->name), "%s", digest_hex(&blob->digest));
        while (lock_take_at(d->dir_fd, item->name, LOCK_EXCLUSIVE, false, ret_fd, &busy) < 0) {
                off_t now = size_of(d, item->name);

                if (busy.errnum != EWOULDBLOCK) {
                        if (err)
                                *err = busy;
                        return -1;
                }
                stuck = now == before ? stuck + 1 : 0;
                before = now;
                if (stuck == STUCK_MAX)
                        snprintf(item->name, sizeof(item->name), "%s.%d", digest_hex(&blob->digest), getpid());
                else if (pause_briefly(d, blob, stop, err) < 0)
                        return -1;
        }
        return 0;
}

/* The rest of a blob is read from the source and appended to what is there. */
static int begin(const Downloads *d, const Descriptor *blob, Download *item, const LayerStop *stop, LayerInput *ret, Error *err) {
        _cleanup_close_ int fd = -EBADF, copy_fd = -EBADF;
        struct stat st;

        if (lock_download(d, blob, item, stop, &fd, err) < 0)
                return -1;
        copy_fd = openat(d->dir_fd, item->name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (copy_fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open the unfinished blob %s", blob->digest.text);
        if ((uint64_t) st.st_size > blob->size && ftruncate(fd, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "empty the unfinished blob %s", blob->digest.text);
        *ret = (LayerInput) { .fd = TAKE_FD(fd), .copy_fd = TAKE_FD(copy_fd), .more = d->source, .resumed = st.st_size > 0 };
        return 0;
}

static int open_whole(const Downloads *d, const Download *item, const Descriptor *blob, LayerInput *ret, Error *err) {
        ret->fd = openat(d->dir_fd, item->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return ret->fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "open the blob %s", blob->digest.text) : 0;
}

static int open_layer(void *userdata, size_t layer, bool needed, const LayerStop *stop, LayerInput *ret, bool *ret_skip, Error *err) {
        const Downloads *d = userdata;
        const Descriptor *blob = &d->image->layers[layer];
        size_t lower = find_lower(d, layer);
        Download *item = &d->items[lower];

        *ret = LAYER_INPUT_INIT;
        if (lower < layer && wait_for_lower(d, lower, stop, err) < 0)
                return -1;
        needed = needed && d->unpack;
        *ret_skip = false;
        if (is_there(d, blob)) {
                atomic_store(&item->state, DOWNLOAD_THERE);
                *ret_skip = !needed;
                return needed ? store_blob_open(d->store, blob, &ret->fd, err) : 0;
        }
        if (atomic_load(&item->state) == DOWNLOAD_WHOLE) {
                *ret_skip = !needed;
                return needed ? open_whole(d, item, blob, ret, err) : 0;
        }
        if (begin(d, blob, item, stop, ret, err) < 0) {
                atomic_store(&item->state, DOWNLOAD_FAILED);
                return -1;
        }
        return 0;
}

static int settle_layer(void *userdata, size_t layer, LayerInput *input, const BlobStreamResult *result, Error *err) {
        const Downloads *d = userdata;

        if (!input->more)
                return 0;
        if (fault_point("pull.blob", err) < 0)
                return -1;
        atomic_store(&d->items[find_lower(d, layer)].state, DOWNLOAD_WHOLE);
        return 0;
}

static void close_layer(void *userdata, size_t layer, LayerInput *input, const Error *failed) {
        const Downloads *d = userdata;
        Download *item = &d->items[layer];

        if (failed && input->more && atomic_load(&item->state) == DOWNLOAD_OPEN) {
                /* What is wrong, or not there at all, is no beginning for the next time. */
                if (failed->kind == ERROR_DIGEST_MISMATCH || size_of(d, item->name) == 0)
                        (void) unlinkat(d->dir_fd, item->name, 0);
                if (!input->resumed || failed->kind != ERROR_DIGEST_MISMATCH)
                        atomic_store(&item->state, DOWNLOAD_FAILED);
        }
        close_keep_errno(input->fd);
        close_keep_errno(input->copy_fd);
}

LayerBlobs downloads_blobs(Downloads *downloads) {
        return (LayerBlobs) { .open = open_layer, .settle = settle_layer, .close = close_layer, .userdata = downloads };
}

int downloads_publish(Downloads *downloads, bool drop, Error *err) {
        for (size_t i = 0; i < downloads->image->n_layers; i++) {
                const Descriptor *blob = &downloads->image->layers[i];
                const Download *item = &downloads->items[i];

                if (atomic_load(&item->state) != DOWNLOAD_WHOLE)
                        continue;
                if (drop) {
                        (void) unlinkat(downloads->dir_fd, item->name, 0);
                        continue;
                }
                /* Another process that waited for it may have been quicker. */
                if (renameat(downloads->dir_fd, item->name, store_blobs_fd(downloads->store), digest_hex(&blob->digest)) < 0 &&
                    !(errno == ENOENT && is_there(downloads, blob)))
                        return error_set_errno(err, ERROR_FILE, errno, "rename blob %s into place", blob->digest.text);
        }
        return 0;
}
