/* Layers of an image on their way into the staging area and, when they are to be unpacked, through that in the same pass. */

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/staging.h"

typedef struct LayersIn {
        Staging *staging;
        const StoreImage *image;
        StagingOpen open; /* NULL: they are in the staging area already */
        void *userdata;
} LayersIn;

/* One layer while it is read. */
typedef struct LayerIn {
        StagingBlob blob;
        char name[32]; /* of the copy; "": there is none */
} LayerIn;

static int open_staged(const LayersIn *in, size_t layer, LayerInput *ret, Error *err) {
        const Digest *digest = &in->image->layers[layer].digest;

        ret->fd = openat(in->staging->blobs_fd, digest_hex(digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return ret->fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "open layer %s", digest->text) : 0;
}

static int open_source(const LayersIn *in, size_t layer, LayerIn *l, LayerInput *ret, Error *err) {
        const Digest *digest = &in->image->layers[layer].digest;

        l->blob.own_dir_fd = -1;
        if (in->open(in->userdata, &in->image->layers[layer], &l->blob, &ret->fd, err) < 0)
                return error_prefix(err, "layer %s", digest->text);
        if (l->blob.own_dir_fd >= 0)
                return 0;
        snprintf(l->name, sizeof(l->name), "layer-%zu", layer);
        ret->copy_fd = openat(in->staging->tmp_fd, l->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        return ret->copy_fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "create a temporary file in the store") : 0;
}

static void close_layer(void *userdata, size_t layer, LayerInput *input, const Error *failed) {
        const LayersIn *in = userdata;
        LayerIn *l = input->userdata;

        close_keep_errno(input->fd);
        close_keep_errno(input->copy_fd);
        if (failed && l && l->name[0])
                (void) unlinkat(in->staging->tmp_fd, l->name, 0);
        free(l);
}

static int open_layer(void *userdata, size_t layer, bool needed, const LayerStop *stop, LayerInput *ret, bool *ret_skip, Error *err) {
        const LayersIn *in = userdata;
        LayerIn *l;

        *ret = LAYER_INPUT_INIT;
        *ret_skip = !in->open && !needed;
        if (!in->open)
                return needed ? open_staged(in, layer, ret, err) : 0;
        ret->userdata = l = calloc(1, sizeof(*l));
        if (!l)
                return error_oom(err);
        if (open_source(in, layer, l, ret, err) < 0) {
                close_layer(userdata, layer, ret, err);
                return -1;
        }
        return 0;
}

static int settle_layer(void *userdata, size_t layer, LayerInput *input, const BlobStreamResult *result, Error *err) {
        const LayersIn *in = userdata;
        LayerIn *l = input->userdata;
        const Staging *s = in->staging;

        if (!in->open)
                return 0;
        if (!l->name[0])
                return staging_settle_own(s, &l->blob, &result->digest, err);
        if (renameat(s->tmp_fd, l->name, s->blobs_fd, digest_hex(&result->digest)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "rename blob %s", result->digest.text);
        l->name[0] = '\0';
        return 0;
}

int staging_add_layers(Staging *staging, const StoreImage *image, StagingOpen open, void *userdata, LayerBatch **ret, Error *err) {
        LayersIn in = { .staging = staging, .image = image, .open = open, .userdata = userdata };
        const LayerBlobs blobs = { .open = open_layer, .settle = settle_layer, .close = close_layer, .userdata = &in };
        const LayerProgress progress = layer_progress(staging->progress);

        return layers_make(
                &(LayersRequest) {
                        .store = staging->store,
                        .image = image,
                        .blobs = &blobs,
                        .verify_only = !staging->request->unpack,
                        .what = "import",
                        .unpacked_max = staging->request->unpacked_max,
                        .workers = staging->request->workers,
                        .lock_fd = staging->layers_lock >= 0 ? &staging->layers_lock : NULL,
                        .progress = &progress,
                },
                ret, err);
}
