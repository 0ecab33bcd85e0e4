/* The signed text, read and made. */

#include "trust/payload.h"

#include <string.h>
#include <time.h>

#include "base/json.h"

static const char *const types[] = {
        [SIGNATURE_SIMPLE] = "atomic container signature",
        [SIGNATURE_SIGSTORE] = "cosign container image signature",
};

/* An object with just these keys. */
static int exact(const json_t *object, const char *where, const char *const *keys, Error *err) {
        size_t n = 0;

        if (!json_is_object(object))
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s is not an object", where);
        for (; keys[n]; n++)
                if (!json_object_get(object, keys[n]))
                        return error_set(err, ERROR_SIGNATURE_REJECTED, "%s has no '%s'", where, keys[n]);
        if (json_object_size(object) != n)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "%s has fields that are not known", where);
        return 0;
}

static int one_string(const json_t *object, const char *where, const char *key, char **ret, Error *err) {
        if (exact(object, where, (const char *const[]) { key, NULL }, err) < 0)
                return -1;
        return json_need_string_copy(object, key, (JsonPlace) { where, ERROR_SIGNATURE_REJECTED }, ret, err);
}

/* "creator" and "timestamp" have a type; anything else may stand here. */
static int parse_optional(SignatureKind kind, const json_t *optional, TrustClaim *claim, Error *err) {
        const JsonPlace place = { "optional", ERROR_SIGNATURE_REJECTED };
        const json_t *timestamp;
        const char *creator;
        double number;

        /* cosign writes null when it has nothing to say. */
        if (kind == SIGNATURE_SIGSTORE && json_is_null(optional))
                return 0;
        if (json_need_root(optional, place, err) < 0 || json_opt_string(optional, "creator", place, &creator, err) < 0)
                return -1;
        timestamp = json_object_get(optional, "timestamp");
        if (!timestamp || json_is_null(timestamp))
                return 0;
        number = json_number_value(timestamp);
        if (!json_is_number(timestamp) || number > 9e15 || number < -9e15 || number != (double) (int64_t) number)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "optional.timestamp is not a whole number");
        claim->timestamp = (int64_t) number;
        return 0;
}

int payload_parse(SignatureKind kind, const char *data, size_t len, TrustClaim *ret, Error *err) {
        static const char *const outer[] = { "critical", "optional", NULL }, *const inner[] = { "type", "image", "identity", NULL };
        _cleanup_claim_ TrustClaim claim = { 0 };
        _cleanup_json_ json_t *json = NULL;
        const json_t *critical;
        const char *type;
        Digest digest;

        if (json_parse(data, len, "the signed text", &json, err) < 0 || exact(json, "the signed text", outer, err) < 0 ||
            parse_optional(kind, json_object_get(json, "optional"), &claim, err) < 0)
                goto rejected;
        critical = json_object_get(json, "critical");
        if (exact(critical, "critical", inner, err) < 0 ||
            json_need_string(critical, "type", (JsonPlace) { "critical", ERROR_SIGNATURE_REJECTED }, &type, err) < 0)
                return -1;
        if (strcmp(type, types[kind]) != 0)
                return error_set(err, ERROR_SIGNATURE_REJECTED, "critical.type is '%.100s', not '%s'", type, types[kind]);
        if (one_string(json_object_get(critical, "image"), "critical.image", "docker-manifest-digest", &claim.manifest_digest, err) < 0 ||
            one_string(json_object_get(critical, "identity"), "critical.identity", "docker-reference", &claim.docker_reference, err) < 0)
                return -1;
        if (digest_parse(claim.manifest_digest, &digest, err) < 0)
                goto rejected;
        *ret = claim;
        claim = (TrustClaim) { 0 };
        return 0;

rejected:
        if (err && err->kind != ERROR_OUT_OF_MEMORY)
                err->kind = ERROR_SIGNATURE_REJECTED;
        return -1;
}

int payload_make(SignatureKind kind, const Digest *manifest, const char *docker_reference, char **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;

        json = json_pack("{s:{s:{s:s}, s:{s:s}, s:s}, s:{s:s, s:I}}", "critical", "identity", "docker-reference", docker_reference, "image",
                         "docker-manifest-digest", manifest->text, "type", types[kind], "optional", "creator",
                         "proxmox-lxcri " PROJECT_VERSION, "timestamp", (json_int_t) time(NULL));
        return json ? json_print(json, ret, err) : error_oom(err);
}
