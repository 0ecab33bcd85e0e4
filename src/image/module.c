/* The module's table: the only symbol it exports. */

#include "image/image.h"

#include "base/cleanup.h"
#include "image/copy.h"
#include "image/import.h"
#include "image/receive.h"
#include "image/resolve.h"
#include "image/verify.h"
#include "layers/layers.h"

static int unpack(Store *store, const StoreImage *image, uint64_t unpacked_max, const ImageProgress *progress, Error *err) {
        _cleanup_close_ int gc = -EBADF;
        LayerProgress layers = { 0 };

        if (progress)
                layers = (LayerProgress) { .report = progress->report, .userdata = progress->userdata, .cancelled = progress->cancelled };
        if (store_lock(store, "gc", false, true, &gc, err) < 0)
                return -1;
        return layers_ensure(store, image, unpacked_max, &layers, err);
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
        .resolve = image_resolve,
        .unpack = unpack,
        .verify = image_verify,
        .prune = prune,
};
