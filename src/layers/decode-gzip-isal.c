/* gzip by isa-l, which streams at twice the speed of zlib. */

#include <isa-l.h>
#include <limits.h>

#include "layers/decoder.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

static void begin_member(struct inflate_state *z) {
        isal_inflate_reset(z);
        z->crc_flag = ISAL_GZIP; /* a header and a trailer, both checked */
}

static int gzip_start(void *state, Error *err) {
        isal_inflate_init(state);
        begin_member(state);
        return 0;
}

static const char *cause(int code) {
        switch (code) {
        case ISAL_INVALID_WRAPPER:
                return "an invalid header";
        case ISAL_UNSUPPORTED_METHOD:
                return "an unknown method";
        case ISAL_INCORRECT_CHECKSUM:
                return "a wrong checksum";
        default:
                return "an invalid block";
        }
}

/* One call; input and output may be less than what there is. Also without input: output that did not fit may still be inside. */
static int inflate_some(struct inflate_state *z, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size,
                        size_t *ret_produced, Error *err) {
        uint32_t given = *in_len < UINT32_MAX ? (uint32_t) *in_len : UINT32_MAX;
        uint32_t room = size < UINT32_MAX ? (uint32_t) size : UINT32_MAX;
        int r;

        z->next_in = (uint8_t *) *in; /* the interface lacks the const; it only reads */
        z->avail_in = given;
        z->next_out = out;
        z->avail_out = room;
        r = isal_inflate(z);
        *in += given - z->avail_in;
        *in_len -= given - z->avail_in;
        *ret_produced = room - z->avail_out;
        if (r < 0 || r == ISAL_NEED_DICT)
                return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", cause(r));
        if (z->block_state == ISAL_BLOCK_FINISH)
                *within = false;
        return 0;
}

static int gzip_step(void *state, bool *within, const uint8_t **in, size_t *in_len, uint8_t *out, size_t size, size_t *ret_produced,
                     Error *err) {
        struct inflate_state *z = state;
        size_t produced = 0;

        do {
                size_t before = *in_len;

                if (!*within) {
                        if (*in_len == 0)
                                break;
                        /* It would wait for a whole header before it looks at what it has. */
                        if (**in != 0x1f)
                                return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: %s", cause(ISAL_INVALID_WRAPPER));
                        begin_member(z);
                        *within = true;
                }
                if (inflate_some(z, within, in, in_len, out, size, &produced, err) < 0)
                        return -1;
                if (produced == 0 && *within && before > 0 && *in_len == before)
                        return error_set(err, ERROR_INVALID_SPEC, "corrupt gzip data: no progress");
        } while (produced == 0 && *in_len > 0);
        *ret_produced = produced;
        return 0;
}

static void gzip_stop(void *state) {
}

const DecoderKind decoder_gzip = {
        .name = "gzip",
        .library = "isa-l " TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION),
        .size = sizeof(struct inflate_state),
        .start = gzip_start,
        .step = gzip_step,
        .stop = gzip_stop,
};
