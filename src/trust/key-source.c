/* The ways to name keys in policy.json, and what of them is not checked by this program: read as strictly as what is.
 * Source: containers-policy.json(5), "signedBy", "sigstoreSigned" */

#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "trust/requirement.h"

static bool ends_with(const char *text, const char *end) {
        const size_t len = strlen(text), end_len = strlen(end);

        return len >= end_len && !strcmp(text + len - end_len, end);
}

bool key_source_is_data(const char *key) {
        return ends_with(key, "Data") || ends_with(key, "Datas");
}

/* As Go's decoder has it, no padding may be missing. */
static int check_data(const char *text, Error *err) {
        _cleanup_buf_ Buf decoded = BUF_INIT(TRUST_KEY_SIZE_MAX);

        if (strlen(text) % 4 != 0)
                return error_set(err, ERROR_INVALID_CONFIG, "not base64: its length is wrong");
        if (base64_decode(&decoded, text, err) == 0)
                return 0;
        if (err && err->kind != ERROR_OUT_OF_MEMORY)
                err->kind = ERROR_INVALID_CONFIG;
        return -1;
}

static int take_text(const json_t *json, const char *key, const char *where, char ***ret, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *text = NULL;

        if (json_need_string(json, key, place, &text, err) < 0)
                return -1;
        if (!text[0])
                return error_set(err, ERROR_INVALID_CONFIG, "%s: '%s' is empty", where, key);
        if (key_source_is_data(key) && check_data(text, err) < 0)
                return error_prefix(err, "%s: '%s'", where, key);
        return strv_push(ret, text, err);
}

int key_source_take(const json_t *json, const char *key, const char *where, char ***ret, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        json_t *list, *entry;
        size_t i;

        if (!ends_with(key, "Paths") && !ends_with(key, "Datas"))
                return take_text(json, key, where, ret, err);
        if (json_need_array(json, key, place, &list, err) < 0)
                return -1;
        if (json_array_size(list) == 0 || json_array_size(list) > POLICY_KEYS_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: '%s' has %zu entries, not 1 to %d", where, key, json_array_size(list),
                                 POLICY_KEYS_MAX);
        json_array_foreach(list, i, entry) {
                _cleanup_json_ json_t *one = json_pack("{s:O}", key, entry);

                if (!one)
                        return error_oom(err);
                if (take_text(one, key, where, ret, err) < 0)
                        return -1;
        }
        return 0;
}

/** How many of some keys an object may have; @keys: NULL-terminated */
typedef struct Choice {
        const char *keys[5];
        unsigned min, max;
} Choice;

static const Choice fulcio_choices[] = {
        { { "caPath", "caData" }, 1, 1 },
        { { "oidcIssuer" }, 1, 1 },
        { { "subjectEmail" }, 1, 1 },
};

static const Choice pki_choices[] = {
        { { "caRootsPath", "caRootsData" }, 1, 1 },
        { { "caIntermediatesPath", "caIntermediatesData" }, 0, 1 },
        { { "subjectEmail", "subjectHostname" }, 1, 2 },
};

static const Choice rekor_choice = {
        { "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas" }, 0, 1,
};

/** What stands for a key in place of one */
static const struct {
        const char *key;
        const char *keys[7]; /* all that it may have */
        const Choice *choices;
        size_t n;
        bool needs_rekor;
} authorities[] = {
        { "fulcio", { "caPath", "caData", "oidcIssuer", "subjectEmail" }, fulcio_choices, ARRAY_SIZE(fulcio_choices), true },
        { "pki",
          { "caRootsPath", "caRootsData", "caIntermediatesPath", "caIntermediatesData", "subjectEmail", "subjectHostname" },
          pki_choices,
          ARRAY_SIZE(pki_choices),
          false },
};

static int check_choice(const json_t *json, const Choice *choice, const char *where, const char **ret_last, Error *err) {
        unsigned n = 0;

        for (const char *const *key = choice->keys; *key; key++) {
                _cleanup_strv_ char **texts = NULL;

                if (!json_object_get(json, *key))
                        continue;
                if (key_source_take(json, *key, where, &texts, err) < 0)
                        return -1;
                *ret_last = *key;
                n++;
        }
        if (n > choice->max)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: more than one of '%s' and the like", where, choice->keys[0]);
        if (n < choice->min)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: no '%s'%s", where, choice->keys[0],
                                 choice->keys[1] ? " or the like" : "");
        return 0;
}

int sigstore_beyond(const json_t *json, const char *where, const char **ret_key, unsigned *ret_sources, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *rekor = NULL;

        if (check_choice(json, &rekor_choice, where, &rekor, err) < 0)
                return -1;
        if (rekor)
                *ret_key = rekor;
        for (size_t a = 0; a < ARRAY_SIZE(authorities); a++) {
                _cleanup_free_ char *inner = NULL;
                json_t *object = NULL;
                const char *last;

                if (json_opt_object(json, authorities[a].key, place, &object, err) < 0)
                        return -1;
                if (!object)
                        continue;
                if (string_format(&inner, err, "%s.%s", where, authorities[a].key) < 0 ||
                    json_check_keys(object, authorities[a].keys, inner, err) < 0)
                        return -1;
                for (size_t i = 0; i < authorities[a].n; i++)
                        if (check_choice(object, &authorities[a].choices[i], inner, &last, err) < 0)
                                return -1;
                if (authorities[a].needs_rekor && !rekor)
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: no '%s' or the like beside it", inner, rekor_choice.keys[0]);
                *ret_key = authorities[a].key;
                (*ret_sources)++;
        }
        return 0;
}
