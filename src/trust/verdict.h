#pragma once

/* Whether a policy lets an image in: its rule's requirements, each of them, against the signatures that are found. */

#include "trust/policy.h"
#include "trust/trust.h"

/** A requirement that was met by a signature, and whose it is */
typedef struct TrustSigner {
        RequirementKind kind;
        TrustClaim claim;
        char *place; /* where the signature was found; may be NULL */
} TrustSigner;

/** Why an image was let in */
typedef struct TrustVerdict {
        const TrustRule *rule; /* of the policy */
        TrustKeys keys;        /* of all requirements of the rule, in their order */
        TrustSigner *signers;
        size_t n_signers;
} TrustVerdict;

void trust_signers_free(TrustSigner *signers, size_t n);
void trust_verdict_clear(TrustVerdict *verdict);
#define _cleanup_verdict_ _cleanup_(trust_verdict_clear)

typedef struct TrustQuestion {
        const TrustPolicy *policy;
        TrustSource source;
        const Digest *manifest;     /* of the image for one platform; NULL: of a source without signatures */
        Registry *registry;         /* that signatures are fetched through; NULL: none can be */
        const TrustModule *module;  /* NULL: loaded when a signature is asked for */
} TrustQuestion;

/**
 * trust_judge() - apply a policy
 * @ret: trust_verdict_clear(); borrows the policy
 *
 * Errors: SignatureRejected; NotSupported (the requirement asks for what is not checked here); FileError and InvalidConfig (keys); those of
 * TrustModule.fetch(); OutOfMemory
 */
int trust_judge(const TrustQuestion *question, TrustVerdict *ret, Error *err);

/** rule_keys() - read the keys of all requirements of a rule; trust_keys_clear(). Errors: FileError, InvalidConfig, OutOfMemory */
int rule_keys(const TrustRule *rule, TrustKeys *ret, Error *err);
