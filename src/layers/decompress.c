/* gzip by zlib, zstd by libzstd, and no compression, behind one row of functions each. */

#include "layers/decompress.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"

typedef struct DecoderKind {
        const char *name;
        int (*start)(Decoder *decoder, Error *err);
        int (*step)(Decoder *decoder, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err);
        void (*stop)(Decoder *decoder);
} DecoderKind;

struct Decoder {
        const DecoderKind *kind;
        bool within; /* inside a member or frame: the input must not end here */
        union {
                z_stream gzip;
                ZSTD_DCtx *zstd;
        };
};

static int none_start(Decoder *d, Error *err) {
        return 0;
}

static int none_step(Decoder *d, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err) {
        size_t n = *in_len < size ? *in_len : size;

        memcpy(out, *in, n);
        *in += n;
        *in_len -= n;
        *ret_produced = n;
        return 0;
}

static void none_stop(Decoder *d) {
}

static int gzip_start(Decoder *d, Error *err) {
        /* 16: a gzip header and trailer, both checked */
        if (inflateInit2(&d->gzip, 15 + 16) != Z_OK)
                return error_oom(err);
        d->within = true;
        return 0;
}

static int gzip_step(Decoder *d, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err) {
        size_t produced = 0;

        while (*in_len > 0 && produced == 0) {
                uInt given = *in_len < UINT_MAX ? (uInt) *in_len : UINT_MAX;
                uInt room = size < UINT_MAX ? (uInt) size : UINT_MAX;
                int r;

                if (!d->within) {
                        if (inflateReset(&d->gzip) != Z_OK)
                                return error_oom(err);
                        d->within = true;
                }
                d->gzip.next_in = (Bytef *) *in; /* zlib's interface lacks the const; it only reads */
                d->gzip.avail_in = given;
                d->gzip.next_out = out;
                d->gzip.avail_out = room;
                r = inflate(&d->gzip, Z_NO_FLUSH);
                *in += given - d->gzip.avail_in;
                *in_len -= given - d->gzip.avail_in;
                produced = room - d->gzip.avail_out;
                if (r == Z_STREAM_END)
                        d->within = false;
                else if (r == Z_MEM_ERROR)
                        return error_oom(err);
                else if (r != Z_OK && !(r == Z_BUF_ERROR && given > d->gzip.avail_in))
                        return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", d->gzip.msg ?: "no progress");
        }

        /* Output that did not fit before may still be inside of zlib although all input is consumed. */
        if (produced == 0 && *in_len == 0 && d->within) {
                d->gzip.avail_in = 0;
                d->gzip.next_out = out;
                d->gzip.avail_out = size < UINT_MAX ? (uInt) size : UINT_MAX;
                switch (inflate(&d->gzip, Z_NO_FLUSH)) {
                case Z_STREAM_END:
                        d->within = false;
                        break;
                case Z_OK:
                case Z_BUF_ERROR:
                        break;
                default:
                        return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", d->gzip.msg ?: "unknown cause");
                }
                produced = (size_t) (d->gzip.next_out - out);
        }
        *ret_produced = produced;
        return 0;
}

static void gzip_stop(Decoder *d) {
        (void) inflateEnd(&d->gzip);
}

static int zstd_start(Decoder *d, Error *err) {
        d->zstd = ZSTD_createDCtx();
        if (!d->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
                return error_oom(err);
        d->within = true;
        return 0;
}

static int zstd_step(Decoder *d, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err) {
        ZSTD_outBuffer output = { .dst = out, .size = size };
        ZSTD_inBuffer input = { .src = *in, .size = *in_len };
        bool more;

        /* Once more when the input is used up: the decoder may still hold output. */
        do {
                size_t before = input.pos;
                size_t left = ZSTD_decompressStream(d->zstd, &output, &input);

                if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
                        return error_oom(err);
                if (ZSTD_isError(left)) {
                        error_set(err, ERROR_INVALID_SPEC, "corrupt zstd data: %s", ZSTD_getErrorName(left));
                        if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
                                error_hint(err, "compress it with a window of at most %u MiB", (1u << ZSTD_WINDOW_LOG_MAX) >> 20);
                        return -1;
                }
                if (input.pos > before || output.pos > 0)
                        d->within = left != 0;
                more = input.pos < input.size;
        } while (output.pos == 0 && more);

        *in += input.pos;
        *in_len -= input.pos;
        *ret_produced = output.pos;
        return 0;
}

static void zstd_stop(Decoder *d) {
        (void) ZSTD_freeDCtx(d->zstd);
}

static const DecoderKind decoder_kinds[_COMPRESSION_MAX] = {
        [COMPRESSION_NONE] = { .name = "plain", .start = none_start, .step = none_step, .stop = none_stop },
        [COMPRESSION_GZIP] = { .name = "gzip", .start = gzip_start, .step = gzip_step, .stop = gzip_stop },
        [COMPRESSION_ZSTD] = { .name = "zstd", .start = zstd_start, .step = zstd_step, .stop = zstd_stop },
};

Compression compression_detect(const void *data, size_t len) {
        const uint8_t *p = data;

        if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
                return COMPRESSION_GZIP;
        if (len >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
                return COMPRESSION_ZSTD;
        if (len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
                return COMPRESSION_ZSTD;
        return COMPRESSION_NONE;
}

int decoder_new(Compression compression, Decoder **ret, Error *err) {
        _cleanup_(decoder_freep) Decoder *d = calloc(1, sizeof(*d));

        if (!d)
                return error_oom(err);
        d->kind = &decoder_kinds[compression];
        if (d->kind->start(d, err) < 0)
                return -1;
        *ret = TAKE(d);
        return 0;
}

Decoder *decoder_free(Decoder *decoder) {
        if (decoder) {
                decoder->kind->stop(decoder);
                free(decoder);
        }
        return NULL;
}

int decoder_step(Decoder *decoder, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err) {
        return decoder->kind->step(decoder, in, in_len, out, size, ret_produced, err);
}

int decoder_end(const Decoder *decoder, Error *err) {
        if (decoder->within)
                return error_set(err, ERROR_INVALID_SPEC, "the %s data ends early", decoder->kind->name);
        return 0;
}
