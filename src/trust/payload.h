#pragma once

/*
 * The text that is signed, alike in both kinds of signatures but for one word. Parsed as strictly as containers/image does: every field of
 * "critical" must be there, none beside them. Source: containers-signature(5); cosign, "specs/SIGNATURE_SPEC.md"
 */

#include "oci/digest.h"
#include "trust/signature.h"
#include "base/error.h"

/** payload_parse() - @ret: signer is left NULL; trust_claim_clear(). Errors: SignatureRejected, OutOfMemory */
int payload_parse(SignatureKind kind, const char *data, size_t len, TrustClaim *ret, Error *err);

/** payload_make() - the text for an image, signed now; free(). Errors: OutOfMemory */
int payload_make(SignatureKind kind, const Digest *manifest, const char *docker_reference, char **ret, Error *err);
