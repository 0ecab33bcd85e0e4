/* gzip by zlib. */

#include <limits.h>
#include <zlib.h>

#include "layers/decoder.h"

static int gzip_start(void *state, Error *err) {
        z_stream *z = state;

        /* 16: a gzip header and trailer, both checked */
        if (inflateInit2(z, 15 + 16) != Z_OK)
                return error_oom(err);
        return 0;
}

static int gzip_step(void *state, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced,
                     Error *err) {
        z_stream *z = state;
        size_t produced = 0;

        while (*in_len > 0 && produced == 0) {
                uInt given = *in_len < UINT_MAX ? (uInt) *in_len : UINT_MAX;
                uInt room = size < UINT_MAX ? (uInt) size : UINT_MAX;
                int r;

                if (!*within) {
                        if (inflateReset(z) != Z_OK)
                                return error_oom(err);
                        *within = true;
                }
                z->next_in = (Bytef *) *in; /* zlib's interface lacks the const; it only reads */
                z->avail_in = given;
                z->next_out = out;
                z->avail_out = room;
                r = inflate(z, Z_NO_FLUSH);
                *in += given - z->avail_in;
                *in_len -= given - z->avail_in;
                produced = room - z->avail_out;
                if (r == Z_STREAM_END)
                        *within = false;
                else if (r == Z_MEM_ERROR)
                        return error_oom(err);
                else if (r != Z_OK && !(r == Z_BUF_ERROR && given > z->avail_in))
                        return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", z->msg ?: "no progress");
        }

        /* Output that did not fit before may still be inside of zlib although all input is consumed. */
        if (produced == 0 && *in_len == 0 && *within) {
                z->avail_in = 0;
                z->next_out = out;
                z->avail_out = size < UINT_MAX ? (uInt) size : UINT_MAX;
                switch (inflate(z, Z_NO_FLUSH)) {
                case Z_STREAM_END:
                        *within = false;
                        break;
                case Z_OK:
                case Z_BUF_ERROR:
                        break;
                default:
                        return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", z->msg ?: "unknown cause");
                }
                produced = (size_t) (z->next_out - out);
        }
        *ret_produced = produced;
        return 0;
}

static void gzip_stop(void *state) {
        (void) inflateEnd(state);
}

const DecoderKind decoder_gzip = {
        .name = "gzip",
        .library = "zlib " ZLIB_VERSION,
        .size = sizeof(z_stream),
        .start = gzip_start,
        .step = gzip_step,
        .stop = gzip_stop,
};
