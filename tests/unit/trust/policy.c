#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "trust/policy.h"

#define ACCEPT "{\"type\":\"insecureAcceptAnything\"}"
#define FULCIO "{\"caPath\":\"/c\",\"oidcIssuer\":\"https://i.test\",\"subjectEmail\":\"a@b.test\"}"
#define PKI    "{\"caRootsData\":\"aGk=\",\"caIntermediatesPath\":\"/i\",\"subjectEmail\":\"a@b.test\",\"subjectHostname\":\"b.test\"}"
#define REJECT "{\"type\":\"reject\"}"

static void check_refused(const char *text, const char *why) {
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        Error err = ERROR_INIT;

        if (policy_parse(text, strlen(text), "p", &policy, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_null(policy);
        if (!strstr(err.text, why))
                fail_msg("%s: %s", text, err.text);
        assert_true(err.kind == ERROR_INVALID_CONFIG || err.kind == ERROR_INVALID_JSON);
}

static TrustPolicy *parse(const char *text) {
        TrustPolicy *policy = NULL;
        Error err = ERROR_INIT;

        if (policy_parse(text, strlen(text), "p", &policy, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        return policy;
}

static void check_requirement(const char *requirement) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(string_format(&text, NULL, "{\"default\":[" ACCEPT "],\"transports\":{\"docker\":{\"x.test\":[%s]}}}",
                                       requirement),
                         0);
        policy_free(parse(text));
}

static void refuse_requirement(const char *requirement, const char *why) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(string_format(&text, NULL, "{\"default\":[" ACCEPT "],\"transports\":{\"docker\":{\"x.test\":[%s]}}}",
                                       requirement),
                         0);
        check_refused(text, why);
}

static void a_file_is_taken_whole_or_not_at_all(void **state) {
        check_refused("", "");
        check_refused("[]", "not an object");
        check_refused("{}", "'default' is missing");
        check_refused("{\"default\":[]}", "no requirement");
        check_refused("{\"default\":null}", "null");
        check_refused("{\"default\":{}}", "not an array");
        check_refused("{\"default\":[" ACCEPT "],\"default\":[" REJECT "]}", "duplicate");
        check_refused("{\"default\":[" ACCEPT "],\"more\":1}", "unknown key 'more'");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":null}", "null");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":[]}", "not an object");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":{\"docker\":[]}}", "not an object");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":{\"docker\":{\"a\":[" ACCEPT "],\"a\":[" REJECT "]}}}", "duplicate");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":{\"docker\":{\"a\":[" ACCEPT "]},\"docker\":{}}}", "duplicate");
        check_refused("{\"default\":[" ACCEPT "],\"transports\":{\"docker\":{\"a\":[]}}}", "transports.docker.\"a\": no requirement");
        check_refused("{\"default\":[" ACCEPT "]} {}", "");
        policy_free(parse("{\"default\":[" ACCEPT "," REJECT "],"
                          "\"transports\":{\"docker-daemon\":{\"\":[" ACCEPT "]},\"new\":{\"x\":[" REJECT "]}}}"));
}

