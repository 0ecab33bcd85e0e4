/* The verdict. What is not met in full is a rejection, whatever the reason. Source: containers-policy.json(5), "POLICY REQUIREMENTS" */

#include "trust/verdict.h"

#include <string.h>

#include "base/buf.h"

#define REASONS_MAX 1024 /* bytes of what is said of the signatures of one image */

typedef struct Judge {
        const TrustQuestion *question;
        const TrustModule *module;
        TrustSignatures signatures;
        bool fetched, keys_read;
        TrustVerdict verdict;
} Judge;

static void signer_clear(TrustSigner *signer) {
        trust_claim_clear(&signer->claim);
        free(signer->place);
}

void trust_signers_free(TrustSigner *signers, size_t n) {
        for (size_t i = 0; i < n; i++)
                signer_clear(&signers[i]);
        free(signers);
}

void trust_verdict_clear(TrustVerdict *verdict) {
        trust_keys_clear(&verdict->keys);
        trust_signers_free(verdict->signers, verdict->n_signers);
        *verdict = (TrustVerdict) { 0 };
}

static void judge_clear(Judge *judge) {
        trust_signatures_clear(&judge->signatures);
        trust_verdict_clear(&judge->verdict);
}

static int add_signer(Judge *judge, RequirementKind kind, const TrustSignature *signature, TrustClaim *claim, Error *err) {
        TrustSigner *signers = reallocarray(judge->verdict.signers, judge->verdict.n_signers + 1, sizeof(*signers));
        TrustSigner *signer;

        if (!signers)
                return error_oom(err);
        judge->verdict.signers = signers;
        signer = &signers[judge->verdict.n_signers];
        *signer = (TrustSigner) { .kind = kind };
        if (string_copy(signature->place, &signer->place, err) < 0)
                return -1;
        signer->claim = *claim;
        *claim = (TrustClaim) { 0 };
        judge->verdict.n_signers++;
        return 0;
}

/* Read once, so that what is remembered as the keys is what signatures were verified with. */
static int keys_of(Judge *judge, const TrustRequirement *requirement, TrustKeys *ret, Error *err) {
        const TrustRule *rule = judge->verdict.rule;
        size_t first = 0;

        if (!judge->keys_read && rule_keys(rule, &judge->verdict.keys, err) < 0)
                return -1;
        judge->keys_read = true;
        for (const TrustRequirement *before = rule->requirements; before < requirement; before++)
                first += strv_length(before->key_paths) + strv_length(before->key_data);
        *ret = (TrustKeys) {
                .items = judge->verdict.keys.items + first,
                .n = strv_length(requirement->key_paths) + strv_length(requirement->key_data),
        };
        return 0;
}

static int fetch(Judge *judge, Error *err) {
        const TrustQuestion *q = judge->question;
        const FetchRequest request = { .registry = q->registry, .name = q->source.name, .manifest = q->manifest };

        if (judge->fetched)
                return 0;
        if (!judge->module)
                judge->module = trust_module(err);
        if (!judge->module || judge->module->fetch(&request, &judge->signatures, err) < 0)
                return -1;
        judge->fetched = true;
        return 0;
}

/* That a signature is by one of the keys, of this manifest, and for this name. */
static int check_signature(Judge *judge, const TrustRequirement *requirement, const TrustSignature *signature, const TrustKeys *keys,
                           TrustClaim *ret, Error *err) {
        const TrustQuestion *q = judge->question;
        _cleanup_claim_ TrustClaim claim = { 0 };

        if ((requirement->kind == REQUIREMENT_SIGNED_BY ? judge->module->simple_verify(signature, keys, &claim, err) :
                                                          judge->module->sigstore_verify(signature, keys, &claim, err)) < 0)
                return -1;
        if (!claim.manifest_digest || strcmp(claim.manifest_digest, q->manifest->text) != 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "it is made for the manifest %s", claim.manifest_digest ?: "of nothing");
        if (trust_identity_match(&requirement->identity, q->source.name, claim.docker_reference ?: "", err) < 0)
                return -1;
        *ret = claim;
        claim = (TrustClaim) { 0 };
        return 0;
}

