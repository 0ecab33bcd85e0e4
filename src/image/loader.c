/* The program's side of the image module. */

#include "base/module.h"
#include "image/image.h"

const ImageModule *image_module(Error *err) {
        return module_open("image", "image_module_table", IMAGE_MODULE_VERSION, err);
}
