/* From a name of the store to an image that is known; images that skopeo or umoci put into the store get here first. */

#include "image/resolve.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "image/describe.h"

int image_resolve(Store *store, const Descriptor *descriptor, const Platform *platform, StoreImage **ret,
                  Descriptor *ret_manifest, Error *err) {
        const DescribeRequest request = { .blobs_fd = store_blobs_fd(store), .platform = platform };
        _cleanup_(store_image_freep) StoreImage *image = NULL;

        if (image_describe(&request, descriptor, &image, ret_manifest, err) < 0 || fault_point("image.middle", err) < 0 ||
            store_image_save(store, image, err) < 0)
                return -1;
        *ret = TAKE(image);
        return 0;
}
