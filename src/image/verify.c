/* Checking an image that is in the store: every blob by digest and size, every layer by its diffID. */

#include "image/verify.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "layers/layers.h"

#include <fcntl.h>
#include <sys/stat.h>

typedef struct Verify {
        Store *store;
        const ImageProgress *progress;
        const char *subject; /* what is being read now */
        uint64_t total;
        VerifyResult *results;
        size_t n;
} Verify;

static void verify_clear(Verify *verify) {
        verify_results_free(verify->results, verify->n);
}

static void report(void *userdata, uint64_t done) {
        const Verify *v = userdata;

        if (v->progress->report)
                v->progress->report(v->progress->userdata, "verify", v->subject, done, v->total);
}

/* Reads one blob. Fails with what is wrong with it. */
static int check(Verify *verify, const Digest *digest, const Descriptor *descriptor, const Digest *diff_id, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_close_ int fd = -EBADF;
        BlobStreamResult result;
        struct stat st;

        const BlobStreamOptions options = {
                .what = digest->text,
                .digest = digest,
                .size = descriptor ? &descriptor->size : NULL,
                .diff_id = diff_id,
                .raw = !diff_id,
                .copy_fd = -1,
                .cancelled = verify->progress->cancelled,
                .report = report,
                .userdata = verify,
        };

        fd = openat(store_blobs_fd(verify->store), digest_hex(digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return error_set_errno(err, errno == ENOENT ? ERROR_IMAGE_NOT_FOUND : ERROR_FILE, errno, "blob %s", digest->text);
        verify->subject = digest->text;
        verify->total = descriptor ? descriptor->size : fstat(fd, &st) == 0 ? (uint64_t) st.st_size : 0;
        if (blob_stream_new(fd, &options, &stream, err) < 0)
                return -1;
        if (blob_stream_finish(stream, &result, err) < 0)
                return blob_stream_blame(stream, err);
        return 0;
}

static int add_result(Verify *verify, const char *subject, const Error *found, Error *err) {
        VerifyResult result = { .kind = found->kind };
        VerifyResult *grown = reallocarray(verify->results, verify->n + 1, sizeof(*grown));

        if (!grown)
                return error_oom(err);
        verify->results = grown;
        if (error_is_set(found) && string_copy(found->text, &result.problem, err) < 0)
                return -1;
        if (string_copy(subject, &result.subject, err) < 0) {
                free(result.problem);
                return -1;
        }
        verify->results[verify->n++] = result;
        return 0;
}

static int verify_one(Verify *verify, const Digest *digest, const Descriptor *descriptor, const Digest *diff_id, Error *err) {
        Error found = ERROR_INIT;

        if (check(verify, digest, descriptor, diff_id, &found) < 0 &&
            (found.kind == ERROR_INTERRUPTED || found.kind == ERROR_OUT_OF_MEMORY)) {
                if (err)
                        *err = found;
                return -1;
        }
        return add_result(verify, digest->text, &found, err);
}

/* The configuration may say that blobs are not kept. */
static bool is_dropped(Store *store, const StoreImage *image, size_t layer) {
        return faccessat(store_blobs_fd(store), digest_hex(&image->layers[layer].digest), F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
               store_layer_exists(store, &image->chain_ids[layer]);
}

static int verify_unpacked(Verify *verify, const Digest *chain_id, Error *err) {
        Error found = ERROR_INIT;

        (void) layer_check(verify->store, chain_id, &found);
        return add_result(verify, chain_id->text, &found, err);
}

int image_verify(Store *store, const StoreImage *image, const ImageProgress *progress, VerifyResult **ret, size_t *ret_n, Error *err) {
        static const ImageProgress silent = { 0 };
        _cleanup_(verify_clear) Verify verify = { .store = store, .progress = progress ?: &silent };

        if (verify_one(&verify, &image->manifest, NULL, NULL, err) < 0 || verify_one(&verify, &image->config, NULL, NULL, err) < 0)
                return -1;
        for (size_t i = 0; i < image->n_layers; i++)
                if (is_dropped(store, image, i) ? verify_unpacked(&verify, &image->chain_ids[i], err) < 0 :
                                                  verify_one(&verify, &image->layers[i].digest, &image->layers[i],
                                                             &image->diff_ids[i], err) < 0)
                        return -1;
        *ret_n = verify.n;
        *ret = TAKE(verify.results);
        return 0;
}
