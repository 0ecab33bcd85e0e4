/* OpenPGP signatures, with keys that gpg made just now: good ones only, by one of the keys that were given. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/buf.h"
#include "base/process.h"
#include "trust/payload.h"
#include "trust/simple.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* gpg with the scratch directory's own key ring, which $GNUPGHOME names. @input: of stdin; @output: file for stdout; NULL: none */
static void gpg(const Scratch *scratch, const char *input, const char *output, const char *const *arguments) {
        static const char *const always[] = { "gpg", "--batch", "--quiet", "--yes", "--no-tty", "--pinentry-mode", "loopback",
                                              "--passphrase", "" };
        _cleanup_strv_ char **argv = NULL;
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        int status;
        pid_t pid;

        for (size_t i = 0; i < ARRAY_SIZE(always); i++)
                assert_int_equal(strv_push(&argv, always[i], NULL), 0);
        for (; *arguments; arguments++)
                assert_int_equal(strv_push(&argv, *arguments, NULL), 0);
        if (input) {
                assert_int_equal(file_write_atomic_at(scratch->fd, "in", input, strlen(input), 0600, 0, NULL), 0);
                in = openat(scratch->fd, "in", O_RDONLY | O_CLOEXEC);
        }
        if (output)
                out = openat(scratch->fd, output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const Spawn spawn = {
                .argv = (const char *const *) argv,
                .stdin_fd = input ? in : -1,
                .stdout_fd = output ? out : -1,
                .stderr_fd = -1,
        };

        assert_int_equal(process_spawn(&spawn, &pid, NULL, NULL), 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        if (status != 0)
                fail_msg("gpg %s: %d", argv[9], status);
}
#define GPG(scratch, input, output, ...) gpg(scratch, input, output, (const char *const[]) { __VA_ARGS__, NULL })

static int set_up(void **state) {
        if (scratch_set_up(state) < 0)
                return -1;
        return setenv("GNUPGHOME", ((Scratch *) *state)->path, 1);
}

static int tear_down(void **state) {
        const char *const argv[] = { "gpgconf", "--kill", "all", NULL };
        const Spawn spawn = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
        int status;
        pid_t pid;

        /* The agent that made keys would come in the way of the removal. */
        if (process_spawn(&spawn, &pid, NULL, NULL) == 0)
                (void) process_wait(pid, &status, NULL);
        return scratch_tear_down(state);
}

static void make_key(const Scratch *scratch, const char *name, const char *expires) {
        GPG(scratch, NULL, NULL, "--quick-generate-key", name, "ed25519", "sign", expires);
}

static TrustKey export_key(const Scratch *scratch, const char *name) {
        TrustKey key = { 0 };

        GPG(scratch, NULL, "exported", "--export", name);
        assert_int_equal(file_read_at(scratch->fd, "exported", 65536, &key.data, &key.len, NULL), 0);
        return key;
}

static ErrorKind verify(const void *data, size_t len, const TrustKey *key, TrustClaim *claim) {
        const TrustSignature signature = { .kind = SIGNATURE_SIMPLE, .data = (uint8_t *) data, .len = len };
        const TrustKeys keys = { (TrustKey *) key, 1 };
        Error err = ERROR_INIT;

        return simple_verify(&signature, &keys, claim, &err) < 0 ? err.kind : ERROR_NONE;
}

static void good_signatures_are_known_from_others(void **state) {
        _cleanup_free_ char *text = NULL, *data = NULL;
        _cleanup_free_ uint8_t *signature = NULL;
        _cleanup_claim_ TrustClaim claim = { 0 };
        const Scratch *scratch = *state;
        TrustKey one, two, nothing = { .data = (char *) "nothing", .len = 7 };
        TrustClaim none = { 0 };
        Error err = ERROR_INIT;
        Digest digest;
        size_t len;

        make_key(scratch, "one@example", "never");
        make_key(scratch, "two@example", "never");
        one = export_key(scratch, "one@example");
        two = export_key(scratch, "two@example");
        digest_from_hex(HEX, &digest);
        assert_int_equal(payload_make(SIGNATURE_SIMPLE, &digest, "r.example/a:1", &text, NULL), 0);
        if (simple_sign("one@example", NULL, text, &signature, &len, &err) < 0)
                fail_msg("%s", err.text);

        assert_int_equal(verify(signature, len, &one, &claim), ERROR_NONE);
        assert_string_equal(claim.docker_reference, "r.example/a:1");
        assert_string_equal(claim.manifest_digest, "sha256:" HEX);
        assert_int_equal(strlen(claim.signer), 40);
        assert_int_equal(verify(signature, len, &two, &none), ERROR_SIGNATURE_REJECTED);
        assert_int_equal(verify(signature, len, &nothing, &none), ERROR_INVALID_CONFIG);
        assert_int_equal(verify(text, strlen(text), &one, &none), ERROR_SIGNATURE_REJECTED);
        assert_int_equal(verify("", 0, &one, &none), ERROR_SIGNATURE_REJECTED);
        for (size_t cut = 1; cut < len; cut += len / 4)
                assert_int_equal(verify(signature, cut, &one, &none), ERROR_SIGNATURE_REJECTED);
        signature[len - 20] ^= 1;
        assert_int_equal(verify(signature, len, &one, &none), ERROR_SIGNATURE_REJECTED);

        /* Not exactly one signature: by two keys, or a detached one. */
        GPG(scratch, text, "out", "-u", "one@example", "-u", "two@example", "--sign");
        assert_int_equal(file_read_at(scratch->fd, "out", 65536, &data, &len, NULL), 0);
        assert_int_equal(verify(data, len, &one, &none), ERROR_SIGNATURE_REJECTED);
        free(TAKE(data));
        GPG(scratch, text, "out", "-u", "one@example", "--detach-sign");
        assert_int_equal(file_read_at(scratch->fd, "out", 65536, &data, &len, NULL), 0);
        assert_int_equal(verify(data, len, &one, &none), ERROR_SIGNATURE_REJECTED);
        free(TAKE(data));
        /* Signed well, but not as an image. */
        GPG(scratch, "{}", "out", "-u", "one@example", "--sign");
        assert_int_equal(file_read_at(scratch->fd, "out", 65536, &data, &len, NULL), 0);
        assert_int_equal(verify(data, len, &one, &none), ERROR_SIGNATURE_REJECTED);

        assert_int_equal(simple_sign("nobody@example", NULL, text, &signature, &len, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        free(one.data);
        free(two.data);
}

static void keys_that_expired_or_were_revoked_sign_nothing(void **state) {
        _cleanup_free_ char *text = NULL, *certificate = NULL, *data = NULL;
        const Scratch *scratch = *state;
        _cleanup_buf_ Buf usable = BUF_INIT(65536);
        _cleanup_claim_ TrustClaim claim = { 0 };
        TrustClaim none = { 0 };
        struct dirent *entry;
        DIR *revocations;
        TrustKey key;
        Digest digest;
        size_t len;
        int fd;

        digest_from_hex(HEX, &digest);
        assert_int_equal(payload_make(SIGNATURE_SIMPLE, &digest, "r.example/a:1", &text, NULL), 0);

        make_key(scratch, "three@example", "never");
        GPG(scratch, text, "out", "-u", "three@example", "--sign");
        assert_int_equal(file_read_at(scratch->fd, "out", 65536, &data, &len, NULL), 0);
        key = export_key(scratch, "three@example");
        assert_int_equal(verify(data, len, &key, &claim), ERROR_NONE);
        free(key.data);

        /* gpg keeps a revocation beside each key, with a colon before it so that it isn't taken by mistake. */
        assert_int_equal(dir_open_at(scratch->fd, "openpgp-revocs.d", &fd, NULL), 0);
        assert_int_equal(dir_read(fd, &revocations, NULL), 0);
        entry = dir_next(revocations);
        assert_non_null(entry);
        assert_int_equal(file_read_at(fd, entry->d_name, 65536, &certificate, NULL, NULL), 0);
        closedir(revocations);
        close(fd);
        assert_int_equal(buf_puts(&usable, strstr(certificate, ":-----") + 1, NULL), 0);
        GPG(scratch, usable.data, NULL, "--import");
        key = export_key(scratch, "three@example");
        assert_int_equal(verify(data, len, &key, &none), ERROR_SIGNATURE_REJECTED);
        free(key.data);
        free(TAKE(data));

        /* Made, used, and over, long ago. */
        GPG(scratch, NULL, NULL, "--faked-system-time", "20200101T000000", "--quick-generate-key", "four@example", "ed25519", "sign",
            "2020-01-03");
        GPG(scratch, text, "out", "--faked-system-time", "20200102T000000", "-u", "four@example", "--sign");
        assert_int_equal(file_read_at(scratch->fd, "out", 65536, &data, &len, NULL), 0);
        key = export_key(scratch, "four@example");
        assert_int_equal(verify(data, len, &key, &none), ERROR_SIGNATURE_REJECTED);
        free(key.data);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(good_signatures_are_known_from_others, set_up, tear_down),
                cmocka_unit_test_setup_teardown(keys_that_expired_or_were_revoked_sign_nothing, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
