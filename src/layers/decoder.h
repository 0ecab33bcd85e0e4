#pragma once

/* What each decoder of decompress.h is made of. Which one serves gzip is chosen when the program is built: isa-l, else zlib. */

#include "layers/decompress.h"

typedef struct DecoderKind {
        const char *name;    /* of the format, for errors */
        const char *library; /* who decodes it; NULL: nobody needs to */
        size_t size;         /* bytes of its state, zeroed before start() */
        int (*start)(void *state, Error *err);
        /** step() - as decoder_step(); @within: whether the input is in the midst of a member or frame, where it must not end */
        int (*step)(void *state, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced,
                    Error *err);
        void (*stop)(void *state);
} DecoderKind;

extern const DecoderKind decoder_gzip, decoder_zstd;
