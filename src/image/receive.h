#pragma once

/* The module's receive(); see image.h. */

#include "image/image.h"

int image_receive(Store *store, const ReceiveRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err);
