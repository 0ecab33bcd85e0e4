/* What the store remembers of verdicts. */

#include "trust/record.h"

#include <string.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/json.h"

static const JsonPlace place = { "record of trust", ERROR_INVALID_SPEC };

void trust_origin_clear(TrustOrigin *origin) {
        free(origin->name);
        free(origin->transport);
        free(origin->path);
        free(origin->reference);
        free(origin->rule);
        free(origin->rule_name);
        free(origin->policy);
        strv_free(origin->keys);
        trust_signers_free(origin->signers, origin->n_signers);
        *origin = (TrustOrigin) { 0 };
}

void trust_record_clear(TrustRecord *record) {
        for (size_t i = 0; i < record->n; i++)
                trust_origin_clear(&record->items[i]);
        free(record->items);
        *record = (TrustRecord) { 0 };
}

static int keys_text(const TrustKeys *keys, char ***ret, Error *err) {
        for (size_t i = 0; i < keys->n; i++) {
                _cleanup_buf_ Buf text = BUF_INIT(TRUST_KEY_SIZE_MAX * 2);

                if (base64_encode(&text, keys->items[i].data ?: "", keys->items[i].len, err) < 0 ||
                    strv_push(ret, text.data ?: "", err) < 0)
                        return -1;
        }
        return 0;
}

static int signer_copy(const TrustSigner *from, TrustSigner *to, Error *err) {
        to->kind = from->kind;
        to->claim.timestamp = from->claim.timestamp;
        if (string_copy(from->claim.docker_reference, &to->claim.docker_reference, err) < 0 ||
            string_copy(from->claim.manifest_digest, &to->claim.manifest_digest, err) < 0 ||
            string_copy(from->claim.signer, &to->claim.signer, err) < 0)
                return -1;
        return string_copy(from->place, &to->place, err);
}

int trust_origin_make(const char *name, const TrustSource *source, const TrustPolicy *policy, const TrustVerdict *verdict, TrustOrigin *ret,
                      Error *err) {
        _cleanup_(trust_origin_clear) TrustOrigin origin = { 0 };

        origin.signers = calloc(verdict->n_signers + 1, sizeof(*origin.signers));
        if (!origin.signers)
                return error_oom(err);
        for (; origin.n_signers < verdict->n_signers; origin.n_signers++)
                if (signer_copy(&verdict->signers[origin.n_signers], &origin.signers[origin.n_signers], err) < 0) {
                        origin.n_signers++;
                        return -1;
                }
        if (string_copy(name, &origin.name, err) < 0 || string_copy(source->transport, &origin.transport, err) < 0 ||
            string_copy(source->path, &origin.path, err) < 0 ||
            (source->name && reference_format(source->name, &origin.reference, err) < 0) ||
            string_copy(verdict->rule->text, &origin.rule, err) < 0 || rule_name(verdict->rule, &origin.rule_name, err) < 0 ||
            string_copy(policy->path, &origin.policy, err) < 0 || keys_text(&verdict->keys, &origin.keys, err) < 0)
                return -1;
        *ret = origin;
        origin = (TrustOrigin) { 0 };
        return 0;
}

static int signer_json(json_t *list, const TrustSigner *signer, Error *err) {
        const TrustClaim *claim = &signer->claim;
        json_t *json = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:I}", "type", requirement_name(signer->kind), "signer", claim->signer,
                                 "reference", claim->docker_reference, "manifest", claim->manifest_digest, "place", signer->place,
                                 "timestamp", (json_int_t) claim->timestamp);

        return json && json_array_append_new(list, json) == 0 ? 0 : error_oom(err);
}

static int origin_json(const TrustOrigin *origin, json_t *list, Error *err) {
        json_t *json = json_pack("{s:s*, s:s, s:s*, s:s*, s:s, s:s, s:s, s:[], s:[]}", "name", origin->name, "transport", origin->transport,
                                 "path", origin->path, "reference", origin->reference, "rule", origin->rule, "ruleName", origin->rule_name,
                                 "policy", origin->policy, "keys", "signers");

        if (!json || json_array_append_new(list, json) < 0)
                return error_oom(err);
        for (char **key = origin->keys; key && *key; key++)
                if (json_array_append_new(json_object_get(json, "keys"), json_string(*key)) < 0)
                        return error_oom(err);
        for (size_t i = 0; i < origin->n_signers; i++)
                if (signer_json(json_object_get(json, "signers"), &origin->signers[i], err) < 0)
                        return -1;
        return 0;
}

static int parse_signer(const json_t *json, TrustSigner *signer, Error *err) {
        const char *type;

        if (json_need_string(json, "type", place, &type, err) < 0)
                return -1;
        signer->kind = strcmp(type, requirement_name(REQUIREMENT_SIGSTORE)) ? REQUIREMENT_SIGNED_BY : REQUIREMENT_SIGSTORE;
        if (json_opt_string_copy(json, "signer", place, &signer->claim.signer, err) < 0 ||
            json_opt_string_copy(json, "reference", place, &signer->claim.docker_reference, err) < 0 ||
            json_opt_string_copy(json, "manifest", place, &signer->claim.manifest_digest, err) < 0 ||
            json_opt_string_copy(json, "place", place, &signer->place, err) < 0)
                return -1;
        return json_opt_integer(json, "timestamp", place, INT64_MIN, INT64_MAX, &signer->claim.timestamp, err);
}

