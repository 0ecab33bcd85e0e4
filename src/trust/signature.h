#pragma once

/*
 * Signatures of images as they are kept beside them, not verified yet. Sources: containers/image, "docs/signature-protocols.md",
 * "docs/containers-signature.5.md"; cosign, "specs/SIGNATURE_SPEC.md"
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "oci/digest.h"

#define SIGNATURE_SIZE_MAX (1u << 20) /* bytes of one signature or signed text; this program's own cap, they have a few hundred */
#define SIGNATURES_MAX     128        /* of one manifest; as containers/image reads from a lookaside */
#define KEY_FILE_SIZE_MAX  (1u << 20) /* bytes of a file of keys; this program's own cap */

#define SIGSTORE_PAYLOAD_TYPE         "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGSTORE_SIGNATURE_ANNOTATION "dev.cosignproject.cosign/signature"

typedef enum SignatureKind {
        SIGNATURE_SIMPLE,   /* one OpenPGP message with the signed text inside */
        SIGNATURE_SIGSTORE, /* a signed text, and its signature in an annotation */
} SignatureKind;

typedef struct TrustSignature {
        SignatureKind kind;
        char *mime;             /* of a sigstore one: SIGSTORE_PAYLOAD_TYPE, or something else that is attached; NULL otherwise */
        uint8_t *data;          /* the OpenPGP message, or the signed text; NUL-terminated beyond @len */
        size_t len;
        char *base64_signature; /* of a sigstore one; NULL: it has none */
        char *where;            /* where it was found, for messages */
} TrustSignature;

typedef struct TrustSignatures {
        TrustSignature *items;
        size_t n;
} TrustSignatures;

void trust_signature_clear(TrustSignature *signature);
void trust_signatures_clear(TrustSignatures *signatures);
#define _cleanup_signatures_ _cleanup_(trust_signatures_clear)

/** trust_signatures_add() - take over one; @signature is empty afterwards. Errors: SignatureRejected (more than SIGNATURES_MAX), OutOfMemory */
int trust_signatures_add(TrustSignatures *signatures, TrustSignature *signature, Error *err);

/**
 * trust_signature_parse() - one file of a lookaside: an OpenPGP message, or one that names its format
 *
 * Source: containers/image, "docs/signature-protocols.md". Errors: SignatureRejected (another format, too large), OutOfMemory
 */
int trust_signature_parse(const void *data, size_t len, const char *where, TrustSignature *ret, Error *err);

/** The bytes of key files: OpenPGP key rings, binary or armored; or public keys in PEM. Borrowed */
typedef struct TrustKey {
        const void *data;
        size_t len;
} TrustKey;

typedef struct TrustKeys {
        const TrustKey *items;
        size_t n;
} TrustKeys;

/** What a signature that was verified says */
typedef struct TrustClaim {
        char *docker_reference; /* as it stands there: NAME[:TAG][@DIGEST], not parsed */
        Digest manifest;
        char *identity;         /* of the signer: the key's fingerprint (upper-case hex), or "sha256:HEX" of a public key's DER; NULL: not known */
        bool has_timestamp;
        int64_t timestamp;      /* seconds since 1970; only the signer's word */
} TrustClaim;

void trust_claim_clear(TrustClaim *claim);
#define _cleanup_claim_ _cleanup_(trust_claim_clear)
