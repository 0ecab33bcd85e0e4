#pragma once

/* What the image commands share: looking images up, by name or by digest. */

#include "cli/command.h"
#include "image/image.h"

/** An image as a user named it */
typedef struct FoundImage {
        StoreName name;
        StoreImage *image;
} FoundImage;

void found_image_clear(FoundImage *found);

/** image_find() - what @text means, resolved: an image that another program put into the store is looked through first */
int image_find(Store *store, const char *text, FoundImage *ret, Error *err);

/** image_resolve() - what is known of a descriptor of index.json; store_image_free() */
int image_resolve(Store *store, const Descriptor *descriptor, StoreImage **ret, Error *err);
