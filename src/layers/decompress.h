#pragma once

/* Decoders for what layers are compressed with. Each is fed by hand, so that every byte of a stream can be counted and hashed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_GZIP,
        COMPRESSION_ZSTD,
        _COMPRESSION_MAX,
} Compression;

#define COMPRESSION_MAGIC_MAX 4 /* bytes compression_detect() needs to see, when there are as many */

/*
 * Bytes, as a power of two: the largest window a zstd frame may ask for. `zstd -19` asks for 2^23; its --ultra levels 21 and 22, and --long,
 * for more. The window is memory we must hold, and this program's own cap on that is 64 MiB.
 */
#define ZSTD_WINDOW_LOG_MAX 25

/** compression_detect() - by the first bytes: gzip, zstd (a skippable frame counts), else none */
Compression compression_detect(const void *data, size_t len);

typedef struct Decoder Decoder;

/** decoder_new() - start decoding; free with decoder_free(). Errors: OutOfMemory */
int decoder_new(Compression compression, Decoder **ret, Error *err);
Decoder *decoder_free(Decoder *decoder);
static inline void decoder_freep(Decoder **decoder) {
        decoder_free(*decoder);
}

/**
 * decoder_step() - decode some input into some output
 * @in, @in_len:   input; moved past what was consumed
 * @out, @size:    room for output
 * @ret_produced:  bytes written to @out; with 0 all input was consumed and more is needed
 *
 * Several gzip members and zstd frames in a row are one stream, as their formats say; skippable zstd frames yield nothing.
 *
 * Errors: InvalidSpec (the data is corrupt), OutOfMemory
 */
int decoder_step(Decoder *decoder, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err);

/** decoder_end() - to be called when the input has ended. Errors: InvalidSpec when it ended too early */
int decoder_end(const Decoder *decoder, Error *err);

/** compression_library() - who decodes it, with the version; NULL for none */
const char *compression_library(Compression compression);
