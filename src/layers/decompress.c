/* Telling formats by their first bytes, and one face for their decoders. */

#include "layers/decompress.h"

#include <string.h>

#include "base/cleanup.h"
#include "layers/decoder.h"

struct Decoder {
        const DecoderKind *kind;
        bool within; /* inside a member or frame: the input must not end here */
        max_align_t state[];
};

static int none_start(void *state, Error *err) {
        return 0;
}

static int none_step(void *state, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced,
                     Error *err) {
        size_t n = *in_len < size ? *in_len : size;

        memcpy(out, *in, n);
        *in += n;
        *in_len -= n;
        *ret_produced = n;
        *within = false;
        return 0;
}

static void none_stop(void *state) {
}

static const DecoderKind decoder_none = { .name = "plain", .start = none_start, .step = none_step, .stop = none_stop };

static const DecoderKind *const decoder_kinds[_COMPRESSION_MAX] = {
        [COMPRESSION_NONE] = &decoder_none,
        [COMPRESSION_GZIP] = &decoder_gzip,
        [COMPRESSION_ZSTD] = &decoder_zstd,
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
        const DecoderKind *kind = decoder_kinds[compression];
        _cleanup_(decoder_freep) Decoder *d = calloc(1, sizeof(*d) + kind->size);

        if (!d)
                return error_oom(err);
        d->kind = kind;
        d->within = true;
        if (kind->start(d->state, err) < 0)
                return -1;
        *ret = TAKE(d);
        return 0;
}

Decoder *decoder_free(Decoder *decoder) {
        if (decoder) {
                decoder->kind->stop(decoder->state);
                free(decoder);
        }
        return NULL;
}

int decoder_step(Decoder *decoder, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced, Error *err) {
        return decoder->kind->step(decoder->state, &decoder->within, in, in_len, out, size, ret_produced, err);
}

int decoder_end(const Decoder *decoder, Error *err) {
        if (decoder->within)
                return error_set(err, ERROR_INVALID_SPEC, "the %s data ends early", decoder->kind->name);
        return 0;
}

const char *compression_library(Compression compression) {
        return decoder_kinds[compression]->library;
}
