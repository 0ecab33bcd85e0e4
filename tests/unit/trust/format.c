/* Files of a lookaside, told apart by their first bytes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trust/format.h"

static const char sigstore[] = "\0sigstore-json\n{\"mimeType\":\"" SIGSTORE_PAYLOAD_TYPE "\",\"payload\":\"e30=\",\"annotations\":"
                               "{\"" SIGSTORE_SIGNATURE_ANNOTATION "\":\"c2ln\"}}";
static const char attestation[] =
        "\0sigstore-json\n{\"mimeType\":\"application/vnd.dsse.envelope.v1+json\",\"payload\":\"e30=\",\"annotations\":{}}";

static void each_format_is_known(void **state) {
        static const char *const openpgp[] = { "\xa3\x01", "\x90\x0d", "\x88\x75", "\xc4\x0d", "\xc8\x01", "\xc2\x01" };
        _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
        bool is;

        for (size_t i = 0; i < ARRAY_SIZE(openpgp); i++) {
                assert_int_equal(trust_signature_parse(openpgp[i], 2, "x", &signature, &is, NULL), 0);
                assert_true(is && signature.kind == SIGNATURE_SIMPLE && signature.len == 2);
                trust_signature_clear(&signature);
        }
        assert_int_equal(trust_signature_parse("\0simple-signing\nabc", 19, "x", &signature, &is, NULL), 0);
        assert_true(is && signature.kind == SIGNATURE_SIMPLE && signature.len == 3 && !memcmp(signature.data, "abc", 3));
        trust_signature_clear(&signature);

        assert_int_equal(trust_signature_parse(sigstore, sizeof(sigstore) - 1, "x", &signature, &is, NULL), 0);
        assert_true(is && signature.kind == SIGNATURE_SIGSTORE && signature.len == 2 && !memcmp(signature.data, "{}", 2));
        assert_string_equal(signature.base64_signature, "c2ln");
        trust_signature_clear(&signature);

        assert_int_equal(trust_signature_parse(attestation, sizeof(attestation) - 1, "x", &signature, &is, NULL), 0);
        assert_false(is);
}

static void what_is_none_is_rejected(void **state) {
        static const struct {
                const char *data;
                size_t len;
        } cases[] = { { "", 0 }, { "\0", 1 }, { "\0simple-signing", 15 }, { "\0other\nx", 8 }, { "<html>", 6 }, { "\x99\x01", 2 },
                      { "\0sigstore-json\n{}", 17 }, { "\0sigstore-json\n[", 16 } };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                TrustSignature signature;
                Error err = ERROR_INIT;
                bool is;

                assert_int_equal(trust_signature_parse(cases[i].data, cases[i].len, "x", &signature, &is, &err), -1);
                assert_int_equal(err.kind, ERROR_SIGNATURE_REJECTED);
        }
}

static void there_is_an_end_to_their_number(void **state) {
        _cleanup_signatures_ TrustSignatures all = { 0 };
        TrustSignature one;
        Error err = ERROR_INIT;

        for (size_t i = 0; i < TRUST_SIGNATURES_MAX; i++) {
                assert_int_equal(trust_signature_set(SIGNATURE_SIMPLE, "x", 1, NULL, "here", &one, NULL), 0);
                assert_int_equal(trust_signatures_add(&all, &one, NULL), 0);
        }
        assert_int_equal(trust_signature_set(SIGNATURE_SIMPLE, "x", 1, NULL, "here", &one, NULL), 0);
        assert_int_equal(trust_signatures_add(&all, &one, &err), -1);
        assert_int_equal(err.kind, ERROR_SIGNATURE_REJECTED);
        trust_signature_clear(&one);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_format_is_known),
                cmocka_unit_test(what_is_none_is_rejected),
                cmocka_unit_test(there_is_an_end_to_their_number),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
