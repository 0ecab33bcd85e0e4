#pragma once

/* Content digests, parsed once; only a Digest ever becomes part of a path (CVE-2024-3727). Source: image-spec, descriptor.md "Digests" */

#include <stdbool.h>

#include "base/error.h"

typedef struct Digest {
        char text[72]; /* "sha256:" and 64 lower-case hex digits */
} Digest;

/** digest_hex() - the 64 hex digits of a parsed digest */
static inline const char *digest_hex(const Digest *digest) {
        return digest->text + 7;
}

/**
 * digest_parse() - parse "sha256:HEX"
 *
 * Errors: InvalidSpec for a malformed one; NotSupported for another registered algorithm (sha512)
 */
int digest_parse(const char *text, Digest *ret, Error *err);

/** digest_from_hex() - from 64 hex digits that are already known to be right */
void digest_from_hex(const char *hex, Digest *ret);

bool digest_equal(const Digest *a, const Digest *b);
