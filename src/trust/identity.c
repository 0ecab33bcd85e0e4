/* Comparing the name in a signature with the name an image was asked for by. Both are compared in their normal form. */

#include "trust/identity.h"

#include <string.h>

#include "base/buf.h"
#include "trust/requirement.h"

void trust_identity_clear(TrustIdentity *identity) {
        reference_free(identity->reference);
        free(identity->prefix);
        free(identity->signed_prefix);
        *identity = (TrustIdentity) { 0 };
}

static bool has_tag_or_digest(const char *text) {
        const char *slash = strrchr(text, '/');

        return strchr(text, '@') || strchr(slash ?: text, ':');
}

static int take_reference(const json_t *json, const char *key, const char *where, TrustIdentity *identity, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *text;

        if (json_need_string(json, key, place, &text, err) < 0)
                return -1;
        if (reference_parse(text, &identity->reference, err) < 0) {
                if (err && err->kind != ERROR_OUT_OF_MEMORY)
                        err->kind = ERROR_INVALID_CONFIG;
                return error_prefix(err, "%s: '%s'", where, key);
        }
        if (identity->kind == IDENTITY_EXACT_REFERENCE && !has_tag_or_digest(text))
                return error_set(err, ERROR_INVALID_CONFIG, "%s: '%s' has neither tag nor digest", where, text);
        return 0;
}

/* A registry, or one with the beginning of a name. */
static bool is_prefix(const char *text) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *whole = NULL;
        const char *slash = strchr(text, '/');

        if (strchr(text, '@') || string_format(&whole, NULL, "%s%s", text, slash ? "" : "/x") < 0)
                return false;
        if (slash && has_tag_or_digest(slash))
                return false;
        return reference_parse(whole, &reference, NULL) == 0;
}

static int take_prefix(const json_t *json, const char *key, const char *where, char **ret, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };

        if (json_need_string_copy(json, key, place, ret, err) < 0)
                return -1;
        return is_prefix(*ret) ? 0 : error_set(err, ERROR_INVALID_CONFIG, "%s: '%s' is no prefix of a name: '%s'", where, key, *ret);
}

static const TrustType kinds[] = {
        [IDENTITY_REPO_DIGEST_OR_EXACT] = { "matchRepoDigestOrExact", { "type" } },
        [IDENTITY_EXACT] = { "matchExact", { "type" } },
        [IDENTITY_REPOSITORY] = { "matchRepository", { "type" } },
        [IDENTITY_EXACT_REFERENCE] = { "exactReference", { "type", "dockerReference" } },
        [IDENTITY_EXACT_REPOSITORY] = { "exactRepository", { "type", "dockerRepository" } },
        [IDENTITY_REMAP] = { "remapIdentity", { "type", "prefix", "signedPrefix" } },
};

static int take_parts(const json_t *json, const char *where, TrustIdentity *identity, Error *err) {
        switch (identity->kind) {
        case IDENTITY_EXACT_REFERENCE:
                return take_reference(json, "dockerReference", where, identity, err);
        case IDENTITY_EXACT_REPOSITORY:
                return take_reference(json, "dockerRepository", where, identity, err);
        case IDENTITY_REMAP:
                return take_prefix(json, "prefix", where, &identity->prefix, err) < 0 ?
                               -1 :
                               take_prefix(json, "signedPrefix", where, &identity->signed_prefix, err);
        case IDENTITY_REPO_DIGEST_OR_EXACT:
        case IDENTITY_EXACT:
        case IDENTITY_REPOSITORY:
                return 0;
        }
        return 0;
}

int trust_identity_parse(const json_t *json, const char *where, TrustIdentity *ret, Error *err) {
        _cleanup_(trust_identity_clear) TrustIdentity identity = { 0 };
        size_t kind;

        if (trust_type_parse(json, kinds, ARRAY_SIZE(kinds), where, &kind, err) < 0)
                return -1;
        identity.kind = (IdentityKind) kind;
        if (take_parts(json, where, &identity, err) < 0)
                return -1;
        *ret = identity;
        identity = (TrustIdentity) { 0 };
        return 0;
}

