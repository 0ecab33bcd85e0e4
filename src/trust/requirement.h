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

/** scope_check() - that a scope can mean something for its transport; one of a transport that is not known here is left alone. Errors: InvalidConfig */
int scope_check(const char *transport, const char *scope, const char *where, Error *err);