static void requirements_have_their_own_keys_and_no_others(void **state) {
        check_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}");
        check_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"/k\",\"/l\"]}");
        check_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"aGk=\"}");
        check_requirement("{\"type\":\"signedBy\",\"keyType\":\"X509Certificates\",\"keyData\":\"aGk=\"}");
        check_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"matchRepository\"}}");
        check_requirement("{\"type\":\"sigstoreSigned\",\"keyDatas\":[\"aGk=\"]}");
        check_requirement("{\"type\":\"sigstoreSigned\",\"fulcio\":" FULCIO ",\"rekorPublicKeyPath\":\"/r\"}");
        check_requirement("{\"type\":\"sigstoreSigned\",\"pki\":" PKI "}");
        check_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"rekorPublicKeyDatas\":[\"aGk=\"]}");
        refuse_requirement("1", "not an object");
        refuse_requirement("{}", "'type' is missing");
        refuse_requirement("{\"type\":1}", "'type' is not a string");
        refuse_requirement("{\"type\":\"accept\"}", "unknown type 'accept'");
        refuse_requirement("{\"type\":\"reject\",\"keyPath\":\"/k\"}", "unknown key 'keyPath'");
        refuse_requirement("{\"type\":\"signedBy\",\"keyPath\":\"/k\"}", "'keyType' is missing");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"PGP\",\"keyPath\":\"/k\"}", "unknown keyType 'PGP'");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}", "exactly one");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\",\"keyData\":\"aGk=\"}", "exactly one");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"\"}", "empty");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[]}", "0 entries");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[1]}", "not a string");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":\"/k\"}", "not an array");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":[\"/k\"]}", "not a string");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"!\"}", "base64");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\",\"fulcio\":{}}", "unknown key 'fulcio'");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"pki\":" PKI "}", "exactly one");
        refuse_requirement("{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"aGk\"}", "base64");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"keyType\":\"GPGKeys\"}", "unknown key 'keyType'");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"rekorPublicKeyPath\":1}", "not a string");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":null}", "null");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"any\"}}", "unknown type 'any'");
        refuse_requirement("{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"matchExact\",\"prefix\":\"a\"}}",
                           "unknown key 'prefix'");
}

