/* cosign's signatures, with keys that OpenSSL's program made: what it signs is good, what was changed is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/process.h"
#include "trust/payload.h"
#include "trust/sigstore.h"
#include "cosign-key.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct Pair {
        char *private_key, *public_key;
        size_t private_len, public_len;
} Pair;

static void run_program(const char *const *argv) {
        const Spawn spawn = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
        Error err = ERROR_INIT;
        int status;
        pid_t pid;

        if (process_spawn(&spawn, &pid, NULL, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(status, 0);
}

static void make_pair(const Scratch *scratch, const char *algorithm, const char *option, Pair *ret) {
        char private_path[128], public_path[128];

        snprintf(private_path, sizeof(private_path), "%s/key.pem", scratch->path);
        snprintf(public_path, sizeof(public_path), "%s/pub.pem", scratch->path);
        run_program((const char *const[]) { "openssl", "genpkey", "-algorithm", algorithm, "-out", private_path, option ? "-pkeyopt" : NULL,
                                               option, NULL });
        run_program((const char *const[]) { "openssl", "pkey", "-in", private_path, "-pubout", "-out", public_path, NULL });
        assert_int_equal(file_read_at(AT_FDCWD, private_path, 65536, &ret->private_key, &ret->private_len, NULL), 0);
        assert_int_equal(file_read_at(AT_FDCWD, public_path, 65536, &ret->public_key, &ret->public_len, NULL), 0);
}

static void pair_clear(Pair *pair) {
        free(pair->private_key);
        free(pair->public_key);
}

static ErrorKind verify(char *text, char *signature, char *key, TrustClaim *claim) {
        TrustKey item = { .data = key, .len = strlen(key) };
        const TrustKeys keys = { &item, 1 };
        const TrustSignature one = {
                .kind = SIGNATURE_SIGSTORE,
                .data = (uint8_t *) text,
                .len = strlen(text),
                .base64_signature = signature,
        };
        Error err = ERROR_INIT;

        return sigstore_verify(&one, &keys, claim, &err) < 0 ? err.kind : ERROR_NONE;
}

static void each_kind_of_key_signs_and_verifies(void **state) {
        static const char *const kinds[][2] = { { "EC", "ec_paramgen_curve:P-256" }, { "EC", "ec_paramgen_curve:P-384" }, { "RSA", NULL },
                                                { "ED25519", NULL } };
        Digest digest;

        digest_from_hex(HEX, &digest);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                _cleanup_(signing_key_freep) SigningKey *key = NULL;
                _cleanup_free_ char *text = NULL, *signature = NULL;
                _cleanup_(pair_clear) Pair pair = { 0 };
                _cleanup_claim_ TrustClaim claim = { 0 };
                TrustClaim none = { 0 };
                Error err = ERROR_INIT;

                make_pair(*state, kinds[i][0], kinds[i][1], &pair);
                if (signing_key_load(pair.private_key, pair.private_len, NULL, "key", &key, &err) < 0)
                        fail_msg("%s", err.text);
                assert_int_equal(payload_make(SIGNATURE_SIGSTORE, &digest, "r.example/a:1", &text, NULL), 0);
                assert_int_equal(signing_key_sign(key, text, &signature, NULL), 0);
                assert_int_equal(verify(text, signature, pair.public_key, &claim), ERROR_NONE);
                assert_string_equal(claim.docker_reference, "r.example/a:1");
                assert_int_equal(strncmp(claim.signer, "sha256:", 7), 0);

                /* Another key, another text, another signature, none, and what is no key. */
                assert_int_equal(verify(text, signature, (char *) cosign_public, &none), ERROR_SIGNATURE_REJECTED);
                assert_int_equal(verify(text, signature, pair.private_key, &none), ERROR_INVALID_CONFIG);
                assert_int_equal(verify(text, NULL, pair.public_key, &none), ERROR_SIGNATURE_REJECTED);
                assert_int_equal(verify(text, (char *) "c2ln", pair.public_key, &none), ERROR_SIGNATURE_REJECTED);
                signature[8] = signature[8] == 'A' ? 'B' : 'A';
                assert_int_equal(verify(text, signature, pair.public_key, &none), ERROR_SIGNATURE_REJECTED);
                free(TAKE(signature));
                assert_int_equal(signing_key_sign(key, text, &signature, NULL), 0);
                text[strlen(text) - 3] ^= 1;
                assert_int_equal(verify(text, signature, pair.public_key, &none), ERROR_SIGNATURE_REJECTED);
        }
}

static void what_is_signed_must_be_an_images_signature(void **state) {
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(pair_clear) Pair pair = { 0 };
        _cleanup_free_ char *signature = NULL;
        TrustClaim claim = { 0 };

        make_pair(*state, "EC", "ec_paramgen_curve:P-256", &pair);
        assert_int_equal(signing_key_load(pair.private_key, pair.private_len, NULL, "key", &key, NULL), 0);
        assert_int_equal(signing_key_sign(key, "{}", &signature, NULL), 0);
        assert_int_equal(verify((char *) "{}", signature, pair.public_key, &claim), ERROR_SIGNATURE_REJECTED);
}

static void cosigns_encrypted_key_opens_with_its_passphrase_alone(void **state) {
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_free_ char *text = NULL, *signature = NULL;
        _cleanup_claim_ TrustClaim claim = { 0 };
        Error err = ERROR_INIT;
        SigningKey *none;
        Digest digest;

        digest_from_hex(HEX, &digest);
        assert_int_equal(signing_key_load(cosign_private, strlen(cosign_private), "wrong", "key", &none, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(signing_key_load(cosign_private, strlen(cosign_private), NULL, "key", &none, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.hint, "--sign-passphrase-file"));
        if (signing_key_load(cosign_private, strlen(cosign_private), "secret", "key", &key, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(payload_make(SIGNATURE_SIGSTORE, &digest, "r.example/a:1", &text, NULL), 0);
        assert_int_equal(signing_key_sign(key, text, &signature, NULL), 0);
        assert_int_equal(verify(text, signature, (char *) cosign_public, &claim), ERROR_NONE);
}

static void what_is_no_private_key_is_refused(void **state) {
        static const char *const cases[] = { "", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                                             ("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\ne30=\n"
                                              "-----END ENCRYPTED COSIGN PRIVATE KEY-----\n") };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Error err = ERROR_INIT;
                SigningKey *key;

                assert_int_equal(signing_key_load(cases[i], strlen(cases[i]), "p", "key", &key, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(each_kind_of_key_signs_and_verifies),
                scratch_test(what_is_signed_must_be_an_images_signature),
                cmocka_unit_test(cosigns_encrypted_key_opens_with_its_passphrase_alone),
                cmocka_unit_test(what_is_no_private_key_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
