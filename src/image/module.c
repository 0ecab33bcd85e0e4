/* The module's table: the only symbol it exports. */

#include "image/image.h"

#include "base/cleanup.h"
#include "image/attached.h"
#include "image/copy.h"
#include "image/import.h"
#include "image/receive.h"
#include "image/resolve.h"
#include "image/verify.h"
#include "layers/layers.h"

static int unpack(Store *store, const StoreImage *image, const UnpackRequest *request, const ImageProgress *progress, Error *err) {
        _cleanup_close_ int gc = -EBADF;
        const LayerProgress layers = layer_progress(progress);

        if (store_lock(store, "gc", false, true, &gc, err) < 0)
                return -1;
        return layers_ensure(
                &(LayersRequest) {
                        .store = store,
                        .image = image,
                        .what = "unpack",
                        .unpacked_max = request->unpacked_max,
                        .workers = request->workers,
                        .progress = &layers,
                },
                err);
}

static int prune(Store *store, bool dry_run, PruneResult *ret, Error *err) {
        _cleanup_close_ int gc = -EBADF;
        PruneCount count;

        *ret = (PruneResult) { 0 };
        if (store_fd(store) < 0)
                return 0;
        if (store_lock(store, "gc", true, true, &gc, err) < 0 || store_prune(store, dry_run, &count, err) < 0)
                return -1;
        *ret = (PruneResult) {
                .blobs = count.blobs,
                .layers = count.layers,
                .images = count.images,
                .temporary = count.temporary,
                .bytes = count.bytes,
        };
        return 0;
}

extern const ImageModule image_module_table;
__attribute__((visibility("default"))) const ImageModule image_module_table = {
        .version = IMAGE_MODULE_VERSION,
        .import = image_import,
        .receive = image_receive,
        .copy = image_copy,
        .describe = image_describe_remote,
        .attached = image_attached,
        .attached_read = image_attached_read,
        .resolve = image_resolve,
        .unpack = unpack,
        .verify = image_verify,
        .verify_layers = image_verify_layers,
        .engine = image_engine,
        .prune = prune,
};
