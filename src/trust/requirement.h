#pragma once

/* One requirement of policy.json, and what reading the whole file shares with it. */

#include "trust/policy.h"

/** json_check_keys() - that an object has no keys but these, none of them null. Errors: InvalidConfig */
int json_check_keys(const json_t *object, const char *const *allowed, const char *where, Error *err);

/** One value of "type", and the keys that an object of that type may have; NULL-terminated */
typedef struct TrustType {
        const char *name;
        const char *keys[16];
} TrustType;

/** trust_type_parse() - which of the types an object is of; its keys are checked. @ret: an index. Errors: InvalidConfig */
int trust_type_parse(const json_t *json, const TrustType *types, size_t n, const char *where, size_t *ret, Error *err);

/** requirement_parse() - Errors: InvalidConfig, OutOfMemory; requirement_clear() */
int requirement_parse(const json_t *json, const char *where, TrustRequirement *ret, Error *err);
void requirement_clear(TrustRequirement *requirement);

/** key_source_is_data() - whether a key's name says that keys in base64 are under it, rather than their paths */
bool key_source_is_data(const char *key);

/** key_source_take() - append what is under a key: one text, or 1 to POLICY_KEYS_MAX of them where its name is a plural. Errors: InvalidConfig, OutOfMemory */
int key_source_take(const json_t *json, const char *key, const char *where, char ***ret, Error *err);

/**
 * sigstore_beyond() - what a sigstoreSigned requirement names beside or instead of keys, none of which is checked here
 * @ret_key:     set to the last such key, when there is one; not to be freed
 * @ret_sources: made larger by one for each that stands for a key
 *
 * Errors: InvalidConfig, OutOfMemory
 */
int sigstore_beyond(const json_t *json, const char *where, const char **ret_key, unsigned *ret_sources, Error *err);

/** scope_check() - that a scope can mean something for its transport; one of a transport that is not known here is left alone. Errors: InvalidConfig */
int scope_check(const char *transport, const char *scope, const char *where, Error *err);
