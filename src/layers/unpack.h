#pragma once

/*
 * Unpacking one layer's tar into a directory, in overlay's own format. The input is hostile: no name leads out of the layer's root,
 * whatever the order of symlinks, hard links, "..", absolute names and whiteouts.
 */

#include <stdint.h>

#include "base/error.h"
#include "layers/blob-stream.h"
#include "layers/directories.h"

/**
 * What one pass over the tar does. A whiteout counts for the whole layer wherever it stands in it; one pass suffices unless a whiteout
 * comes after something of what it hides was used. Then the layer is made again, in two passes.
 */
typedef enum UnpackPass {
        UNPACK_ALL,
        UNPACK_WHITEOUTS,
        UNPACK_ENTRIES, /* after a pass for the whiteouts */
} UnpackPass;

typedef struct UnpackTarget {
        int fd;                     /* the layer's root: empty, but after a pass for the whiteouts */
        DirectoryList *directories; /* for all passes of this layer; on the same file system */
        const int *lowers;          /* roots of the layers below, topmost first; there after @wait_lowers */
        size_t n_lowers;
        /** wait_lowers() - come back when the lower layers are whole; called when one of them is asked for; NULL: they are */
        int (*wait_lowers)(void *userdata, Error *err);
        void *userdata;
} UnpackTarget;

typedef struct UnpackResult {
        uint64_t entries;
        bool late_whiteout; /* UNPACK_ALL only: stopped; the target must be emptied and unpacked again in two passes */
} UnpackResult;

/**
 * unpack_layer() - unpack from a stream; the caller checks the stream's digests afterwards (blob_stream_finish())
 *
 * A failure leaves the target half filled: it is the caller's to remove.
 *
 * Errors: InvalidSpec (not a valid layer; the text names the entry), FileError, Interrupted, what the stream fails with, OutOfMemory
 */
int unpack_layer(BlobStream *stream, const char *what, const UnpackTarget *target, UnpackPass pass, UnpackResult *ret, Error *err);
