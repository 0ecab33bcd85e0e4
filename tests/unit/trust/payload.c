/* What is signed: nothing of it may be missing, doubled, or of another type; nothing unknown may stand beside what is critical. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "trust/payload.h"

#define HEX      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE    "\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"}"
#define IDENTITY "\"identity\":{\"docker-reference\":\"r.example/a:1\"}"
#define TYPE     "\"type\":\"atomic container signature\""
#define CRITICAL "\"critical\":{" TYPE "," IMAGE "," IDENTITY "}"

static void what_is_made_is_read_as_it_was_meant(void **state) {
        Digest digest;

        digest_from_hex(HEX, &digest);
        for (SignatureKind kind = SIGNATURE_SIMPLE; kind <= SIGNATURE_SIGSTORE; kind++) {
                _cleanup_claim_ TrustClaim claim = { 0 };
                TrustClaim other = { 0 };
                char *text;

                assert_int_equal(payload_make(kind, &digest, "r.example/a:1", &text, NULL), 0);
                assert_int_equal(payload_parse(kind, text, strlen(text), &claim, NULL), 0);
                assert_string_equal(claim.manifest_digest, "sha256:" HEX);
                assert_string_equal(claim.docker_reference, "r.example/a:1");
                assert_true(claim.timestamp > 1600000000);
                assert_null(claim.signer);
                /* One kind is never taken for the other. */
                assert_int_equal(payload_parse(!kind, text, strlen(text), &other, NULL), -1);
                free(text);
        }
}

static void only_the_exact_form_is_read(void **state) {
        static const struct {
                bool good;
                const char *text;
        } cases[] = {
                { true, "{" CRITICAL ",\"optional\":{}}" },
                { true, "{" CRITICAL ",\"optional\":{\"more\":[1,{\"a\":null}],\"creator\":\"x\",\"timestamp\":7}}" },
                { true, "{" CRITICAL ",\"optional\":{\"timestamp\":7.0}}" },
                { false, "" },
                { false, "[]" },
                { false, "{" CRITICAL "}" },
                { false, "{" CRITICAL ",\"optional\":null}" },
                { false, "{" CRITICAL ",\"optional\":[]}" },
                { false, "{" CRITICAL ",\"optional\":{}} x" },
                { false, "{" CRITICAL ",\"optional\":{}}{}" },
                { false, "{" CRITICAL ",\"optional\":{},\"other\":1}" },
                { false, "{" CRITICAL ",\"optional\":{},\"optional\":{}}" },
                { false, "{" CRITICAL ",\"optional\":{\"timestamp\":7.5}}" },
                { false, "{" CRITICAL ",\"optional\":{\"timestamp\":\"7\"}}" },
                { false, "{" CRITICAL ",\"optional\":{\"creator\":7}}" },
                { false, "{\"optional\":{}}" },
                { false, "{\"Critical\":{" TYPE "," IMAGE "," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE "," IMAGE "},\"optional\":{}}" },
                { false, "{\"critical\":{" IMAGE "," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE "," IMAGE "," IDENTITY ",\"x\":1},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE "," IMAGE "," IMAGE "," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{\"type\":\"other\"," IMAGE "," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE ",\"image\":{}," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":\"sha256:../x\"}," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":7}," IDENTITY "},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE "," IMAGE ",\"identity\":{\"docker-reference\":7}},\"optional\":{}}" },
                { false, "{\"critical\":{" TYPE "," IMAGE ",\"identity\":{\"docker-reference\":\"a\",\"x\":\"\"}},\"optional\":{}}" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_claim_ TrustClaim claim = { 0 };
                Error err = ERROR_INIT;
                int r = payload_parse(SIGNATURE_SIMPLE, cases[i].text, strlen(cases[i].text), &claim, &err);

                if ((r == 0) != cases[i].good)
                        fail_msg("%s: %s", cases[i].text, r < 0 ? err.text : "was taken");
                if (r < 0)
                        assert_int_equal(err.kind, ERROR_SIGNATURE_REJECTED);
        }
}

static void cosign_may_have_nothing_optional_to_say(void **state) {
        static const char text[] =
                "{\"critical\":{\"identity\":{\"docker-reference\":\"\"}," IMAGE ","
                "\"type\":\"cosign container image signature\"},\"optional\":null}";
        _cleanup_claim_ TrustClaim claim = { 0 };

        assert_int_equal(payload_parse(SIGNATURE_SIGSTORE, text, strlen(text), &claim, NULL), 0);
        assert_string_equal(claim.docker_reference, "");
        assert_int_equal(claim.timestamp, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_made_is_read_as_it_was_meant),
                cmocka_unit_test(only_the_exact_form_is_read),
                cmocka_unit_test(cosign_may_have_nothing_optional_to_say),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
