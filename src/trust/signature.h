#pragma once

/* What signatures are, and what is checked with them: plain data, which policy, fetching and the verifiers share. */

#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define TRUST_SIGNATURES_MAX     128          /* signatures of one manifest that are looked at; this program's own cap: more is SignatureRejected */
#define TRUST_SIGNATURE_SIZE_MAX (4u << 20)   /* bytes of one signature or payload; containers/image's own cap, iolimits */
#define TRUST_KEY_SIZE_MAX       (1u << 20)   /* bytes of one key file; this program's own cap */
#define TRUST_KEYS_MAX           64           /* keys of one requirement; this program's own cap */

#define SIGSTORE_ARTIFACT_TYPE "application/vnd.dev.cosign.artifact.sig.v1+json" /* of a referrer; cosign, "specs/SIGNATURE_SPEC.md" */

typedef enum SignatureKind {
        SIGNATURE_SIMPLE,   /* GPG simple signing: an OpenPGP message around its payload. Source: containers/image, containers-signature(5) */
        SIGNATURE_SIGSTORE, /* cosign: a payload, with its signature beside it */
} SignatureKind;

/** One signature, as it was found; nothing of it is trusted */
typedef struct TrustSignature {
        SignatureKind kind;
        uint8_t *data; /* simple: the OpenPGP message; sigstore: the payload */
        size_t len;
        char *base64_signature; /* sigstore: the annotation dev.cosignproject.cosign/signature; NULL: simple */
        char *place;            /* where it was found, for errors and reports; may be NULL */
} TrustSignature;

static inline void trust_signature_clear(TrustSignature *signature) {
        free(signature->data);
        free(signature->base64_signature);
        free(signature->place);
        *signature = (TrustSignature) { 0 };
}

/** All signatures of a manifest */
typedef struct TrustSignatures {
        TrustSignature *items;
        size_t n;
} TrustSignatures;

static inline void trust_signatures_clear(TrustSignatures *signatures) {
        for (size_t i = 0; i < signatures->n; i++)
                trust_signature_clear(&signatures->items[i]);
        free(signatures->items);
        *signatures = (TrustSignatures) { 0 };
}
#define _cleanup_signatures_ _cleanup_(trust_signatures_clear)

/** One key file, or what a policy has in place of one */
typedef struct TrustKey {
        char *path; /* NULL: keyData */
        char *data; /* NUL-terminated for convenience; may hold NULs of its own (a binary keyring) */
        size_t len;
} TrustKey;

/** The keys of a requirement: a signature by any of them will do */
typedef struct TrustKeys {
        TrustKey *items;
        size_t n;
} TrustKeys;

static inline void trust_keys_clear(TrustKeys *keys) {
        for (size_t i = 0; i < keys->n; i++) {
                free(keys->items[i].path);
                free(keys->items[i].data);
        }
        free(keys->items);
        *keys = (TrustKeys) { 0 };
}
#define _cleanup_keys_ _cleanup_(trust_keys_clear)

/**
 * What a signature that one of the keys made says. Whether it says it of the image in question (digest, reference) is judged by verdict.h.
 */
typedef struct TrustClaim {
        char *docker_reference; /* critical.identity.docker-reference, as it stands there */
        char *manifest_digest;  /* critical.image.docker-manifest-digest, as it stands there */
        char *signer;           /* simple: the key's fingerprint, upper-case hex; sigstore: "sha256:HEX" of the public key (SPKI, DER) */
        int64_t timestamp;      /* seconds since 1970, by the signer's word; 0: not said */
} TrustClaim;

static inline void trust_claim_clear(TrustClaim *claim) {
        free(claim->docker_reference);
        free(claim->manifest_digest);
        free(claim->signer);
        *claim = (TrustClaim) { 0 };
}
#define _cleanup_claim_ _cleanup_(trust_claim_clear)
