#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "trust/record.h"
#include "trust/verdict.h"

#define FULCIO "{\"caPath\":\"/c\",\"oidcIssuer\":\"i\",\"subjectEmail\":\"a\"}"
#define HEX   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/*
 * Signatures in words, for the rules of the verdict alone: "KEY REFERENCE DIGEST". Real ones are verified by the module's own tests and by
 * those that run the program.
 */
static const char *const *found;

static int fetch(const FetchRequest *request, TrustSignatures *ret, Error *err) {
        size_t n = 0;

        while (found[n])
                n++;
        *ret = (TrustSignatures) { .items = calloc(n + 1, sizeof(*ret->items)), .n = n };
        for (size_t i = 0; i < n; i++)
                ret->items[i] = (TrustSignature) {
                        .kind = found[i][0] == 'c' ? SIGNATURE_SIGSTORE : SIGNATURE_SIMPLE,
                        .data = (uint8_t *) strdup(found[i]),
                        .len = strlen(found[i]),
                };
        return 0;
}

static int verify(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err) {
        char key[32], reference[128], digest[128];

        assert_int_equal(sscanf((const char *) signature->data, "%31s %127s %127s", key, reference, digest), 3);
        for (size_t i = 0; i < keys->n; i++)
                if (!strcmp(keys->items[i].data, key)) {
                        *ret = (TrustClaim) {
                                .docker_reference = strdup(reference),
                                .manifest_digest = strdup(digest),
                                .signer = strdup(key),
                        };
                        return 0;
                }
        return error_set(err, ERROR_SIGNATURE_REJECTED, "by a key that is not known");
}

static const TrustModule module = { .simple_verify = verify, .sigstore_verify = verify, .fetch = fetch };

