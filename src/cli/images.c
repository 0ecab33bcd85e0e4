/* Looking images up. */

#include "cli/images.h"

#include "base/cleanup.h"

void found_image_clear(FoundImage *found) {
        store_name_clear(&found->name);
        found->image = store_image_free(found->image);
}

int image_resolve(Store *store, const Descriptor *descriptor, StoreImage **ret, Error *err) {
        _cleanup_(store_image_freep) StoreImage *known = NULL;
        const ImageModule *module;

        if (descriptor->type != MEDIA_INDEX && store_image_load(store, &descriptor->digest, &known, err) < 0)
                return -1;
        if (known) {
                *ret = TAKE(known);
                return 0;
        }
        module = image_module(err);
        return module ? module->resolve(store, descriptor, NULL, ret, NULL, err) : -1;
}

int image_find(Store *store, const char *text, FoundImage *ret, Error *err) {
        _cleanup_(found_image_clear) FoundImage found = {};

        if (store_name_find(store, text, &found.name, err) < 0)
                return -1;
        if (image_resolve(store, &found.name.descriptor, &found.image, err) < 0)
                return error_prefix(err, "image '%s'", text);
        *ret = found;
        found = (FoundImage) {};
        return 0;
}