static int add_reason(Buf *reasons, const TrustSignature *signature, const Error *cause) {
        return buf_printf(reasons, NULL, "%s%s%s%s", reasons->len ? "; " : "", signature->place ?: "", signature->place ? ": " : "",
                          cause->text);
}

static int need_signature(Judge *judge, const TrustRequirement *requirement, Error *err) {
        const SignatureKind kind = requirement->kind == REQUIREMENT_SIGNED_BY ? SIGNATURE_SIMPLE : SIGNATURE_SIGSTORE;
        const TrustQuestion *q = judge->question;
        _cleanup_buf_ Buf reasons = BUF_INIT(REASONS_MAX);
        TrustKeys keys;
        size_t n = 0;

        if (requirement->unsupported)
                return error_set(err, ERROR_NOT_SUPPORTED, "'%s' is not checked by this program, so nothing is accepted by it",
                                 requirement->unsupported);
        if (!q->manifest || !q->registry || !q->source.name)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "a signature is required, and what comes by '%s' has none",
                                 q->source.transport);
        if (keys_of(judge, requirement, &keys, err) < 0 || fetch(judge, err) < 0)
                return -1;
        for (size_t i = 0; i < judge->signatures.n; i++) {
                const TrustSignature *signature = &judge->signatures.items[i];
                _cleanup_claim_ TrustClaim claim = { 0 };
                Error cause = ERROR_INIT;

                if (signature->kind != kind)
                        continue;
                n++;
                if (check_signature(judge, requirement, signature, &keys, &claim, &cause) == 0)
                        return add_signer(judge, requirement->kind, signature, &claim, err);
                /* What says nothing of the signature is no reason to go on. */
                if (cause.kind != ERROR_SIGNATURE_REJECTED) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                (void) add_reason(&reasons, signature, &cause);
        }
        if (n == 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "a signature is required, and none was found");
        return error_set(err, ERROR_SIGNATURE_REJECTED, "none of %zu signatures is good: %s", n, reasons.data ?: "");
}

static int check_requirement(Judge *judge, const TrustRequirement *requirement, Error *err) {
        switch (requirement->kind) {
        case REQUIREMENT_ACCEPT:
                return 0;
        case REQUIREMENT_REJECT:
                return error_set(err, ERROR_SIGNATURE_REJECTED, "such images are rejected");
        case REQUIREMENT_SIGNED_BY:
        case REQUIREMENT_SIGSTORE:
                return need_signature(judge, requirement, err);
        }
        return error_set(err, ERROR_SIGNATURE_REJECTED, "an unknown requirement");
}

static int blame(const Judge *judge, const TrustRequirement *requirement, Error *err) {
        _cleanup_free_ char *name = NULL;

        if (rule_name(judge->verdict.rule, &name, NULL) < 0)
                return -1;
        return error_prefix(err, "%s, rule '%s', %s", judge->question->policy->path, name, requirement_name(requirement->kind));
}

int trust_judge(const TrustQuestion *question, TrustVerdict *ret, Error *err) {
        _cleanup_(judge_clear) Judge judge = { .question = question, .module = question->module };

        if (policy_find(question->policy, &question->source, &judge.verdict.rule, err) < 0)
                return -1;
        for (size_t i = 0; i < judge.verdict.rule->n; i++)
                if (check_requirement(&judge, &judge.verdict.rule->requirements[i], err) < 0)
                        return blame(&judge, &judge.verdict.rule->requirements[i], err);
        if (judge.verdict.rule->n == 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "a rule without requirements");
        *ret = judge.verdict;
        judge.verdict = (TrustVerdict) { 0 };
        return 0;
}
