#pragma once

/* Signatures as they are kept, gathered. Source: containers/image, "docs/signature-protocols.md" */

#include <jansson.h>

#include "base/error.h"
#include "trust/signature.h"

#define SIGSTORE_PAYLOAD_TYPE         "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGSTORE_SIGNATURE_ANNOTATION "dev.cosignproject.cosign/signature"

/** trust_signatures_add() - take over one; @signature is empty afterwards. Errors: SignatureRejected (too many), OutOfMemory */
int trust_signatures_add(TrustSignatures *signatures, TrustSignature *signature, Error *err);

/**
 * trust_signature_set() - fill one from bytes
 * @base64_signature: of a sigstore one, may be NULL
 *
 * Errors: OutOfMemory
 */
int trust_signature_set(SignatureKind kind, const void *data, size_t len, const char *base64_signature, const char *place, TrustSignature *ret,
                        Error *err);

/** signature_json() - a document that tells of signatures, an object. @ret: json_decref(), also on failure. Errors: SignatureRejected, OutOfMemory */
int signature_json(const char *data, size_t len, const char *where, json_t **ret, Error *err);

/**
 * trust_signature_parse() - one file of a lookaside: an OpenPGP message, or one that names its format
 * @ret_is_signature: false for a sigstore attachment that is something else than a signature; @ret is empty then
 *
 * Errors: SignatureRejected (another format), OutOfMemory
 */
int trust_signature_parse(const char *data, size_t len, const char *place, TrustSignature *ret, bool *ret_is_signature, Error *err);
