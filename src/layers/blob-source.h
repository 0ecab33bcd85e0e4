#pragma once

/*
 * Where the bytes of blobs come from: the store's own files, a layout's, a registry's. Whoever unpacks asks for them when there is room, so a
 * source that is not asked has to wait: that is the back-pressure.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/descriptor.h"

typedef struct BlobSource {
        /**
         * open() - begin to read a blob; called from several threads at once
         * @offset:     bytes of it that are there from an earlier time and are not to be given again
         * @ret_reader: for read() and close(), from the thread that opened it
         *
         * Errors: ImageNotFound, and the source's own
         */
        int (*open)(void *userdata, const Descriptor *blob, uint64_t offset, void **ret_reader, Error *err);

        /**
         * read() - the next bytes; waits until there is one
         * @ret_len: 0 at the end. How many there should have been, and their digest, is the caller's to check
         *
         * It comes back, with Interrupted, soon after the command was told to stop.
         */
        int (*read)(void *reader, void *data, size_t size, size_t *ret_len, Error *err);

        /** close() - also in the midst of a blob */
        void (*close)(void *reader);
        void *userdata;
} BlobSource;
