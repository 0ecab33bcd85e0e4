#pragma once

/*
 * One pass over a blob: read, hashed as it is, optionally written elsewhere, decompressed, hashed again. What a layer's diffID covers is
 * every decompressed byte, also those after the end of the tar.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "layers/blob-source.h"
#include "layers/decompress.h"
#include "oci/descriptor.h"

typedef struct BlobStreamOptions {
        const char *what;           /* names it in errors: "layer sha256:ab…" */
        const Digest *digest;       /* expected of the blob itself; NULL: whatever it is */
        const uint64_t *size;       /* expected bytes; NULL: whatever there are */
        const Digest *diff_id;      /* expected of the decompressed bytes; NULL: whatever it is */
        bool raw;                   /* do not decompress: read() gives the blob's own bytes, and diff_id must be NULL */
        int copy_fd;                /* the blob's own bytes are written here too, but with @more only those from it; -1: nowhere */
        const BlobSource *more;     /* what follows after the file has ended; NULL: nothing */
        const Descriptor *blob;     /* what @more is asked for */
        uint64_t output_max;        /* decompressed bytes; 0: no cap */
        const volatile sig_atomic_t *cancelled; /* may be NULL */
        bool (*stopped)(void *userdata);        /* another reason to stop; may be NULL */
        void (*report)(void *userdata, uint64_t done); /* blob bytes read so far; may be NULL */
        void *userdata;
} BlobStreamOptions;

typedef struct BlobStreamResult {
        Digest digest;  /* of the blob */
        uint64_t size;  /* of the blob, bytes */
        Digest diff_id; /* of the decompressed bytes */
        uint64_t output; /* decompressed bytes */
        Compression compression;
} BlobStreamResult;

typedef struct BlobStream BlobStream;

/** blob_stream_new() - @fd (-1: only what @more gives) and what @options point to are borrowed until blob_stream_free(). Errors: OutOfMemory */
int blob_stream_new(int fd, const BlobStreamOptions *options, BlobStream **ret, Error *err);
BlobStream *blob_stream_free(BlobStream *stream);
static inline void blob_stream_freep(BlobStream **stream) {
        blob_stream_free(*stream);
}

/**
 * blob_stream_read() - the next decompressed bytes
 * @ret_data: borrowed, valid until the next call
 * @ret_len:  0 at the end
 *
 * Errors: FileError, InvalidSpec (corrupt or too large), DigestMismatch (longer than its size), Interrupted, OutOfMemory
 */
int blob_stream_read(BlobStream *stream, const void **ret_data, size_t *ret_len, Error *err);

/** blob_stream_finish() - read what is left and check digest, size and diffID. Errors: as blob_stream_read(), and DigestMismatch */
int blob_stream_finish(BlobStream *stream, BlobStreamResult *ret, Error *err);

/**
 * blob_stream_blame() - after a failure that corrupt data may have caused: read the rest, and when the blob is not the promised one, let
 * @err say that instead. Always returns -1
 */
int blob_stream_blame(BlobStream *stream, Error *err);

/** blob_stream_interrupted() - for loops over what the stream gives, which may have much to do between two reads. Errors: Interrupted */
int blob_stream_interrupted(const BlobStream *stream, Error *err);

/** blob_stream_output() - decompressed bytes handed out so far */
uint64_t blob_stream_output(const BlobStream *stream);
