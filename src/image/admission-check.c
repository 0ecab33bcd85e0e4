/* Images that the store has, against the policy of today. */

#include <string.h>

#include "base/buf.h"
#include "image/admission.h"

typedef struct Check {
        Store *store;
        const Digest *manifest;
        const RegistryOptions *registry;
        TrustPolicy *policy;
        TrustRecord record;
} Check;

static void check_clear(Check *check) {
        policy_free(check->policy);
        trust_record_clear(&check->record);
}

void admitted_clear(Admitted *admitted) {
        trust_origin_clear(&admitted->origin);
        *admitted = (Admitted) { 0 };
}

/* Fetches the signatures again, and remembers what came of it. */
static int verify_anew(const Check *check, const char *name, const TrustSource *source, const TrustRule *rule, TrustOrigin *ret,
                       Error *err) {
        _cleanup_(trust_origin_clear) TrustOrigin origin = { 0 };
        _cleanup_verdict_ TrustVerdict verdict = { 0 };
        const bool plain = rule_is_plain(rule);
        const RegistryModule *module = NULL;
        Registry *registry = NULL;
        int r;

        if (!plain && check->registry && source->name) {
                module = registry_module(err);
                if (!module || module->open(check->registry, &registry, err) < 0)
                        return -1;
        }
        const TrustQuestion question = {
                .policy = check->policy,
                .source = *source,
                .manifest = check->manifest,
                .registry = registry,
        };
        r = trust_judge(&question, &verdict, err);
        if (registry)
                module->close(registry);
        if (r < 0 || trust_origin_make(name, source, check->policy, &verdict, &origin, err) < 0)
                return -1;
        /* What no signature was asked for is known without a record. */
        if (!plain && trust_record_add(check->store, check->manifest, &origin, err) < 0)
                return -1;
        *ret = origin;
        origin = (TrustOrigin) { 0 };
        return 0;
}

/* One remembered origin: as it was, while rule and keys are the same. */
static int check_origin(Check *check, TrustOrigin *origin, TrustOrigin *ret, Error *err) {
        _cleanup_(reference_freep) Reference *name = NULL;
        TrustSource source = { .transport = origin->transport, .path = origin->path };
        const TrustRule *rule;
        bool holds = false;

        if (origin->reference && reference_parse(origin->reference, &name, err) < 0)
                return -1;
        source.name = name;
        if (policy_find(check->policy, &source, &rule, err) < 0 ||
            (!rule_is_plain(rule) && trust_origin_holds(origin, rule, &holds, err) < 0))
                return -1;
        if (!holds)
                return verify_anew(check, origin->name, &source, rule, ret, err);
        *ret = *origin;
        *origin = (TrustOrigin) { 0 };
        return 0;
}

/* The registry's image that a name means; NULL: it means none. */
static Reference *named(const char *name) {
        Reference *reference;

        return name && !reference_is_short(name) && reference_parse(name, &reference, NULL) == 0 ? reference : NULL;
}

/* Nothing is remembered: what the name says. */
static int check_name(const Check *check, const char *name, TrustOrigin *ret, Error *err) {
        TrustSource source = { .transport = "oci", .path = store_path(check->store) };
        _cleanup_(reference_freep) Reference *reference = named(name);
        const TrustRule *rule;

        if (reference)
                source = (TrustSource) { .transport = "docker", .name = reference };
        return policy_find(check->policy, &source, &rule, err) < 0 ? -1 : verify_anew(check, name, &source, rule, ret, err);
}

static bool has_name(const TrustOrigin *origin, const char *name) {
        return name && origin->name && !strcmp(origin->name, name);
}

/* The newest of those that have the name; of those of any other name when none has it: an image may have got a further name since. */
static int check_all(Check *check, const char *name, TrustOrigin *ret, Error *err) {
        Error first = ERROR_INIT;
        bool named = false;

        if (check->record.n == 0)
                return check_name(check, name, ret, err);
        for (size_t i = 0; i < check->record.n && !named; i++)
                named = has_name(&check->record.items[i], name);
        for (size_t i = check->record.n; i-- > 0;) {
                Error cause = ERROR_INIT;

                if (named && !has_name(&check->record.items[i], name))
                        continue;
                if (check_origin(check, &check->record.items[i], ret, &cause) == 0)
                        return 0;
                if (first.kind == ERROR_NONE)
                        first = cause;
        }
        if (err)
                *err = first;
        return -1;
}

int admission_check(Store *store, const char *option, const char *name, const Digest *manifest, const RegistryOptions *registry,
                    Admitted *ret, Error *err) {
        _cleanup_(check_clear) Check check = { .store = store, .manifest = manifest, .registry = registry };
        _cleanup_(trust_origin_clear) TrustOrigin origin = { 0 };
        _cleanup_free_ char *path = NULL;

        if (policy_path(option, &path, err) < 0)
                return -1;
        if (!path) {
                if (ret)
                        *ret = (Admitted) { 0 };
                return 0;
        }
        if (policy_load(path, &check.policy, err) < 0 || trust_record_load(store, manifest, &check.record, err) < 0)
                return -1;
        if (check_all(&check, name, &origin, err) < 0)
                return error_prefix(err, "signature policy");
        if (ret) {
                *ret = (Admitted) { .judged = true, .origin = origin };
                origin = (TrustOrigin) { 0 };
        }
        return 0;
}

int admission_origin(Store *store, const char *name, const Digest *manifest, char **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_trust_record_ TrustRecord record = { 0 };
        const char *found = NULL;
        bool is_named = false;

        if (trust_record_load(store, manifest, &record, err) < 0)
                return -1;
        if (record.n == 0 && (reference = named(name)))
                return reference_format(reference, ret, err);
        /* The newest of those that have the name, else the newest. */
        for (size_t i = 0; i < record.n; i++) {
                const bool better = has_name(&record.items[i], name);

                if (record.items[i].reference && (better || !is_named)) {
                        found = record.items[i].reference;
                        is_named = better;
                }
        }
        return string_copy(found, ret, err);
}
