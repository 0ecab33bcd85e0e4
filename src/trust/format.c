/* Which kind of signature some bytes are. */

#include "trust/format.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"

#define FORMAT_SIMPLE   "simple-signing"
#define FORMAT_SIGSTORE "sigstore-json"

int trust_signatures_add(TrustSignatures *signatures, TrustSignature *signature, Error *err) {
        TrustSignature *grown;

        if (signatures->n >= TRUST_SIGNATURES_MAX)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "more than %d signatures", TRUST_SIGNATURES_MAX);
        grown = reallocarray(signatures->items, signatures->n + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        signatures->items = grown;
        signatures->items[signatures->n++] = *signature;
        *signature = (TrustSignature) { 0 };
        return 0;
}

int trust_signature_set(SignatureKind kind, const void *data, size_t len, const char *base64_signature, const char *place,
                        TrustSignature *ret, Error *err) {
        TrustSignature signature = { .kind = kind, .len = len };

        signature.data = malloc(len + 1);
        if (!signature.data)
                return error_oom(err);
        if (len > 0)
                memcpy(signature.data, data, len);
        signature.data[len] = '\0';
        if (string_copy(base64_signature, &signature.base64_signature, err) < 0 || string_copy(place, &signature.place, err) < 0) {
                trust_signature_clear(&signature);
                return -1;
        }
        *ret = signature;
        return 0;
}

/* The tags of the packets that an OpenPGP message with a signature begins with: compressed data, one-pass signature, signature. */
static bool is_openpgp(unsigned char first) {
        const unsigned tag = first & 0x40 ? first & 0x3f : first >> 2 & 0x0f;

        return (first & 0x80) && (tag == 8 || tag == 4 || tag == 2);
}

int signature_json(const char *data, size_t len, const char *where, json_t **ret, Error *err) {
        if (json_parse(data, len, where, ret, err) == 0)
                return json_need_root(*ret, (JsonPlace) { where, ERROR_SIGNATURE_REJECTED }, err);
        if (err && err->kind == ERROR_INVALID_JSON)
                err->kind = ERROR_SIGNATURE_REJECTED;
        return -1;
}

/* {"mimeType": …, "payload": BASE64, "annotations": {…}} */
static int parse_sigstore(const char *data, size_t len, const char *place, TrustSignature *ret, bool *ret_is_signature, Error *err) {
        const JsonPlace in = { place, ERROR_SIGNATURE_REJECTED };
        _cleanup_buf_ Buf payload = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        const char *mime, *text, *signature = NULL;
        _cleanup_json_ json_t *json = NULL;
        json_t *annotations = NULL;

        if (signature_json(data, len, place, &json, err) < 0 || json_need_string(json, "mimeType", in, &mime, err) < 0 ||
            json_need_string(json, "payload", in, &text, err) < 0 || json_opt_object(json, "annotations", in, &annotations, err) < 0 ||
            (annotations && json_opt_string(annotations, SIGSTORE_SIGNATURE_ANNOTATION, in, &signature, err) < 0))
                return -1;
        *ret_is_signature = !strcmp(mime, SIGSTORE_PAYLOAD_TYPE);
        if (!*ret_is_signature)
                return 0;
        if (base64_decode(&payload, text, err) < 0) {
                if (err && err->kind != ERROR_OUT_OF_MEMORY)
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return error_prefix(err, "%s: payload", place);
        }
        return trust_signature_set(SIGNATURE_SIGSTORE, payload.data, payload.len, signature, place, ret, err);
}

int trust_signature_parse(const char *data, size_t len, const char *place, TrustSignature *ret, bool *ret_is_signature, Error *err) {
        const char *newline;
        size_t name;

        *ret = (TrustSignature) { 0 };
        *ret_is_signature = true;
        if (len > TRUST_SIGNATURE_SIZE_MAX)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: more than %u bytes", place, TRUST_SIGNATURE_SIZE_MAX);
        if (len > 0 && is_openpgp((unsigned char) data[0]))
                return trust_signature_set(SIGNATURE_SIMPLE, data, len, NULL, place, ret, err);
        newline = len > 0 && data[0] == '\0' ? memchr(data, '\n', len) : NULL;
        if (!newline)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: not a signature", place);
        name = (size_t) (newline - data) - 1;
        len -= name + 2;
        if (name == strlen(FORMAT_SIMPLE) && !memcmp(data + 1, FORMAT_SIMPLE, name))
                return trust_signature_set(SIGNATURE_SIMPLE, newline + 1, len, NULL, place, ret, err);
        if (name == strlen(FORMAT_SIGSTORE) && !memcmp(data + 1, FORMAT_SIGSTORE, name))
                return parse_sigstore(newline + 1, len, place, ret, ret_is_signature, err);
        return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: a signature of an unknown format", place);
}