static bool same_repository(const Reference *a, const Reference *b) {
        return string_equal(a->registry, b->registry) && string_equal(a->repository, b->repository);
}

static bool same_reference(const Reference *a, const Reference *b) {
        return same_repository(a, b) && string_equal(a->tag, b->tag) && a->has_digest == b->has_digest &&
               (!a->has_digest || digest_equal(&a->digest, &b->digest));
}

/* An image that is named by its digest has it compared with the signature's anyway. */
static bool matches_default(const Reference *name, const Reference *as, bool exact) {
        if (!exact)
                return false;
        return name->tag ? same_reference(name, as) : same_repository(name, as);
}

/* @ret: NULL when the name has another prefix, and stays as it is. */
static int remap(const TrustIdentity *identity, const Reference *name, Reference **ret, bool *ret_possible, Error *err) {
        _cleanup_free_ char *text = NULL, *whole = NULL, *mapped = NULL;
        const size_t len = strlen(identity->prefix);
        Error cause = ERROR_INIT;

        *ret = NULL;
        *ret_possible = true;
        if (string_format(&text, err, "%s/%s", name->registry, name->repository) < 0 || reference_format(name, &whole, err) < 0)
                return -1;
        if (strncmp(text, identity->prefix, len) != 0 || (text[len] && text[len] != '/'))
                return 0;
        if (string_format(&mapped, err, "%s%s", identity->signed_prefix, whole + len) < 0)
                return -1;
        /* Its normal form already: "example/app" would become Docker Hub's. */
        if (!reference_is_short(mapped) && reference_parse(mapped, ret, &cause) == 0)
                return 0;
        *ret_possible = false;
        return cause.kind == ERROR_OUT_OF_MEMORY ? error_oom(err) : 0;
}

static int matches(const TrustIdentity *identity, const Reference *name, const Reference *as, bool exact, bool *ret, Error *err) {
        _cleanup_(reference_freep) Reference *mapped = NULL;
        bool possible;

        switch (identity->kind) {
        case IDENTITY_EXACT_REFERENCE:
                *ret = exact && same_reference(identity->reference, as);
                return 0;
        case IDENTITY_EXACT_REPOSITORY:
                *ret = same_repository(identity->reference, as);
                return 0;
        case IDENTITY_REPO_DIGEST_OR_EXACT:
                *ret = name && matches_default(name, as, exact);
                return 0;
        case IDENTITY_EXACT:
                *ret = name && exact && same_reference(name, as);
                return 0;
        case IDENTITY_REPOSITORY:
                *ret = name && same_repository(name, as);
                return 0;
        case IDENTITY_REMAP:
                *ret = false;
                if (!name)
                        return 0;
                if (remap(identity, name, &mapped, &possible, err) < 0)
                        return -1;
                *ret = possible && matches_default(mapped ?: name, as, exact);
                return 0;
        }
        *ret = false;
        return 0;
}

int trust_identity_match(const TrustIdentity *identity, const Reference *name, const char *signed_as, Error *err) {
        _cleanup_(reference_freep) Reference *as = NULL;
        _cleanup_free_ char *wanted = NULL;
        Error cause = ERROR_INIT;
        bool matched = false;

        if (reference_parse(signed_as, &as, &cause) < 0) {
                if (cause.kind == ERROR_OUT_OF_MEMORY)
                        return error_oom(err);
                return error_set(err, ERROR_SIGNATURE_REJECTED, "it is made for '%s', which is no name of an image", signed_as);
        }
        if (matches(identity, name, as, has_tag_or_digest(signed_as), &matched, err) < 0)
                return -1;
        if (matched)
                return 0;
        if (!name && identity->kind != IDENTITY_EXACT_REFERENCE && identity->kind != IDENTITY_EXACT_REPOSITORY)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "it is made for '%s', and the image has no name to compare it with",
                                 signed_as);
        if (identity->reference ? reference_format(identity->reference, &wanted, err) < 0 : reference_format(name, &wanted, err) < 0)
                return -1;
        return error_set(err, ERROR_SIGNATURE_REJECTED, "it is made for '%s', not for '%s' (%s)", signed_as, wanted,
                         kinds[identity->kind].name);
}
