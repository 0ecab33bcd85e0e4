/* Where signatures are, in the order containers/image looks: the registry's own store or else the lookaside, then what is attached. */

#include "trust/fetch.h"

#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/json.h"
#include "trust/format.h"
#include "trust/registries-d.h"

#define EXTENSION_SIZE_MAX (16u << 20) /* bytes of a registry's list of signatures; this program's own cap */
#define EXTENSION_VERSION  2

int fetch_failed(Error *err) {
        if (err && err->errnum == EFBIG && (err->kind == ERROR_REGISTRY || err->kind == ERROR_FILE))
                err->kind = ERROR_SIGNATURE_REJECTED;
        return -1;
}

int lookaside_path(const Digest *manifest, unsigned n, char **ret, Error *err) {
        return string_format(ret, err, "@sha256=%s/signature-%u", digest_hex(manifest), n);
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

int lookaside_directory(const char *url, char **ret, Error *err) {
        _cleanup_free_ char *path = NULL;
        char *to;

        if (string_copy(url + strlen("file://"), &path, err) < 0)
                return -1;
        to = path;
        for (const char *from = path; *from; from++) {
                int value = -1;

                if (*from == '%') {
                        const int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);

                        value = low < 0 ? 0 : high * 16 + low;
                        from += 2;
                }
                if (value == 0)
                        return error_set(err, ERROR_INVALID_CONFIG, "'%s' is not a URL", url);
                *to++ = value > 0 ? (char) value : *from;
        }
        *to = '\0';
        *ret = TAKE(path);
        return 0;
}

/* *ret stays NULL when there is none. */
static int read_local(const char *path, char **ret, size_t *ret_len, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        return file_read_fd(fd, path, TRUST_SIGNATURE_SIZE_MAX, ret, ret_len, err);
}

/* signature-1, signature-2, … until there is none. */
static int from_lookaside(const RegistryModule *module, const FetchRequest *request, const char *url, TrustSignatures *signatures,
                          Error *err) {
        const bool local = !strncmp(url, "file://", 7);
        _cleanup_free_ char *directory = NULL;

        if (local && lookaside_directory(url, &directory, err) < 0)
                return -1;
        for (unsigned n = 1;; n++) {
                _cleanup_free_ char *rest = NULL, *place = NULL, *data = NULL;
                _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
                bool is_signature;
                size_t len = 0;
                int r;

                if (lookaside_path(request->manifest, n, &rest, err) < 0 || string_format(&place, err, "%s%s", directory ?: url, rest) < 0)
                        return -1;
                r = local ? read_local(place, &data, &len, err) :
                            module->url_get(request->registry, place, TRUST_SIGNATURE_SIZE_MAX, &data, &len, err);
                if (r < 0)
                        return fetch_failed(err);
                if (!data)
                        return 0;
                if (n > TRUST_SIGNATURES_MAX)
                        return error_set(err, ERROR_SIGNATURE_REJECTED, "more than %d signatures in '%s'", TRUST_SIGNATURES_MAX, url);
                if (trust_signature_parse(data, len, place, &signature, &is_signature, err) < 0 ||
                    (is_signature && trust_signatures_add(signatures, &signature, err) < 0))
                        return -1;
        }
}

static int take_extension(const json_t *entry, size_t i, TrustSignatures *signatures, Error *err) {
        _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
        _cleanup_buf_ Buf content = BUF_INIT(TRUST_SIGNATURE_SIZE_MAX);
        const char *type = "", *text = "", *name = "?";
        _cleanup_free_ char *where = NULL;
        int64_t version = 0;

        if (string_format(&where, err, "the registry's signatures[%zu]", i) < 0)
                return -1;
        const JsonPlace place = { where, ERROR_SIGNATURE_REJECTED };

        if (json_need_root(entry, place, err) < 0 || json_opt_integer(entry, "schemaVersion", place, 0, INT32_MAX, &version, err) < 0 ||
            json_opt_string(entry, "type", place, &type, err) < 0 || json_opt_string(entry, "name", place, &name, err) < 0 ||
            json_opt_string(entry, "content", place, &text, err) < 0)
                return -1;
        /* Others are not for us, as with containers/image. */
        if (version != EXTENSION_VERSION || strcmp(type, "atomic") != 0)
                return 0;
        if (base64_decode(&content, text, err) < 0) {
                if (err && err->kind != ERROR_OUT_OF_MEMORY)
                        err->kind = ERROR_SIGNATURE_REJECTED;
                return error_prefix(err, "%s", where);
        }
        return trust_signature_set(SIGNATURE_SIMPLE, content.data, content.len, NULL, name, &signature, err) < 0 ? -1 :
               trust_signatures_add(signatures, &signature, err);
}

/* Source: containers/image, "docs/signature-protocols.md", "X-Registry-Supports-Signatures" */
static int from_extension(const RegistryModule *module, const FetchRequest *request, TrustSignatures *signatures, Error *err) {
        const JsonPlace place = { "the registry's signatures", ERROR_SIGNATURE_REJECTED };
        _cleanup_free_ char *after = NULL, *data = NULL;
        _cleanup_json_ json_t *json = NULL;
        json_t *list = NULL;
        size_t len;

        if (string_format(&after, err, "/signatures/%s", request->manifest->text) < 0)
                return -1;
        if (module->api_get(request->registry, request->name, "/extensions/v2/", after, EXTENSION_SIZE_MAX, &data, &len, err) < 0)
                return fetch_failed(err);
        if (!data)
                return 0;
        if (signature_json(data, len, place.where, &json, err) < 0 || json_opt_array(json, "signatures", place, &list, err) < 0)
                return -1;
        if (json_array_size(list) > TRUST_SIGNATURES_MAX)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s: %zu of them, at most %d are looked at", place.where,
                                 json_array_size(list), TRUST_SIGNATURES_MAX);
        for (size_t i = 0; i < json_array_size(list); i++)
                if (take_extension(json_array_get(list, i), i, signatures, err) < 0)
                        return -1;
        return 0;
}

int trust_fetch(const FetchRequest *request, TrustSignatures *ret, Error *err) {
        _cleanup_signatures_ TrustSignatures signatures = { 0 };
        _cleanup_registries_d_ RegistriesD conf = { 0 };
        const RegistryModule *module = registry_module(err);
        _cleanup_free_ char *url = NULL;
        bool keeps, attachments;

        if (!module || registries_d_load(request->registries_d, &conf, err) < 0 ||
            registries_d_attachments(&conf, request->name, &attachments, err) < 0 ||
            module->keeps_signatures(request->registry, request->name, &keeps, err) < 0)
                return -1;
        if (keeps ? from_extension(module, request, &signatures, err) < 0 :
                    registries_d_lookaside(&conf, request->name, false, &url, err) < 0 ||
                    from_lookaside(module, request, url, &signatures, err) < 0)
                return -1;
        if (attachments && attached_fetch(module, request, &signatures, err) < 0)
                return -1;
        *ret = signatures;
        signatures = (TrustSignatures) { 0 };
        return 0;
}
