/* Verified and made by OpenSSL, with the digest that cosign has for each kind of key. */

#include "trust/sigstore.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/base64.h"
#include "base/hash.h"
#include "trust/payload.h"

static void context_free(EVP_MD_CTX **context) {
        EVP_MD_CTX_free(*context);
}

/* RSA (PKCS #1 v1.5) and ECDSA over SHA-256, Ed25519 over the text itself. */
bool key_is_supported(const SigningKey *key, const EVP_MD **ret_digest) {
        const int id = EVP_PKEY_get_base_id(key);

        *ret_digest = id == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
        return id == EVP_PKEY_EC || id == EVP_PKEY_RSA || id == EVP_PKEY_ED25519;
}

/* The first PEM block must be a public key. */
static int load_public_key(const TrustKey *key, EVP_PKEY **ret, Error *err) {
        const char *what = key->path ?: "keyData";
        unsigned char *der = NULL;
        char *pem_name = NULL, *header = NULL;
        const unsigned char *at;
        const EVP_MD *digest;
        EVP_PKEY *public = NULL;
        long len = 0;
        BIO *bio;

        bio = BIO_new_mem_buf(key->data, (int) key->len);
        if (!bio)
                return error_oom(err);
        if (PEM_read_bio(bio, &pem_name, &header, &der, &len) == 1) {
                at = der;
                if (!strcmp(pem_name, "PUBLIC KEY"))
                        public = d2i_PUBKEY(NULL, &at, len);
                else if (!strcmp(pem_name, "RSA PUBLIC KEY"))
                        public = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
        }
        BIO_free(bio);
        OPENSSL_free(pem_name);
        OPENSSL_free(header);
        OPENSSL_free(der);
        ERR_clear_error();
        if (!public)
                return error_set(err, ERROR_INVALID_CONFIG, "key '%s': not a public key in PEM", what);
        if (!key_is_supported(public, &digest)) {
                EVP_PKEY_free(public);
                return error_set(err, ERROR_INVALID_CONFIG, "key '%s': not one of " KEYS_SUPPORTED, what);
        }
        *ret = public;
        return 0;
}

static int fingerprint(const EVP_PKEY *key, char **ret, Error *err) {
        char hex[SHA256_HEX_MAX];
        unsigned char *der = NULL;
        const int len = i2d_PUBKEY(key, &der);
        int r;

        if (len <= 0)
                return error_oom(err);
        r = sha256_data(der, (size_t) len, hex, err);
        OPENSSL_free(der);
        return r < 0 ? -1 : string_format(ret, err, "sha256:%s", hex);
}

static bool is_signed_by(EVP_PKEY *key, const Buf *signature, const TrustSignature *text) {
        _cleanup_(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
        const EVP_MD *digest;
        bool good;

        good = context && key_is_supported(key, &digest) && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
               EVP_DigestVerify(context, (const unsigned char *) signature->data, signature->len, text->data, text->len) == 1;
        ERR_clear_error();
        return good;
}

/* Line ends may stand in it, padding may not be missing: as Go's decoder has it. */
static int decode_signature(const char *text, Buf *ret, Error *err) {
        _cleanup_buf_ Buf clean = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);

        if (buf_puts(&clean, "", err) < 0)
                return -1;
        for (; *text; text++)
                if (*text != '\r' && *text != '\n' && buf_append(&clean, text, 1, err) < 0)
                        return -1;
        if (clean.len % 4 != 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "not base64: its length is wrong");
        return base64_decode(ret, clean.data, err);
}

int sigstore_verify(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err) {
        _cleanup_buf_ Buf decoded = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        _cleanup_claim_ TrustClaim claim = { 0 };
        _cleanup_free_ char *signer = NULL;

        if (!signature->base64_signature)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "a text without its signature");
        if (decode_signature(signature->base64_signature, &decoded, err) < 0) {
                if (err && err->kind != ERROR_OUT_OF_MEMORY)
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return error_prefix(err, "the signature");
        }
        if (keys->n == 0)
                return error_set(err, ERROR_INVALID_CONFIG, "no public key");
        for (size_t i = 0; i < keys->n && !signer; i++) {
                EVP_PKEY *key;
                int r = 0;

                if (load_public_key(&keys->items[i], &key, err) < 0)
                        return -1;
                if (is_signed_by(key, &decoded, signature))
                        r = fingerprint(key, &signer, err);
                EVP_PKEY_free(key);
                if (r < 0)
                        return -1;
        }
        if (!signer)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "not this text signed by one of the keys");
        if (payload_parse(SIGNATURE_SIGSTORE, (const char *) signature->data, signature->len, &claim, err) < 0)
                return -1;
        claim.signer = TAKE(signer);
        *ret = claim;
        claim = (TrustClaim) { 0 };
        return 0;
}

int signing_key_sign(SigningKey *key, const char *text, char **ret, Error *err) {
        _cleanup_(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
        _cleanup_buf_ Buf encoded = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        _cleanup_free_ unsigned char *signature = NULL;
        const EVP_MD *digest;
        size_t len = 0;

        if (!context)
                return error_oom(err);
        if (!key_is_supported(key, &digest) || EVP_DigestSignInit(context, NULL, digest, NULL, key) != 1 ||
            EVP_DigestSign(context, NULL, &len, (const unsigned char *) text, strlen(text)) != 1)
                goto failed;
        signature = malloc(len);
        if (!signature)
                return error_oom(err);
        if (EVP_DigestSign(context, signature, &len, (const unsigned char *) text, strlen(text)) != 1)
                goto failed;
        if (base64_encode(&encoded, signature, len, err) < 0)
                return -1;
        *ret = TAKE(encoded.data);
        return 0;

failed:
        ERR_clear_error();
        return error_set(err, ERROR_INVALID_ARGUMENT, "the key cannot sign");
}
