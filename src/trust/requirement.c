/* Requirements of policy.json: one table row a type, and one reader each. Source: containers-policy.json(5), "POLICY REQUIREMENTS" */

#include "trust/requirement.h"

#include <string.h>

#include "base/buf.h"

void requirement_clear(TrustRequirement *requirement) {
        strv_free(requirement->key_paths);
        strv_free(requirement->key_data);
        trust_identity_clear(&requirement->identity);
        *requirement = (TrustRequirement) { 0 };
}

int json_check_keys(const json_t *object, const char *const *allowed, const char *where, Error *err) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) object, key, value) {
                const char *const *known = allowed;

                while (*known && strcmp(*known, key) != 0)
                        known++;
                if (!*known)
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: unknown key '%s'", where, key);
                if (json_is_null(value))
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: '%s' is null", where, key);
        }
        return 0;
}

int trust_type_parse(const json_t *json, const TrustType *types, size_t n, const char *where, size_t *ret, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *type;
        size_t i = 0;

        if (json_need_root(json, place, err) < 0 || json_need_string(json, "type", place, &type, err) < 0)
                return -1;
        while (i < n && strcmp(type, types[i].name) != 0)
                i++;
        if (i == n)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: unknown type '%s'", where, type);
        *ret = i;
        return json_check_keys(json, types[i].keys, where, err);
}

static const char *const key_sources[] = { "keyPath", "keyPaths", "keyData", "keyDatas" };

/* Exactly one of the ways to name keys; of what is named beside or instead of them, nothing is checked here. */
static int take_keys(const json_t *json, const char *where, bool sigstore, TrustRequirement *requirement, Error *err) {
        unsigned sources = 0;

        if (sigstore && sigstore_beyond(json, where, &requirement->unsupported, &sources, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(key_sources); i++) {
                char ***target = key_source_is_data(key_sources[i]) ? &requirement->key_data : &requirement->key_paths;

                if (!json_object_get(json, key_sources[i]))
                        continue;
                sources++;
                if (key_source_take(json, key_sources[i], where, target, err) < 0)
                        return -1;
        }
        if (sources != 1)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: %s of the ways to name a key, exactly one is needed", where,
                                 sources ? "several" : "none");
        return 0;
}

static int take_identity(const json_t *json, const char *where, TrustRequirement *requirement, Error *err) {
        const json_t *identity = json_object_get(json, "signedIdentity");
        _cleanup_free_ char *place = NULL;

        if (!identity)
                return 0;
        return string_format(&place, err, "%s.signedIdentity", where) < 0 ?
                       -1 :
                       trust_identity_parse(identity, place, &requirement->identity, err);
}

static int read_signed_by(const json_t *json, const char *where, TrustRequirement *requirement, Error *err) {
        /* Of the four that the format knows, containers/image takes the first alone. */
        static const char *const types[] = { "GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs" };
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *type;
        size_t i = 0;

        if (json_need_string(json, "keyType", place, &type, err) < 0)
                return -1;
        while (i < ARRAY_SIZE(types) && strcmp(type, types[i]) != 0)
                i++;
        if (i == ARRAY_SIZE(types))
                return error_set(err, ERROR_INVALID_CONFIG, "%s: unknown keyType '%s'", where, type);
        if (i > 0)
                requirement->unsupported = types[i];
        return take_keys(json, where, false, requirement, err) < 0 ? -1 : take_identity(json, where, requirement, err);
}

static int read_sigstore(const json_t *json, const char *where, TrustRequirement *requirement, Error *err) {
        return take_keys(json, where, true, requirement, err) < 0 ? -1 : take_identity(json, where, requirement, err);
}

static const TrustType kinds[] = {
        [REQUIREMENT_ACCEPT] = { "insecureAcceptAnything", { "type" } },
        [REQUIREMENT_REJECT] = { "reject", { "type" } },
        [REQUIREMENT_SIGNED_BY] = { "signedBy", { "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity" } },
        [REQUIREMENT_SIGSTORE] = { "sigstoreSigned",
                                   { "type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki", "rekorPublicKeyPath",
                                     "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas", "signedIdentity" } },
};

const char *requirement_name(RequirementKind kind) {
        return kinds[kind].name;
}

static int take_parts(const json_t *json, const char *where, TrustRequirement *requirement, Error *err) {
        switch (requirement->kind) {
        case REQUIREMENT_ACCEPT:
        case REQUIREMENT_REJECT:
                return 0;
        case REQUIREMENT_SIGNED_BY:
                return read_signed_by(json, where, requirement, err);
        case REQUIREMENT_SIGSTORE:
                return read_sigstore(json, where, requirement, err);
        }
        return 0;
}

int requirement_parse(const json_t *json, const char *where, TrustRequirement *ret, Error *err) {
        _cleanup_(requirement_clear) TrustRequirement requirement = { 0 };
        size_t kind;

        if (trust_type_parse(json, kinds, ARRAY_SIZE(kinds), where, &kind, err) < 0)
                return -1;
        requirement.kind = (RequirementKind) kind;
        if (take_parts(json, where, &requirement, err) < 0)
                return -1;
        *ret = requirement;
        requirement = (TrustRequirement) { 0 };
        return 0;
}
