#pragma once

/*
 * policy.json: which images may be used, by where they come from and who signed them. Read as strictly as containers/image does: a key that
 * is not known, a key given twice or a value of the wrong type refuses the whole file. Source: containers-policy.json(5)
 *
 * What the format has and this program does not check (certificates of Fulcio, logs of Rekor, PKI) is no error of the file; a requirement
 * that asks for it accepts nothing.
 */

#include "trust/identity.h"
#include "trust/signature.h"

#define POLICY_SIZE_MAX (4u << 20) /* bytes of policy.json; this program's own cap */
#define POLICY_SYSTEM   "/etc/containers/policy.json"
#define POLICY_KEYS_MAX 64         /* keys of one requirement; this program's own cap */

typedef enum RequirementKind {
        REQUIREMENT_ACCEPT, /* insecureAcceptAnything */
        REQUIREMENT_REJECT,
        REQUIREMENT_SIGNED_BY,
        REQUIREMENT_SIGSTORE,
} RequirementKind;

typedef struct TrustRequirement {
        RequirementKind kind;
        char **key_paths;        /* a signature by a key of any of them will do */
        char **key_data;         /* the same in the policy itself, as base64 */
        const char *unsupported; /* what it asks for that is not checked here; NULL: nothing */
        TrustIdentity identity;
} TrustRequirement;

/** What holds for one scope: every requirement has to be met */
typedef struct TrustRule {
        char *transport; /* NULL: the policy's default */
        char *scope;     /* "": the transport's default */
        TrustRequirement *requirements;
        size_t n;
        char *text; /* the requirements as JSON, compact: two rules of one text are the same */
} TrustRule;

typedef struct TrustPolicy {
        char *path;
        TrustRule *rules; /* the default first */
        size_t n;
} TrustPolicy;

/** Where an image comes from, in the policy's words. All borrowed */
typedef struct TrustSource {
        const char *transport; /* "docker", "oci", "oci-archive", "docker-archive", "dir", "tarball" */
        const char *path;      /* of a layout, an archive or a directory: absolute, without symlinks */
        const Reference *name; /* of docker */
} TrustSource;

/** requirement_name() - "signedBy" */
const char *requirement_name(RequirementKind kind);

/**
 * policy_parse() - a policy from its text
 * @what: names it in errors
 *
 * Errors: InvalidJson, InvalidConfig, OutOfMemory
 */
int policy_parse(const char *text, size_t len, const char *what, TrustPolicy **ret, Error *err);
TrustPolicy *policy_free(TrustPolicy *policy);
static inline void policy_freep(TrustPolicy **policy) {
        policy_free(*policy);
}

/**
 * policy_path() - which policy holds
 * @option: --signature-policy; NULL: the user's ($HOME/.config/containers/policy.json), else the system's
 * @ret:    NULL: there is none; free()
 */
int policy_path(const char *option, char **ret, Error *err);

/** policy_read() - a file's text; symlinks are followed; free(). Errors: FileError (ENOENT: there is none), OutOfMemory */
int policy_read(const char *path, char **ret, size_t *ret_len, Error *err);

/** policy_load() - read a file. Errors: FileError, and those of policy_parse() */
int policy_load(const char *path, TrustPolicy **ret, Error *err);

/** policy_find() - the rule for a source: the most specific scope, else the transport's default, else the policy's. Errors: OutOfMemory */
int policy_find(const TrustPolicy *policy, const TrustSource *source, const TrustRule **ret, Error *err);

/** rule_name() - "docker registry.example/team", "default"; for messages; free() */
int rule_name(const TrustRule *rule, char **ret, Error *err);

/** rule_is_plain() - whether a rule accepts or rejects without looking at signatures */
bool rule_is_plain(const TrustRule *rule);
