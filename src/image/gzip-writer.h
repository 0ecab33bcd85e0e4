#pragma once

/* Writing a layer's blob: gzip, with both digests made on the way. The same input gives the same bytes. */

#include "layers/blob-stream.h"

typedef struct GzipWriter GzipWriter;

/** gzip_writer_new() - write to @fd, which is borrowed. Errors: OutOfMemory */
int gzip_writer_new(int fd, GzipWriter **ret, Error *err);
GzipWriter *gzip_writer_free(GzipWriter *writer);
static inline void gzip_writer_freep(GzipWriter **writer) {
        gzip_writer_free(*writer);
}

/** gzip_writer_write() - Errors: FileError */
int gzip_writer_write(GzipWriter *writer, const void *data, size_t len, Error *err);

/** gzip_writer_finish() - write what is left, and say what it became. Errors: FileError */
int gzip_writer_finish(GzipWriter *writer, BlobStreamResult *ret, Error *err);