static void what_is_not_checked_is_read_as_strictly(void **state) {
        static const char *const wrong[][2] = {
                { "\"fulcio\":" FULCIO, "no 'rekorPublicKeyPath'" },
                { "\"fulcio\":1,\"rekorPublicKeyPath\":\"/r\"", "not an object" },
                { "\"fulcio\":{},\"rekorPublicKeyPath\":\"/r\"", "no 'caPath' or the like" },
                { "\"fulcio\":{\"caPath\":\"/c\",\"subjectEmail\":\"a\"},\"rekorPublicKeyPath\":\"/r\"", "no 'oidcIssuer'" },
                { "\"fulcio\":{\"caPath\":\"/c\",\"x\":1},\"rekorPublicKeyPath\":\"/r\"", "unknown key 'x'" },
                { "\"fulcio\":{\"caPath\":\"/c\",\"caData\":\"aGk=\"},\"rekorPublicKeyPath\":\"/r\"", "more than one" },
                { "\"fulcio\":{\"caPath\":null,\"oidcIssuer\":\"i\",\"subjectEmail\":\"a\"},\"rekorPublicKeyPath\":\"/r\"", "null" },
                { "\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/r\",\"rekorPublicKeyData\":\"aGk=\"", "more than one" },
                { "\"keyPath\":\"/k\",\"rekorPublicKeyPaths\":[]", "0 entries" },
                { "\"keyPath\":\"/k\",\"rekorPublicKeyData\":\"!\"", "base64" },
                { "\"pki\":{}", "no 'caRootsPath' or the like" },
                { "\"pki\":{\"caRootsPath\":\"/c\"}", "no 'subjectEmail' or the like" },
                { "\"pki\":{\"caRootsPath\":1,\"subjectEmail\":\"a\"}", "not a string" },
                { "\"pki\":{\"caRootsPath\":\"/c\",\"subjectEmail\":\"a\",\"oidcIssuer\":\"i\"}", "unknown key 'oidcIssuer'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_free_ char *text = NULL;

                assert_int_equal(string_format(&text, NULL, "{\"type\":\"sigstoreSigned\",%s}", wrong[i][0]), 0);
                refuse_requirement(text, wrong[i][1]);
        }
}

static void scopes_of_paths_are_canonical(void **state) {
        static const char *const wrong[] = { "x", "/", "/x/", "/x//y", "/x/./y", "/x/..", "/." };

        policy_free(parse("{\"default\":[" ACCEPT "],\"transports\":{\"oci\":{\"/x\":[" REJECT "],\"/x/.y\":[" REJECT "]}}}"));
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                for (int t = 0; t < 3; t++) {
                        _cleanup_free_ char *text = NULL;

                        assert_int_equal(string_format(&text, NULL,
                                                       "{\"default\":[" ACCEPT "],\"transports\":{\"%s\":{\"%s\":[" REJECT "]}}}",
                                                       (const char *[]) { "dir", "oci", "oci-archive" }[t], wrong[i]),
                                         0);
                        check_refused(text, "a scope has to be");
                }
        check_refused("{\"default\":[" ACCEPT "],\"transports\":{\"docker-archive\":{\"/x\":[" REJECT "]}}}", "a scope has to be empty");
}

/* Which scope's rule an image gets: the scope that is found, as rule_name() says it. */
static void check_scope(const TrustPolicy *policy, const char *transport, const char *text, const char *expected) {
        _cleanup_(reference_freep) Reference *name = NULL;
        TrustSource source = { .transport = transport };
        _cleanup_free_ char *found = NULL;
        const TrustRule *rule;

        if (text && text[0] == '/')
                source.path = text;
        else if (text) {
                assert_int_equal(reference_parse(text, &name, NULL), 0);
                source.name = name;
        }
        assert_int_equal(policy_find(policy, &source, &rule, NULL), 0);
        assert_int_equal(rule_name(rule, &found, NULL), 0);
        assert_string_equal(found, expected);
}

static void the_most_specific_scope_decides(void **state) {
        _cleanup_(policy_freep) TrustPolicy *policy = parse(
                "{\"default\":[" REJECT "],\"transports\":{"
                "\"docker\":{\"\":[" REJECT "],\"r.test:5000\":[" REJECT "],\"r.test:5000/a\":[" REJECT "],\"r.test:5000/a/b\":[" REJECT
                "],\"r.test:5000/a/b:1\":[" REJECT "],"
                "\"docker.io/library/redis\":[" REJECT "],\"*.test\":[" REJECT "],\"*.b.test\":[" REJECT
                "],\"a.b.test\":[" REJECT "]},"
                "\"oci\":{\"/srv\":[" REJECT "],\"/srv/x/y\":[" REJECT "]},\"docker-archive\":{\"\":[" REJECT "]}}}");

        check_scope(policy, "docker", "r.test:5000/a/b:1", "docker r.test:5000/a/b:1");
        check_scope(policy, "docker", "r.test:5000/a/b:2", "docker r.test:5000/a/b");
        check_scope(policy, "docker", "r.test:5000/a/bb", "docker r.test:5000/a");
        check_scope(policy, "docker", "r.test:5000/aa", "docker r.test:5000");
        check_scope(policy, "docker", "r.test:500/a", "docker *.test");
        check_scope(policy, "docker", "redis", "docker docker.io/library/redis");
        check_scope(policy, "docker", "redis2", "docker");
        check_scope(policy, "docker", "a.b.test/x", "docker a.b.test");
        check_scope(policy, "docker", "c.b.test:1/x", "docker *.b.test");
        check_scope(policy, "docker", "b.test/x", "docker *.test");
        check_scope(policy, "docker", "r.test.other/x", "docker");
        check_scope(policy, "oci", "/srv/x/y", "oci /srv/x/y");
        check_scope(policy, "oci", "/srv/x/y/z", "oci /srv/x/y");
        check_scope(policy, "oci", "/srv/x/yy", "oci /srv");
        check_scope(policy, "oci", "/srvx", "default");
        check_scope(policy, "docker-archive", "/srv", "docker-archive");
        check_scope(policy, "dir", "/srv", "default");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_is_taken_whole_or_not_at_all),
                cmocka_unit_test(requirements_have_their_own_keys_and_no_others),
                cmocka_unit_test(what_is_not_checked_is_read_as_strictly),
                cmocka_unit_test(scopes_of_paths_are_canonical),
                cmocka_unit_test(the_most_specific_scope_decides),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
