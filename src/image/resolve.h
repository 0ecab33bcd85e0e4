#pragma once

/* The module's resolve(); see image.h. */

#include "store/store.h"

int image_resolve(Store *store, const Descriptor *descriptor, const Platform *platform, StoreImage **ret,
                  Descriptor *ret_manifest, Error *err);
