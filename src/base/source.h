#pragma once

/* Bytes that somebody asks for piece by piece, wherever they come from: a file, a download. */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct ByteSource {
        /**
         * read() - the next bytes, in order
         * @ret: how many of @size; 0 at the end only
         *
         * May wait. What it says of a failure is the caller's error. Called by one thread at a time.
         */
        int (*read)(void *userdata, void *data, size_t size, size_t *ret, Error *err);
        void *userdata;
} ByteSource;
