/* Private keys: OpenSSL's PEM, and what `cosign generate-key-pair` writes: PKCS #8 in a secretbox under a key made by scrypt. */

#include "trust/sigstore.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

#define SCRYPT_MEMORY_MAX (256u << 20) /* bytes; cosign asks for 32 MiB (older ones) or 64 MiB */
#define SECRET_MAX        (64u << 10)  /* bytes of an encrypted key; this program's own cap */

typedef struct Box {
        int64_t n, r, p; /* scrypt's cost */
        Buf salt, nonce, text;
} Box;

static void box_clear(Box *box) {
        buf_free(&box->salt);
        buf_free(&box->nonce);
        buf_free(&box->text);
}

static int take_bytes(const json_t *object, const char *key, JsonPlace place, Buf *ret, Error *err) {
        const char *text;

        if (json_need_string(object, key, place, &text, err) < 0)
                return -1;
        return base64_decode(ret, text, err) < 0 ? error_prefix(err, "%s: %s", place.where, key) : 0;
}

static int need_name(const json_t *object, JsonPlace place, const char *wanted, Error *err) {
        const char *name;

        if (json_need_string(object, "name", place, &name, err) < 0)
                return -1;
        return strcmp(name, wanted) != 0 ? error_set(err, ERROR_NOT_SUPPORTED, "%s: '%.50s' in place of %s", place.where, name, wanted) : 0;
}

/* {"kdf": {"name", "params": {"N", "r", "p"}, "salt"}, "cipher": {"name", "nonce"}, "ciphertext"} */
static int parse_box(const char *data, size_t len, const char *what, Box *ret, Error *err) {
        const JsonPlace place = { what, ERROR_INVALID_ARGUMENT };
        _cleanup_json_ json_t *json = NULL;
        json_t *kdf, *params, *cipher;

        if (json_parse(data, len, what, &json, err) < 0 || json_need_root(json, place, err) < 0 ||
            json_need_object(json, "kdf", place, &kdf, err) < 0 || need_name(kdf, place, "scrypt", err) < 0 ||
            json_need_object(kdf, "params", place, &params, err) < 0 ||
            json_need_integer(params, "N", place, 2, 1 << 20, &ret->n, err) < 0 ||
            json_need_integer(params, "r", place, 1, 64, &ret->r, err) < 0 ||
            json_need_integer(params, "p", place, 1, 16, &ret->p, err) < 0 ||
            take_bytes(kdf, "salt", place, &ret->salt, err) < 0 || json_need_object(json, "cipher", place, &cipher, err) < 0 ||
            need_name(cipher, place, "nacl/secretbox", err) < 0 || take_bytes(cipher, "nonce", place, &ret->nonce, err) < 0 ||
            take_bytes(json, "ciphertext", place, &ret->text, err) < 0) {
                if (err && err->kind != ERROR_OUT_OF_MEMORY && err->kind != ERROR_NOT_SUPPORTED)
                        err->kind = ERROR_INVALID_ARGUMENT;
                return -1;
        }
        if (ret->nonce.len != crypto_secretbox_NONCEBYTES || ret->text.len < crypto_secretbox_MACBYTES)
                return error_set(err, ERROR_INVALID_ARGUMENT, "%s: a nonce or ciphertext of a wrong length", what);
        return 0;
}

/* The PKCS #8 that is inside; *ret_len is 0 when the passphrase is wrong. */
static int open_box(const Box *box, const char *passphrase, unsigned char *ret, size_t *ret_len, Error *err) {
        unsigned char key[crypto_secretbox_KEYBYTES];
        int r;

        if (EVP_PBE_scrypt(passphrase, strlen(passphrase), (const unsigned char *) box->salt.data, box->salt.len, (uint64_t) box->n,
                           (uint64_t) box->r, (uint64_t) box->p, SCRYPT_MEMORY_MAX, key, sizeof(key)) != 1) {
                ERR_clear_error();
                return error_set(err, ERROR_NOT_SUPPORTED, "scrypt with N %lld, r %lld, p %lld", (long long) box->n, (long long) box->r,
                                 (long long) box->p);
        }
        r = crypto_secretbox_open_easy(ret, (const unsigned char *) box->text.data, box->text.len, (const unsigned char *) box->nonce.data,
                                       key);
        explicit_bzero(key, sizeof(key));
        *ret_len = r == 0 ? box->text.len - crypto_secretbox_MACBYTES : 0;
        return 0;
}

