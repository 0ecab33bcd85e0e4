#pragma once

/* SHA-256 by OpenSSL. Linked only into modules: the program itself never loads libcrypto. */

#include <stddef.h>

#include "base/error.h"

typedef struct Sha256 Sha256;

#define SHA256_HEX_MAX 65 /* characters with the NUL */

/** sha256_new() - start; free with sha256_free(). Errors: OutOfMemory */
int sha256_new(Sha256 **ret, Error *err);
Sha256 *sha256_free(Sha256 *hash);
/** sha256_update() - add bytes; cannot fail once started */
void sha256_update(Sha256 *hash, const void *data, size_t len);
/** sha256_final() - lower-case hex; the object must not be used afterwards but to free it */
void sha256_final(Sha256 *hash, char ret[SHA256_HEX_MAX]);
/** sha256_data() - of one buffer */
int sha256_data(const void *data, size_t len, char ret[SHA256_HEX_MAX], Error *err);

static inline void sha256_freep(Sha256 **hash) {
        sha256_free(*hash);
}
