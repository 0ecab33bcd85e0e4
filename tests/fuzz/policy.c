/* policy.json: refused with a reason, or every image has a rule with at least one requirement. */

#include "fuzz.h"
#include "trust/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "redis", "localhost:5000/a/b:1", "a.b.test/x", "[::1]:5000/a" };
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        Error err = ERROR_INIT;
        const TrustRule *rule;

        if (policy_parse((const char *) data, size, "fuzz", &policy, &err) < 0) {
                check_error(&err);
                return 0;
        }
        CHECK(policy->n >= 1 && !policy->rules[0].transport);
        for (size_t i = 0; i < policy->n; i++)
                CHECK(policy->rules[i].n > 0 && policy->rules[i].text);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(reference_freep) Reference *name = NULL;

                CHECK(reference_parse(names[i], &name, &err) == 0);
                CHECK(policy_find(policy, &(TrustSource) { .transport = "docker", .name = name }, &rule, &err) == 0);
                CHECK(rule->n > 0);
                for (size_t r = 0; r < rule->n; r++)
                        (void) trust_identity_match(&rule->requirements[r].identity, name, names[i], &err);
        }
        CHECK(policy_find(policy, &(TrustSource) { .transport = "oci", .path = "/srv/x" }, &rule, &err) == 0);
        CHECK(rule->n > 0);
        return 0;
}
