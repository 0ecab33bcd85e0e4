#pragma once

/* OpenPGP signatures around a text, by gpgme, as containers/image makes and reads them. Source: containers-signature(5) */

#include "base/error.h"
#include "oci/digest.h"
#include "trust/signature.h"

/** simple_verify() - see TrustModule. A key ring of its own holds the given keys alone; the user's is not looked at */
int simple_verify(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err);

/**
 * simple_sign() - a text by one key of the user's own key ring
 * @key:        fingerprint, or what else gpg takes for exactly one key
 * @passphrase: NULL: gpg asks for it as it does
 * @ret:        free()
 *
 * Errors: InvalidArgument (no such key, wrong passphrase), ConfigError (gpg cannot be run), OutOfMemory
 */
int simple_sign(const char *key, const char *passphrase, const char *text, uint8_t **ret, size_t *ret_len, Error *err);
