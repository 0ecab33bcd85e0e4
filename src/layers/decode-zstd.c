/* zstd by its own library. */

#include <zstd.h>
#include <zstd_errors.h>

#include "layers/decoder.h"

static int zstd_start(void *state, Error *err) {
        ZSTD_DCtx **context = state;

        *context = ZSTD_createDCtx();
        if (!*context || ZSTD_isError(ZSTD_DCtx_setParameter(*context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
                return error_oom(err);
        return 0;
}

static int zstd_step(void *state, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced,
                     Error *err) {
        ZSTD_DCtx **context = state;
        ZSTD_outBuffer output = { .dst = out, .size = size };
        ZSTD_inBuffer input = { .src = *in, .size = *in_len };
        bool more;

        /* Once more when the input is used up: the decoder may still hold output. */
        do {
                size_t before = input.pos;
                size_t left = ZSTD_decompressStream(*context, &output, &input);

                if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
                        return error_oom(err);
                if (ZSTD_isError(left)) {
                        error_set(err, ERROR_INVALID_SPEC, "corrupt zstd data: %s", ZSTD_getErrorName(left));
                        if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
                                error_hint(err, "compress it with a window of at most %u MiB", (1u << ZSTD_WINDOW_LOG_MAX) >> 20);
                        return -1;
                }
                if (input.pos > before || output.pos > 0)
                        *within = left != 0;
                more = input.pos < input.size;
        } while (output.pos == 0 && more);

        *in += input.pos;
        *in_len -= input.pos;
        *ret_produced = output.pos;
        return 0;
}

static void zstd_stop(void *state) {
        ZSTD_DCtx **context = state;

        (void) ZSTD_freeDCtx(*context);
}

const DecoderKind decoder_zstd = {
        .name = "zstd",
        .library = "libzstd " ZSTD_VERSION_STRING,
        .size = sizeof(ZSTD_DCtx *),
        .start = zstd_start,
        .step = zstd_step,
        .stop = zstd_stop,
};
