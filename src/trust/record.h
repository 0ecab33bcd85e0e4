#pragma once

/*
 * images/HEX.trust: where an image of the store came from, and by which rule and whose signatures it was let in. One entry for each name and
 * source. What it says holds as long as the rule's text and its keys are the same, byte by byte; nothing has to be hashed to see that.
 */

#include "store/store.h"
#include "trust/verdict.h"

#define TRUST_ORIGINS_MAX 16          /* of one image: the oldest go; this program's own cap */
#define TRUST_RECORD_MAX  (16u << 20) /* bytes; keys are in it */

typedef struct TrustOrigin {
        char *name;      /* in the store; NULL: none */
        char *transport;
        char *path;      /* of a layout, an archive or a directory; else NULL */
        char *reference; /* of docker; else NULL */
        char *rule;      /* its requirements' text */
        char *rule_name; /* for people: scope and policy file */
        char *policy;
        char **keys;     /* base64 */
        TrustSigner *signers;
        size_t n_signers;
} TrustOrigin;

typedef struct TrustRecord {
        TrustOrigin *items;
        size_t n;
} TrustRecord;

void trust_origin_clear(TrustOrigin *origin);
void trust_record_clear(TrustRecord *record);
#define _cleanup_trust_record_ _cleanup_(trust_record_clear)

/** trust_origin_make() - what is to be remembered of a verdict. Errors: OutOfMemory */
int trust_origin_make(const char *name, const TrustSource *source, const TrustPolicy *policy, const TrustVerdict *verdict, TrustOrigin *ret,
                      Error *err);

/** trust_record_load() - empty when nothing is known, or the record is damaged. Errors: FileError, OutOfMemory */
int trust_record_load(Store *store, const Digest *manifest, TrustRecord *ret, Error *err);

/** trust_record_add() - remember one, in place of an earlier one of the same name and source. Errors: FileError, OutOfMemory */
int trust_record_add(Store *store, const Digest *manifest, const TrustOrigin *origin, Error *err);

/** trust_origin_holds() - whether a rule with its keys as they are now is the one that an image was let in by. Errors: FileError, InvalidConfig */
int trust_origin_holds(const TrustOrigin *origin, const TrustRule *rule, bool *ret, Error *err);