static int refuse(const char *what, bool has_passphrase, Error *err) {
        error_set(err, ERROR_INVALID_ARGUMENT, "key '%s': %s", what,
                  has_passphrase ? "the passphrase is wrong" : "it is encrypted, and there is no passphrase");
        return has_passphrase ? -1 : error_hint(err, "--sign-passphrase-file names a file that has it");
}

static int load_cosign(const char *data, size_t len, const char *passphrase, const char *what, SigningKey **ret, Error *err) {
        _cleanup_(box_clear) Box box = { .salt = BUF_INIT(1024), .nonce = BUF_INIT(1024), .text = BUF_INIT(SECRET_MAX) };
        unsigned char *plain;
        const unsigned char *at;
        size_t plain_len;
        int r;

        if (sodium_init() < 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "libsodium cannot be used");
        if (parse_box(data, len, what, &box, err) < 0)
                return -1;
        plain = malloc(box.text.len);
        if (!plain)
                return error_oom(err);
        /* cosign's own default is an empty passphrase. */
        at = plain;
        r = open_box(&box, passphrase ?: "", plain, &plain_len, err);
        if (r == 0 && plain_len == 0)
                r = refuse(what, passphrase != NULL, err);
        else if (r == 0) {
                *ret = d2i_AutoPrivateKey(NULL, &at, (long) plain_len);
                if (!*ret)
                        r = error_set(err, ERROR_INVALID_ARGUMENT, "key '%s': what was encrypted is no private key", what);
        }
        explicit_bzero(plain, box.text.len);
        free(plain);
        ERR_clear_error();
        return r < 0 ? error_prefix(err, "sigstore key") : 0;
}

static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
        const char *passphrase = userdata;
        const size_t len = passphrase ? strlen(passphrase) : 0;

        if (!passphrase || len > (size_t) size)
                return -1;
        memcpy(buffer, passphrase, len);
        return (int) len;
}

static int load_pem(const char *data, size_t len, const char *passphrase, const char *what, SigningKey **ret, Error *err) {
        const bool encrypted = memmem(data, len, "ENCRYPTED", strlen("ENCRYPTED")) != NULL;
        BIO *bio = BIO_new_mem_buf(data, (int) len);
        EVP_PKEY *key;

        if (!bio)
                return error_oom(err);
        key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *) passphrase);
        BIO_free(bio);
        ERR_clear_error();
        if (!key && encrypted)
                return refuse(what, passphrase != NULL, err);
        if (!key)
                return error_set(err, ERROR_INVALID_ARGUMENT, "key '%s': not a private key in PEM", what);
        *ret = key;
        return 0;
}

int signing_key_load(const char *data, size_t len, const char *passphrase, const char *what, SigningKey **ret, Error *err) {
        static const char *const names[] = { "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY" };
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        char *name = NULL, *header = NULL;
        unsigned char *inner = NULL;
        const EVP_MD *digest;
        long inner_len = 0;
        bool box = false;
        BIO *bio;
        int r;

        if (len > INT_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "key '%s': too large", what);
        bio = BIO_new_mem_buf(data, (int) len);
        if (!bio)
                return error_oom(err);
        if (PEM_read_bio(bio, &name, &header, &inner, &inner_len) == 1)
                for (size_t i = 0; i < ARRAY_SIZE(names) && !box; i++)
                        box = !strcmp(name, names[i]);
        BIO_free(bio);
        ERR_clear_error();
        r = box ? load_cosign((const char *) inner, (size_t) inner_len, passphrase, what, &key, err) :
                  load_pem(data, len, passphrase, what, &key, err);
        OPENSSL_free(name);
        OPENSSL_free(header);
        if (inner)
                OPENSSL_clear_free(inner, (size_t) inner_len);
        if (r < 0)
                return -1;
        if (!key_is_supported(key, &digest))
                return error_set(err, ERROR_NOT_SUPPORTED, "key '%s': not one of " KEYS_SUPPORTED, what);
        *ret = TAKE(key);
        return 0;
}

SigningKey *signing_key_free(SigningKey *key) {
        EVP_PKEY_free(key);
        return NULL;
}