/* @requirements: of everything by docker. Returns the kind of the error. "Z2E=" is "ga", "Z2I=" "gb", "Y2E=" "ca". */
static ErrorKind judge(const char *requirements, const char *const *signatures, bool fetchable, size_t *ret_signers) {
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        _cleanup_verdict_ TrustVerdict verdict = { 0 };
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;
        Digest manifest;
        int registry; /* only ever passed on */

        digest_from_hex(HEX, &manifest);
        assert_int_equal(string_format(&text, NULL,
                                       "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"transports\":{\"docker\":{\"\":[%s]}}}",
                                       requirements),
                         0);
        if (policy_parse(text, strlen(text), "p", &policy, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(reference_parse("r.test/a:1", &name, NULL), 0);
        found = signatures;
        const TrustQuestion question = {
                .policy = policy,
                .source = { .transport = "docker", .name = name },
                .manifest = &manifest,
                .registry = fetchable ? (Registry *) &registry : NULL,
                .module = &module,
        };
        *ret_signers = 0;
        if (trust_judge(&question, &verdict, &err) == 0)
                *ret_signers = verdict.n_signers;
        return err.kind;
}

#define ACCEPT    "{\"type\":\"insecureAcceptAnything\"}"
#define REJECT    "{\"type\":\"reject\"}"
#define GPG(data) "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"" data "\"}"
#define COSIGN    "{\"type\":\"sigstoreSigned\",\"keyData\":\"Y2E=\",\"signedIdentity\":{\"type\":\"matchRepository\"}}"

static void every_requirement_has_to_be_met_by_a_signature_of_its_own_kind(void **state) {
        static const struct {
                const char *requirements;
                const char *signatures[4];
                ErrorKind kind;
                size_t signers;
        } rows[] = {
                { ACCEPT, { NULL }, ERROR_NONE, 0 },
                { REJECT, { NULL }, ERROR_SIGNATURE_REJECTED, 0 },
                { ACCEPT "," REJECT, { NULL }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "ga r.test/a:1 sha256:" HEX }, ERROR_NONE, 1 },
                { GPG("Z2E="), { NULL }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "gb r.test/a:1 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "gb r.test/a:1 sha256:" HEX, "ga r.test/a:1 sha256:" HEX }, ERROR_NONE, 1 },
                { GPG("Z2E="), { "ga r.test/a:1 sha256:" OTHER }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "ga r.test/a:2 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "ga r.test/b:1 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E="), { "ca r.test/a sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { COSIGN, { "ca r.test/a sha256:" HEX }, ERROR_NONE, 1 },
                { COSIGN, { "ga r.test/a:1 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E=") "," GPG("Z2I="), { "ga r.test/a:1 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { GPG("Z2E=") "," GPG("Z2I="), { "ga r.test/a:1 sha256:" HEX, "gb r.test/a:1 sha256:" HEX }, ERROR_NONE, 2 },
                { GPG("Z2E=") "," COSIGN, { "ga r.test/a:1 sha256:" HEX, "ca r.test/a sha256:" HEX }, ERROR_NONE, 2 },
                { GPG("Z2E=") "," REJECT, { "ga r.test/a:1 sha256:" HEX }, ERROR_SIGNATURE_REJECTED, 0 },
                { "{\"type\":\"sigstoreSigned\",\"rekorPublicKeyPath\":\"/r\",\"fulcio\":" FULCIO "}", { "ca r.test/a sha256:" HEX },
                  ERROR_NOT_SUPPORTED, 0 },
                { "{\"type\":\"sigstoreSigned\",\"keyData\":\"Y2E=\",\"rekorPublicKeyPath\":\"/r\"}", { NULL }, ERROR_NOT_SUPPORTED, 0 },
                { "{\"type\":\"sigstoreSigned\",\"keyPath\":\"/not/there\"}", { NULL }, ERROR_FILE, 0 },
        };
        size_t signers;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const ErrorKind kind = judge(rows[i].requirements, rows[i].signatures, true, &signers);

                if (kind != rows[i].kind || signers != rows[i].signers)
                        fail_msg("row %zu: %s, %zu signers", i, error_kind_name(kind), signers);
        }
}

static void what_has_no_signatures_meets_no_requirement_of_one(void **state) {
        size_t signers;

        assert_int_equal(judge(GPG("Z2E="), (const char *const[]) { "ga r.test/a:1 sha256:" HEX, NULL }, false, &signers),
                         ERROR_SIGNATURE_REJECTED);
        assert_int_equal(judge(ACCEPT, (const char *const[]) { NULL }, false, &signers), ERROR_NONE);
}

static void what_is_remembered_holds_until_rule_or_keys_change(void **state) {
        static const char text[] = "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"}]}";
        char key[] = "/tmp/trust-verdict.XXXXXX";
        _cleanup_(policy_freep) TrustPolicy *policy = NULL, *other = NULL;
        _cleanup_(trust_origin_clear) TrustOrigin origin = { 0 };
        _cleanup_free_ char *json = NULL;
        TrustVerdict verdict = { 0 };
        bool holds;
        const int fd = mkstemp(key);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "one", 3), 3);
        assert_int_equal(asprintf(&json, "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"}]}", key) > 0, 1);
        assert_int_equal(policy_parse(json, strlen(json), "p", &policy, NULL), 0);
        assert_int_equal(policy_parse(text, strlen(text), "p", &other, NULL), 0);
        verdict.rule = &policy->rules[0];
        assert_int_equal(rule_keys(verdict.rule, &verdict.keys, NULL), 0);
        assert_int_equal(trust_origin_make("n", &(TrustSource) { .transport = "docker" }, policy, &verdict, &origin, NULL), 0);
        trust_keys_clear(&verdict.keys);

        assert_int_equal(trust_origin_holds(&origin, verdict.rule, &holds, NULL), 0);
        assert_true(holds);
        assert_int_equal(trust_origin_holds(&origin, &other->rules[0], &holds, NULL), 0);
        assert_false(holds);
        assert_int_equal(write(fd, "two", 3), 3);
        assert_int_equal(trust_origin_holds(&origin, verdict.rule, &holds, NULL), 0);
        assert_false(holds);
        close(fd);
        unlink(key);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_requirement_has_to_be_met_by_a_signature_of_its_own_kind),
                cmocka_unit_test(what_has_no_signatures_meets_no_requirement_of_one),
                cmocka_unit_test(what_is_remembered_holds_until_rule_or_keys_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
