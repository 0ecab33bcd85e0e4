#pragma once

/* signedIdentity: which name a signature has to carry for an image of a given name. Source: containers-policy.json(5), "signedIdentity" */

#include "base/json.h"
#include "oci/reference.h"

typedef enum IdentityKind {
        IDENTITY_REPO_DIGEST_OR_EXACT, /* the default: the same name and tag; for an image named by digest, the same repository */
        IDENTITY_EXACT,
        IDENTITY_REPOSITORY,
        IDENTITY_EXACT_REFERENCE,  /* one that the policy names, whatever the image is called */
        IDENTITY_EXACT_REPOSITORY,
        IDENTITY_REMAP,            /* the image's name with one prefix in place of another, then as the default */
} IdentityKind;

typedef struct TrustIdentity {
        IdentityKind kind;
        Reference *reference;         /* of EXACT_REFERENCE, EXACT_REPOSITORY */
        char *prefix, *signed_prefix; /* of REMAP */
} TrustIdentity;

void trust_identity_clear(TrustIdentity *identity);

/** trust_identity_parse() - from a policy's JSON. Errors: InvalidConfig, OutOfMemory */
int trust_identity_parse(const json_t *json, const char *where, TrustIdentity *ret, Error *err);

/**
 * trust_identity_match() - whether a signature is one of the image that is wanted
 * @name:      the image's; NULL: it has none, as in a layout
 * @signed_as: the docker-reference of the signature, as it stands there
 *
 * Errors: SignatureRejected when it is another's, OutOfMemory
 */
int trust_identity_match(const TrustIdentity *identity, const Reference *name, const char *signed_as, Error *err);
