/* gpgme, with a key ring that lives as long as one signature is verified. */

#include "trust/simple.h"

#include <fcntl.h>
#include <gpgme.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "trust/payload.h"

typedef struct Ring {
        gpgme_ctx_t context;
        char *directory; /* of a temporary key ring; NULL: the user's own */
        char **signers;  /* fingerprints of the keys that were imported; NULL: none */
} Ring;

static void ring_clear(Ring *ring) {
        char *slash;

        if (ring->context)
                gpgme_release(ring->context);
        slash = ring->directory ? strrchr(ring->directory, '/') : NULL;
        if (slash) {
                _cleanup_close_ int parent = -EBADF;

                *slash = '\0';
                parent = open(ring->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (parent >= 0)
                        (void) dir_remove_tree_at(parent, slash + 1, NULL);
        }
        free(ring->directory);
        strv_free(ring->signers);
}

static void data_release(gpgme_data_t *data) {
        if (*data)
                gpgme_data_release(*data);
}
#define _cleanup_data_ _cleanup_(data_release)

static int fail(ErrorKind kind, const char *what, gpgme_error_t code, Error *err) {
        char text[256];

        if (gpgme_err_code(code) == GPG_ERR_ENOMEM)
                return error_oom(err);
        gpgme_strerror_r(code, text, sizeof(text));
        return error_set(err, kind, "gpg: %s: %s", what, text);
}

static int ring_open(Ring *ring, Error *err) {
        gpgme_error_t code;

        (void) gpgme_check_version(NULL); /* initialises the library */
        code = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
        if (!code)
                code = gpgme_new(&ring->context);
        if (!code)
                code = gpgme_set_protocol(ring->context, GPGME_PROTOCOL_OpenPGP);
        if (!code && ring->directory)
                code = gpgme_ctx_set_engine_info(ring->context, GPGME_PROTOCOL_OpenPGP, NULL, ring->directory);
        if (code) {
                fail(ERROR_CONFIG, "cannot be used", code, err);
                return error_hint(err, "the Debian package 'gpg' has it");
        }
        gpgme_set_armor(ring->context, 0);
        gpgme_set_textmode(ring->context, 0);
        return 0;
}

static int make_directory(Ring *ring, Error *err) {
        static const char conf[] = "no-autostart\nno-auto-key-locate\n";
        const char *tmp = getenv("TMPDIR");
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (string_format(&directory, err, "%s/proxmox-lxcri-keys-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp") < 0)
                return -1;
        if (!mkdtemp(directory))
                return error_set_errno(err, ERROR_FILE, errno, "make '%s'", directory);
        ring->directory = TAKE(directory);
        /* No agent, no daemon with keys, nothing from the network. */
        if (dir_open_at(AT_FDCWD, ring->directory, &fd, err) < 0 ||
            file_write_atomic_at(fd, "gpg.conf", conf, strlen(conf), 0600, 0, err) < 0)
                return -1;
        return file_write_atomic_at(fd, "common.conf", "", 0, 0600, 0, err);
}

static int import(Ring *ring, const TrustKey *key, Error *err) {
        _cleanup_data_ gpgme_data_t data = NULL;
        gpgme_import_result_t result;
        gpgme_error_t code;

        code = gpgme_data_new_from_mem(&data, key->data, key->len, 0);
        if (!code)
                code = gpgme_op_import(ring->context, data);
        if (code) {
                fail(ERROR_INVALID_CONFIG, "import", code, err);
                return error_prefix(err, "key '%s'", key->path ?: "keyData");
        }
        result = gpgme_op_import_result(ring->context);
        for (gpgme_import_status_t one = result ? result->imports : NULL; one; one = one->next)
                if (!one->result && one->fpr && strv_push(&ring->signers, one->fpr, err) < 0)
                        return -1;
        return 0;
}

/* The signed text, which may be no longer than its cap, however well it was compressed. */
static ssize_t take_text(void *handle, const void *data, size_t size) {
        if (buf_append(handle, data, size, NULL) < 0) {
                errno = EFBIG;
                return -1;
        }
        return (ssize_t) size;
}

static const char *signature_problem(gpgme_signature_t signature) {
        static const struct {
                gpgme_err_code_t code;
                const char *text;
        } known[] = {
                { GPG_ERR_SIG_EXPIRED, "it has expired" },
                { GPG_ERR_KEY_EXPIRED, "its key has expired" },
                { GPG_ERR_CERT_REVOKED, "its key was revoked" },
                { GPG_ERR_BAD_SIGNATURE, "it is not of this text" },
                { GPG_ERR_NO_PUBKEY, "it was made by none of the keys" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (gpgme_err_code(signature->status) == known[i].code)
                        return known[i].text;
        if (signature->status)
                return gpgme_strerror(signature->status);
        if (signature->validity == GPGME_VALIDITY_NEVER)
                return "its key is not valid";
        if (signature->validity_reason)
                return gpgme_strerror(signature->validity_reason);
        return signature->wrong_key_usage ? "its key is not for signing" : NULL;
}

/* Exactly one signature, good, by one of the keys themselves. A subkey's is none, as with containers/image. */
static int judge(const Ring *ring, char **ret_signer, Error *err) {
        const gpgme_verify_result_t result = gpgme_op_verify_result(ring->context);
        const gpgme_signature_t signature = result ? result->signatures : NULL;
        const char *problem;

        if (!signature || signature->next)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "not one OpenPGP signature");
        problem = signature_problem(signature);
        if (problem)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "by key %s: %s", signature->fpr ?: "?", problem);
        for (char **signer = ring->signers; signer && *signer; signer++)
                if (signature->fpr && !strcmp(*signer, signature->fpr))
                        return string_copy(*signer, ret_signer, err);
        return error_set(err, ERROR_SIGNATURE_REJECTED, "by key %s: it is none of the keys, but a subkey or another's",
                         signature->fpr ?: "?");
}

static int verify(Ring *ring, const TrustSignature *signature, Buf *text, char **ret_signer, Error *err) {
        struct gpgme_data_cbs callbacks = { .write = take_text };
        _cleanup_data_ gpgme_data_t in = NULL, out = NULL;
        gpgme_error_t code;

        code = gpgme_data_new_from_mem(&in, (const char *) signature->data, signature->len, 0);
        if (!code)
                code = gpgme_data_new_from_cbs(&out, &callbacks, text);
        if (code)
                return fail(ERROR_FILE, "verify", code, err);
        code = gpgme_op_verify(ring->context, in, NULL, out);
        if (code)
                return fail(ERROR_SIGNATURE_REJECTED, "verify", code, err);
        return judge(ring, ret_signer, err);
}

int simple_verify(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        _cleanup_claim_ TrustClaim claim = { 0 };
        _cleanup_(ring_clear) Ring ring = { 0 };
        _cleanup_free_ char *signer = NULL;

        if (make_directory(&ring, err) < 0 || ring_open(&ring, err) < 0)
                return -1;
        for (size_t i = 0; i < keys->n; i++)
                if (import(&ring, &keys->items[i], err) < 0)
                        return -1;
        if (!ring.signers)
                return error_set(err, ERROR_INVALID_CONFIG, "no OpenPGP key in '%s'",
                                 keys->n > 0 && keys->items[0].path ? keys->items[0].path : "keyData");
        if (verify(&ring, signature, &text, &signer, err) < 0 ||
            payload_parse(SIGNATURE_SIMPLE, text.data ?: "", text.len, &claim, err) < 0)
                return -1;
        claim.signer = TAKE(signer);
        *ret = claim;
        claim = (TrustClaim) { 0 };
        return 0;
}

static gpgme_error_t give_passphrase(void *hook, const char *hint, const char *info, int again, int fd) {
        const char *passphrase = hook;

        if (again)
                return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
        if (gpgme_io_writen(fd, passphrase, strlen(passphrase)) < 0 || gpgme_io_writen(fd, "\n", 1) < 0)
                return gpgme_error_from_syserror();
        return 0;
}

int simple_sign(const char *id, const char *passphrase, const char *text, uint8_t **ret, size_t *ret_len, Error *err) {
        _cleanup_buf_ Buf signature = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        struct gpgme_data_cbs callbacks = { .write = take_text };
        _cleanup_data_ gpgme_data_t in = NULL, out = NULL;
        _cleanup_(ring_clear) Ring ring = { 0 };
        gpgme_key_t key = NULL;
        gpgme_error_t code;

        if (ring_open(&ring, err) < 0)
                return -1;
        code = gpgme_get_key(ring.context, id, &key, 1);
        if (code || !key) {
                error_set(err, ERROR_INVALID_ARGUMENT, "no secret key '%s': %s", id, gpgme_strerror(code));
                return error_hint(err, "'gpg --list-secret-keys' shows those there are");
        }
        code = gpgme_signers_add(ring.context, key);
        gpgme_key_unref(key);
        if (!code && passphrase) {
                gpgme_set_passphrase_cb(ring.context, give_passphrase, (void *) passphrase);
                code = gpgme_set_pinentry_mode(ring.context, GPGME_PINENTRY_MODE_LOOPBACK);
        }
        if (!code)
                code = gpgme_data_new_from_mem(&in, text, strlen(text), 0);
        if (!code)
                code = gpgme_data_new_from_cbs(&out, &callbacks, &signature);
        if (!code)
                code = gpgme_op_sign(ring.context, in, out, GPGME_SIG_MODE_NORMAL);
        if (code)
                return fail(ERROR_INVALID_ARGUMENT, "sign", code, err);
        *ret_len = signature.len;
        *ret = (uint8_t *) TAKE(signature.data);
        return *ret ? 0 : error_set(err, ERROR_CONFIG, "gpg made no signature");
}
