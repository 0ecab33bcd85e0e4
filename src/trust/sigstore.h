#pragma once

/* cosign's signatures by a key pair, without certificates and logs. Source: cosign, "specs/SIGNATURE_SPEC.md" */

#include <openssl/types.h>
#include <stdbool.h>

#include "base/error.h"
#include "trust/signature.h"

/** sigstore_verify() - see TrustModule */
int sigstore_verify(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err);

typedef EVP_PKEY SigningKey;

/**
 * signing_key_load() - a private key: PEM as OpenSSL reads it, or as cosign encrypts it
 * @data:       the file
 * @passphrase: NULL: none was given
 * @what:       names the file in errors
 * @ret:        signing_key_free()
 *
 * Errors: InvalidArgument (not a private key, wrong passphrase or none), NotSupported (a kind of key, or of encryption), OutOfMemory
 */
int signing_key_load(const char *data, size_t len, const char *passphrase, const char *what, SigningKey **ret, Error *err);
SigningKey *signing_key_free(SigningKey *key);
static inline void signing_key_freep(SigningKey **key) {
        signing_key_free(*key);
}

/**
 * key_is_supported() - whether signatures are made and verified by a kind of key
 * @ret_digest: what is signed of a text: its digest by this, or NULL: the text itself
 */
bool key_is_supported(const SigningKey *key, const EVP_MD **ret_digest);
#define KEYS_SUPPORTED "ECDSA, RSA or Ed25519"

/** signing_key_sign() - the annotation for a text: the signature in base64; free(). Errors: OutOfMemory, InvalidArgument (the key cannot sign) */
int signing_key_sign(SigningKey *key, const char *text, char **ret, Error *err);
