/* Receiving an image blob by blob: its documents, then its layers, then everything at once under its final name. */

#include "image/receive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "image/describe.h"
#include "image/downloads.h"

typedef struct Receive {
        const ReceiveRequest *request;
        Staging staging;
} Receive;

static void receive_clear(Receive *receive) {
        staging_close(&receive->staging);
}

/* One that the store has is used again; image_describe() checks its digest, and whoever finds it wrong fetches the image anew. */
static int link_known(const Receive *r, const Descriptor *blob) {
        return linkat(store_blobs_fd(r->staging.store), digest_hex(&blob->digest), r->staging.blobs_fd, digest_hex(&blob->digest), 0);
}

/* Stages a document: an index, a manifest, a config. */
static int fetch_document(void *userdata, const Descriptor *descriptor, const char *what, Error *err) {
        Receive *r = userdata;
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_close_ int fd = -EBADF;
        BlobStreamResult result;
        struct stat st;

        if (fstatat(store_blobs_fd(r->staging.store), digest_hex(&descriptor->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (uint64_t) st.st_size == descriptor->size && link_known(r, descriptor) == 0)
                return 0;
        if (faccessat(r->staging.blobs_fd, digest_hex(&descriptor->digest), F_OK, 0) == 0)
                return 0;
        if (staging_create(&r->staging, &fd, err) < 0)
                return -1;

        const BlobStreamOptions options = {
                .what = what,
                .digest = &descriptor->digest,
                .size = &descriptor->size,
                .raw = true,
                .copy_fd = fd,
                .more = r->request->source,
                .blob = descriptor,
                .cancelled = r->staging.progress->cancelled,
        };

        if (blob_stream_new(-1, &options, &stream, err) < 0 || blob_stream_finish(stream, &result, err) < 0)
                return -1;
        return staging_settle(&r->staging, &result.digest, err);
}

static int judge_manifest(void *userdata, const Descriptor *manifest, Error *err) {
        const ReceiveRequest *request = ((Receive *) userdata)->request;

        if (!request->judge)
                return 0;
        return request->judge->judge(request->judge->userdata, &request->origin, &manifest->digest, err);
}

static int receive_layers(Receive *r, const StoreImage *image, Downloads *downloads, LayerBatch **ret, Error *err) {
        const LayerBlobs blobs = downloads_blobs(downloads);
        const LayerProgress progress = layer_progress(r->staging.progress);

        return layers_make(
                &(LayersRequest) {
                        .store = r->staging.store,
                        .image = image,
                        .blobs = &blobs,
                        .verify_only = !r->request->unpack,
                        .what = "pull",
                        .unpacked_max = r->request->unpacked_max,
                        .workers = r->request->workers,
                        .progress = &progress,
                },
                ret, err);
}

/* All is there and right: one sync, and then what is renamed is what is on disk. */
static int publish(Receive *r, const StoreImage *image, const Descriptor *manifest, Downloads *downloads, LayerBatch *layers, Error *err) {
        Store *store = r->staging.store;

        if (staging_sync(&r->staging, err) < 0 || downloads_publish(downloads, r->request->unpack && r->request->drop_blobs, err) < 0 ||
            staging_commit(&r->staging, err) < 0)
                return -1;
        if (layer_batch_publish(layers, err) < 0 || store_image_save(store, image, err) < 0 ||
            (r->request->name && store_name_set(store, r->request->name, manifest, err) < 0)) {
                staging_rollback(&r->staging);
                return -1;
        }
        return 0;
}

int image_receive(Store *store, const ReceiveRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err) {
        static const ImageProgress silent = { 0 };
        static const ImportRequest nothing = { 0 };
        _cleanup_(receive_clear) Receive receive = { .request = request, .staging = STAGING_INIT };
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_(layer_batch_freep) LayerBatch *layers = NULL;
        _cleanup_(downloads_close) Downloads downloads = DOWNLOADS_INIT;
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int gc = -EBADF;
        Descriptor manifest;

        if (store_lock(store, "gc", false, true, &gc, err) < 0 ||
            staging_open(store, &nothing, progress ?: &silent, &receive.staging, err) < 0)
                return -1;

        const DescribeRequest describe = {
                .blobs_fd = receive.staging.blobs_fd,
                .platform = request->platform,
                .strict = true,
                .fetch = fetch_document,
                .judge = judge_manifest,
                .userdata = &receive,
        };

        if (image_describe(&describe, request->descriptor, &image, &manifest, err) < 0 ||
            downloads_open(store, image, request->source, receive.staging.progress, request->unpack, &downloads, err) < 0 ||
            receive_layers(&receive, image, &downloads, &layers, err) < 0 || string_copy(request->name, &name, err) < 0 ||
            publish(&receive, image, &manifest, &downloads, layers, err) < 0)
                return -1;
        *ret = (ImportedImage) { .name = TAKE(name), .manifest = image->manifest, .size = image->size };
        return 0;
}
