#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trust/identity.h"

#define DIGEST "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER  "@sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void make(const char *text, TrustIdentity *ret) {
        _cleanup_json_ json_t *json = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(json_parse(text, strlen(text), "test", &json, &err), 0);
        if (trust_identity_parse(json, "test", ret, &err) < 0)
                fail_msg("%s: %s", text, err.text);
}

static void refuse(const char *text) {
        _cleanup_json_ json_t *json = NULL;
        TrustIdentity identity = { 0 };
        Error err = ERROR_INIT;

        assert_int_equal(json_parse(text, strlen(text), "test", &json, &err), 0);
        if (trust_identity_parse(json, "test", &identity, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
}

static void expect(const char *identity_text, const char *name_text, const char *signed_as, bool expected) {
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_(trust_identity_clear) TrustIdentity identity = { 0 };
        Error err = ERROR_INIT;
        int r;

        make(identity_text, &identity);
        if (name_text)
                assert_int_equal(reference_parse(name_text, &name, NULL), 0);
        r = trust_identity_match(&identity, name, signed_as, &err);
        if ((r == 0) != expected)
                fail_msg("%s: image %s, signature for %s: %s", identity_text, name_text ?: "without a name", signed_as,
                         r == 0 ? "accepted" : err.text);
        if (r < 0)
                assert_int_equal(err.kind, ERROR_SIGNATURE_REJECTED);
}

static void an_exact_name_is_compared_whole(void **state) {
        static const char *const exact = "{\"type\":\"matchExact\"}";

        expect(exact, "r.test/a:1", "r.test/a:1", true);
        expect(exact, "redis:7", "docker.io/library/redis:7", true);
        expect(exact, "r.test/a:1", "r.test/a:2", false);
        expect(exact, "r.test/a:1", "r.test/a", false);
        expect(exact, "r.test/a", "r.test/a", false);
        expect(exact, "r.test/a" DIGEST, "r.test/a" DIGEST, true);
        expect(exact, "r.test/a" DIGEST, "r.test/a" OTHER, false);
        expect(exact, "r.test/a" DIGEST, "r.test/a:1", false);
        expect(exact, "r.test/a:1", "r.test:5000/a:1", false);
        expect(exact, NULL, "r.test/a:1", false);
        expect(exact, "r.test/a:1", "", false);
        expect(exact, "r.test/a:1", "UPPER", false);
}

static void for_a_digest_the_repository_is_enough(void **state) {
        static const char *const identity = "{\"type\":\"matchRepoDigestOrExact\"}";

        expect(identity, "r.test/a:1", "r.test/a:1", true);
        expect(identity, "r.test/a:1", "r.test/a:2", false);
        expect(identity, "r.test/a:1", "r.test/a" DIGEST, false);
        expect(identity, "r.test/a" DIGEST, "r.test/a:1", true);
        expect(identity, "r.test/a" DIGEST, "r.test/a" OTHER, true);
        expect(identity, "r.test/a" DIGEST, "r.test/a", false);
        expect(identity, "r.test/a" DIGEST, "r.test/b:1", false);
        expect(identity, NULL, "r.test/a:1", false);
}

static void a_repository_takes_every_tag(void **state) {
        static const char *const identity = "{\"type\":\"matchRepository\"}";

        expect(identity, "r.test/a:1", "r.test/a:2", true);
        expect(identity, "r.test/a:1", "r.test/a", true);
        expect(identity, "r.test/a:1", "r.test/b:1", false);
        expect(identity, NULL, "r.test/a", false);
}

static void a_policy_may_name_what_is_signed(void **state) {
        expect("{\"type\":\"exactReference\",\"dockerReference\":\"o.test/x:1\"}", "r.test/a:9", "o.test/x:1", true);
        expect("{\"type\":\"exactReference\",\"dockerReference\":\"o.test/x:1\"}", NULL, "o.test/x:1", true);
        expect("{\"type\":\"exactReference\",\"dockerReference\":\"o.test/x:1\"}", "o.test/x:1", "o.test/x:2", false);
        expect("{\"type\":\"exactReference\",\"dockerReference\":\"o.test/x:latest\"}", "o.test/x", "o.test/x", false);
        expect("{\"type\":\"exactRepository\",\"dockerRepository\":\"o.test/x\"}", "r.test/a:9", "o.test/x:3", true);
        expect("{\"type\":\"exactRepository\",\"dockerRepository\":\"o.test/x\"}", "r.test/a:9", "o.test/x", true);
        expect("{\"type\":\"exactRepository\",\"dockerRepository\":\"o.test/x\"}", "r.test/a:9", "r.test/a:9", false);
        refuse("{\"type\":\"exactReference\",\"dockerReference\":\"o.test/x\"}");
        refuse("{\"type\":\"exactReference\"}");
        refuse("{\"type\":\"exactRepository\",\"dockerRepository\":\"UPPER\"}");
        refuse("{\"type\":\"exactRepository\",\"dockerReference\":\"o.test/x\"}");
        refuse("{\"type\":\"matchExact\",\"more\":1}");
        refuse("{\"type\":null}");
}

static void a_prefix_may_stand_for_another(void **state) {
        static const char *const mirror = "{\"type\":\"remapIdentity\",\"prefix\":\"mirror.test/vendor\",\"signedPrefix\":\"vendor.test\"}";

        expect(mirror, "mirror.test/vendor/a:1", "vendor.test/a:1", true);
        expect(mirror, "mirror.test/vendor/a:1", "mirror.test/vendor/a:1", false);
        expect(mirror, "mirror.test/vendor/a:1", "vendor.test/a:2", false);
        expect(mirror, "mirror.test/vendor/a" DIGEST, "vendor.test/a:2", true);
        expect(mirror, "mirror.test/vendors/a:1", "mirror.test/vendors/a:1", true);
        expect(mirror, "other.test/a:1", "other.test/a:1", true);
        expect("{\"type\":\"remapIdentity\",\"prefix\":\"m.test:5000\",\"signedPrefix\":\"vendor.test/a\"}", "m.test:5000/b:1",
               "vendor.test/a/b:1", true);
        expect("{\"type\":\"remapIdentity\",\"prefix\":\"m.test/a\",\"signedPrefix\":\"v.test/b\"}", "m.test/a:1", "v.test/b:1", true);
        refuse("{\"type\":\"remapIdentity\",\"prefix\":\"a b\",\"signedPrefix\":\"v.test\"}");
        refuse("{\"type\":\"remapIdentity\",\"prefix\":\"m.test/a:1\",\"signedPrefix\":\"v.test\"}");
        refuse("{\"type\":\"remapIdentity\",\"prefix\":\"m.test/\",\"signedPrefix\":\"v.test\"}");
        refuse("{\"type\":\"remapIdentity\",\"prefix\":\"m.test\"}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_exact_name_is_compared_whole), cmocka_unit_test(for_a_digest_the_repository_is_enough),
                cmocka_unit_test(a_repository_takes_every_tag),    cmocka_unit_test(a_policy_may_name_what_is_signed),
                cmocka_unit_test(a_prefix_may_stand_for_another),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
