#pragma once

/* The module's verify(); see image.h. */

#include "image/image.h"

int image_verify_layers(Store *store, const Digest *layers, size_t n, VerifyResult **ret, Error *err);
void image_engine(ImageEngine *ret);
int image_verify(Store *store, const StoreImage *image, const ImageProgress *progress, VerifyResult **ret, size_t *ret_n, Error *err);
