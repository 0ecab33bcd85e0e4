/* SHA-256 through OpenSSL's EVP interface, which picks the CPU's own instructions. */

#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct Sha256 {
        EVP_MD_CTX *context;
};

Sha256 *sha256_free(Sha256 *hash) {
        if (hash) {
                EVP_MD_CTX_free(hash->context);
                free(hash);
        }
        return NULL;
}

int sha256_new(Sha256 **ret, Error *err) {
        Sha256 *hash = calloc(1, sizeof(*hash));

        if (!hash)
                return error_oom(err);
        hash->context = EVP_MD_CTX_new();
        if (!hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1) {
                sha256_free(hash);
                return error_oom(err);
        }
        *ret = hash;
        return 0;
}

void sha256_update(Sha256 *hash, const void *data, size_t len) {
        if (EVP_DigestUpdate(hash->context, data, len) != 1)
                abort(); /* only a programming error can make an initialised SHA-256 fail */
}

void sha256_final(Sha256 *hash, char ret[SHA256_HEX_MAX]) {
        static const char digits[] = "0123456789abcdef";
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;

        if (EVP_DigestFinal_ex(hash->context, digest, &len) != 1 || len != 32)
                abort();
        for (unsigned i = 0; i < len; i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[64] = '\0';
}

int sha256_data(const void *data, size_t len, char ret[SHA256_HEX_MAX], Error *err) {
        Sha256 *hash;

        if (sha256_new(&hash, err) < 0)
                return -1;
        sha256_update(hash, data, len);
        sha256_final(hash, ret);
        sha256_free(hash);
        return 0;
}