static int parse_origin(const json_t *json, TrustOrigin *origin, Error *err) {
        json_t *keys, *signers, *entry;
        size_t i;

        if (json_need_root(json, place, err) < 0 || json_opt_string_copy(json, "name", place, &origin->name, err) < 0 ||
            json_need_string_copy(json, "transport", place, &origin->transport, err) < 0 ||
            json_opt_string_copy(json, "path", place, &origin->path, err) < 0 ||
            json_opt_string_copy(json, "reference", place, &origin->reference, err) < 0 ||
            json_need_string_copy(json, "rule", place, &origin->rule, err) < 0 ||
            json_need_string_copy(json, "ruleName", place, &origin->rule_name, err) < 0 ||
            json_need_string_copy(json, "policy", place, &origin->policy, err) < 0 ||
            json_need_array(json, "keys", place, &keys, err) < 0 || json_need_array(json, "signers", place, &signers, err) < 0)
                return -1;
        json_array_foreach(keys, i, entry)
                if (strv_push(&origin->keys, json_string_value(entry) ?: "", err) < 0)
                        return -1;
        origin->signers = calloc(json_array_size(signers) + 1, sizeof(*origin->signers));
        if (!origin->signers)
                return error_oom(err);
        json_array_foreach(signers, i, entry) {
                origin->n_signers++;
                if (parse_signer(entry, &origin->signers[i], err) < 0)
                        return -1;
        }
        return 0;
}

static void record_name(const Digest *manifest, char ret[NAME_MAX + 1]) {
        snprintf(ret, NAME_MAX + 1, "%s.trust", digest_hex(manifest));
}

static int parse(const json_t *json, TrustRecord *record, Error *err) {
        json_t *origins, *entry;
        size_t i;

        if (json_need_array(json, "origins", place, &origins, err) < 0)
                return -1;
        record->items = calloc(json_array_size(origins) + 1, sizeof(*record->items));
        if (!record->items)
                return error_oom(err);
        json_array_foreach(origins, i, entry) {
                record->n++;
                if (parse_origin(entry, &record->items[i], err) < 0)
                        return -1;
        }
        return 0;
}

int trust_record_load(Store *store, const Digest *manifest, TrustRecord *ret, Error *err) {
        _cleanup_trust_record_ TrustRecord record = { 0 };
        _cleanup_json_ json_t *json = NULL;
        char name[NAME_MAX + 1];
        Error cause = ERROR_INIT;

        *ret = (TrustRecord) { 0 };
        if (store_images_fd(store) < 0)
                return 0;
        record_name(manifest, name);
        if (json_load_at(store_images_fd(store), name, TRUST_RECORD_MAX, &json, &cause) < 0 || parse(json, &record, &cause) < 0) {
                if (cause.errnum == ENOENT || cause.kind == ERROR_INVALID_JSON || cause.kind == ERROR_INVALID_SPEC)
                        return 0;
                if (err)
                        *err = cause;
                return error_prefix(err, "record of trust of '%s'", manifest->text);
        }
        *ret = record;
        record = (TrustRecord) { 0 };
        return 0;
}

static bool same_origin(const TrustOrigin *a, const TrustOrigin *b) {
        return string_equal(a->name, b->name) && string_equal(a->transport, b->transport) && string_equal(a->path, b->path) &&
               string_equal(a->reference, b->reference);
}

static int save(Store *store, const Digest *manifest, const TrustRecord *record, const TrustOrigin *added, Error *err) {
        _cleanup_json_ json_t *json = json_pack("{s:[]}", "origins");
        json_t *origins = json_object_get(json, "origins");
        char name[NAME_MAX + 1];

        if (!json)
                return error_oom(err);
        for (size_t i = 0; i < record->n; i++)
                if (!same_origin(&record->items[i], added) && origin_json(&record->items[i], origins, err) < 0)
                        return -1;
        if (origin_json(added, origins, err) < 0)
                return -1;
        while (json_array_size(origins) > TRUST_ORIGINS_MAX)
                json_array_remove(origins, 0);
        record_name(manifest, name);
        return json_save_at(store_images_fd(store), name, json, 0600, 0, err);
}

int trust_record_add(Store *store, const Digest *manifest, const TrustOrigin *origin, Error *err) {
        _cleanup_trust_record_ TrustRecord record = { 0 };
        _cleanup_close_ int lock = -EBADF;

        if (store_lock(store, "trust", true, true, &lock, err) < 0 || trust_record_load(store, manifest, &record, err) < 0 ||
            save(store, manifest, &record, origin, err) < 0)
                return error_prefix(err, "record of trust of '%s'", manifest->text);
        return 0;
}

int trust_origin_holds(const TrustOrigin *origin, const TrustRule *rule, bool *ret, Error *err) {
        _cleanup_keys_ TrustKeys keys = { 0 };
        _cleanup_strv_ char **now = NULL;

        *ret = false;
        if (strcmp(origin->rule, rule->text) != 0)
                return 0;
        if (rule_keys(rule, &keys, err) < 0 || keys_text(&keys, &now, err) < 0)
                return -1;
        if (strv_length(now) != strv_length(origin->keys))
                return 0;
        for (size_t i = 0; i < keys.n; i++)
                if (strcmp(now[i], origin->keys[i]) != 0)
                        return 0;
        *ret = true;
        return 0;
}
