/* The module's table: the only symbol it exports. */

#include "image/image.h"

#include "base/cleanup.h"
#include "image/import.h"
#include "image/resolve.h"
#include "layers/layer.h"

static int unpack(Store *store, const StoreImage *image, const ImageProgress *progress, Error *err) {
        _cleanup_close_ int gc = -EBADF;
        LayerProgress layers = { 0 };

        if (progress)
                layers = (LayerProgress) { .report = progress->report, .userdata = progress->userdata, .cancelled = progress->cancelled };
        if (store_lock(store, "gc", false, true, &gc, err) < 0)
                return -1;
        return layers_ensure(store, image, &layers, err);
}

extern const ImageModule image_module_table;
__attribute__((visibility("default"))) const ImageModule image_module_table = {
        .version = IMAGE_MODULE_VERSION,
        .import = image_import,
        .resolve = image_resolve,
        .unpack = unpack,
};
