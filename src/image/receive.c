/*
 * Receiving an image blob by blob. Half a blob waits in the store's downloads/ for the next time: a file by its digest, locked by who
 * writes it, so that no blob is fetched twice. Whole and verified, it is renamed into place.
 */

#include "image/receive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/lock.h"
#include "image/describe.h"

#define COPY_SIZE (256u << 10) /* bytes at a time */

typedef struct Receive {
        Store *store;
        const ReceiveRequest *request;
        const ImageProgress *progress;
        int downloads_fd;
} Receive;

static void receive_clear(Receive *receive) {
        closep(&receive->downloads_fd);
}

static int check_cancelled(const Receive *r, const Digest *digest, Error *err) {
        if (r->progress->cancelled && *r->progress->cancelled)
                return error_set(err, ERROR_INTERRUPTED, "interrupted at blob %s", digest->text);
        return 0;
}

static bool is_there(const Receive *r, const Descriptor *blob) {
        struct stat st;

        return fstatat(store_blobs_fd(r->store), digest_hex(&blob->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
               (uint64_t) st.st_size == blob->size;
}

/* The download's file, locked; waits in small steps for another process that fetches the same. */
static int lock_download(const Receive *r, const Descriptor *blob, int *ret_fd, Error *err) {
        const struct timespec pause = { .tv_nsec = 50000000 };
        Error busy = ERROR_INIT;

        while (lock_take_at(r->downloads_fd, digest_hex(&blob->digest), LOCK_EXCLUSIVE, false, ret_fd, &busy) < 0) {
                if (busy.errnum != EWOULDBLOCK) {
                        if (err)
                                *err = busy;
                        return -1;
                }
                if (check_cancelled(r, &blob->digest, err) < 0)
                        return -1;
                (void) nanosleep(&pause, NULL);
        }
        return 0;
}

static void report(const Receive *r, const Descriptor *blob, uint64_t done) {
        if (r->progress->report)
                r->progress->report(r->progress->userdata, "pull", blob->digest.text, done, blob->size);
}

/* Hashes what an earlier time left. */
static int hash_rest(const Receive *r, int fd, const Descriptor *blob, Sha256 *hash, void *buffer, uint64_t *ret_have, Error *err) {
        uint64_t have = 0;
        ssize_t n;

        while ((n = read(fd, buffer, COPY_SIZE)) != 0) {
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read the unfinished blob %s", blob->digest.text);
                if (check_cancelled(r, &blob->digest, err) < 0)
                        return -1;
                sha256_update(hash, buffer, (size_t) n);
                have += (uint64_t) n;
        }
        *ret_have = have;
        return 0;
}

static int copy_rest(const Receive *r, int fd, const Descriptor *blob, uint64_t have, Sha256 *hash, void *buffer, Error *err) {
        const BlobSource *source = r->request->source;
        void *reader;
        size_t n;
        int result = 0;

        if (source->open(source->userdata, blob, have, &reader, err) < 0)
                return -1;
        for (;;) {
                result = source->read(reader, buffer, COPY_SIZE, &n, err);
                if (result < 0 || n == 0)
                        break;
                have += n;
                if (have > blob->size) {
                        result = error_set(err, ERROR_DIGEST_MISMATCH, "blob %s is longer than its %llu bytes", blob->digest.text,
                                           (unsigned long long) blob->size);
                        break;
                }
                result = fd_write_all(fd, buffer, n, err);
                if (result < 0) {
                        error_prefix(err, "write blob %s", blob->digest.text);
                        break;
                }
                sha256_update(hash, buffer, n);
                report(r, blob, have);
                result = check_cancelled(r, &blob->digest, err);
                if (result < 0)
                        break;
        }
        source->close(reader);
        if (result == 0 && have != blob->size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob %s ends after %llu of its %llu bytes", blob->digest.text,
                                 (unsigned long long) have, (unsigned long long) blob->size);
        return result;
}

/* One pass over a download. *ret_resumed: part of it was there before. */
static int download_once(const Receive *r, int fd, const Descriptor *blob, bool *ret_resumed, Error *err) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_free_ void *buffer = malloc(COPY_SIZE);
        char hex[SHA256_HEX_MAX];
        uint64_t have;

        if (!buffer)
                return error_oom(err);
        if (sha256_new(&hash, err) < 0 || hash_rest(r, fd, blob, hash, buffer, &have, err) < 0)
                return -1;
        *ret_resumed = have > 0;
        if (copy_rest(r, fd, blob, have, hash, buffer, err) < 0)
                return -1;
        sha256_final(hash, hex);
        if (strcmp(hex, digest_hex(&blob->digest)))
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob %s has the digest sha256:%s", blob->digest.text, hex);
        if (fdatasync(fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync blob %s", blob->digest.text);
        return 0;
}

static int empty(int fd, Error *err) {
        if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "empty an unfinished blob");
        return 0;
}

static int download(const Receive *r, int fd, const Descriptor *blob, Error *err) {
        bool resumed = false;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat an unfinished blob");
        if ((uint64_t) st.st_size > blob->size && empty(fd, err) < 0)
                return -1;
        if (download_once(r, fd, blob, &resumed, err) == 0)
                return 0;
        /* What an earlier time left may have been damaged by a power loss: once more, from its beginning. */
        if (!err || err->kind != ERROR_DIGEST_MISMATCH || !resumed)
                return -1;
        *err = ERROR_INIT;
        return empty(fd, err) < 0 ? -1 : download_once(r, fd, blob, &resumed, err);
}

static int fetch(void *userdata, const Descriptor *blob, const char *what, Error *err) {
        const Receive *r = userdata;
        _cleanup_close_ int fd = -EBADF;
        Error cause = ERROR_INIT;
        struct stat st;

        if (is_there(r, blob))
                return 0;
        if (lock_download(r, blob, &fd, err) < 0)
                return -1;
        if (is_there(r, blob)) {
                (void) unlinkat(r->downloads_fd, digest_hex(&blob->digest), 0);
                return 0;
        }
        if (download(r, fd, blob, &cause) < 0) {
                /* What is wrong, or not there at all, is no beginning for the next time. */
                if (cause.kind == ERROR_DIGEST_MISMATCH || (fstat(fd, &st) == 0 && st.st_size == 0))
                        (void) unlinkat(r->downloads_fd, digest_hex(&blob->digest), 0);
                if (err)
                        *err = cause;
                return error_prefix(err, "%s", what);
        }
        if (fault_point("pull.blob", err) < 0)
                return -1;
        if (renameat(r->downloads_fd, digest_hex(&blob->digest), store_blobs_fd(r->store), digest_hex(&blob->digest)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "rename blob %s into place", blob->digest.text);
        return 0;
}

static int publish(const Receive *r, const StoreImage *image, const Descriptor *manifest, Error *err) {
        if (fsync(store_blobs_fd(r->store)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the store's blobs");
        if (store_image_save(r->store, image, err) < 0)
                return -1;
        return r->request->name ? store_name_set(r->store, r->request->name, manifest, err) : 0;
}

int image_receive(Store *store, const ReceiveRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err) {
        static const ImageProgress silent = { 0 };
        _cleanup_(receive_clear) Receive receive = {
                .store = store,
                .request = request,
                .progress = progress ?: &silent,
                .downloads_fd = -EBADF,
        };
        const DescribeRequest describe = {
                .blobs_fd = store_blobs_fd(store),
                .platform = request->platform,
                .fetch = fetch,
                .userdata = &receive,
        };
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_free_ char *name = NULL;
        Descriptor manifest;

        if (dir_make_at(store_fd(store), "downloads", 0700, &receive.downloads_fd, err) < 0 ||
            image_describe(&describe, request->descriptor, &image, &manifest, err) < 0)
                return -1;
        for (size_t i = 0; i < image->n_layers; i++)
                if (fetch(&receive, &image->layers[i], "layer", err) < 0)
                        return -1;
        if (string_copy(request->name, &name, err) < 0 || publish(&receive, image, &manifest, err) < 0)
                return -1;
        *ret = (ImportedImage) { .name = TAKE(name), .manifest = image->manifest, .size = image->size };
        return 0;
}
