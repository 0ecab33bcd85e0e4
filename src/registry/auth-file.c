/* Auth files: containers' auth.json and docker's config.json. */

#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "registry/credentials.h"

void credentials_clear(Credentials *credentials) {
        char *secrets[] = { credentials->user, credentials->password, credentials->identity_token };

        for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
                if (secrets[i])
                        explicit_bzero(secrets[i], strlen(secrets[i]));
                free(secrets[i]);
        }
        *credentials = (Credentials) { 0 };
}

int auth_file_parse(const char *data, size_t len, const char *what, json_t **ret, Error *err) {
        static const char *const objects[] = { "auths", "credHelpers" };
        const JsonPlace place = { what, ERROR_INVALID_CONFIG };
        _cleanup_json_ json_t *json = NULL;
        const char *store = NULL;

        /* podman makes such files: an empty one says nothing. */
        if (len == 0) {
                *ret = json_object();
                return *ret ? 0 : error_oom(err);
        }
        if (json_parse(data, len, what, &json, err) < 0 || json_need_root(json, place, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
                json_t *object = NULL;

                if (json_opt_object(json, objects[i], place, &object, err) < 0)
                        return -1;
        }
        if (json_opt_string(json, "credsStore", place, &store, err) < 0)
                return -1;
        *ret = TAKE(json);
        return 0;
}

/* Docker writes "https://index.docker.io/v1/" and "https://HOST/v2/" where containers write "docker.io" and "HOST/NAMESPACE". */
static int normal_key(const char *key, char **ret, Error *err) {
        static const char *const hubs[] = { "index.docker.io", "registry-1.docker.io" };
        const char *host = key;
        size_t len;

        if (!strncmp(key, "https://", 8))
                host = key + 8;
        else if (!strncmp(key, "http://", 7))
                host = key + 7;
        len = host == key ? strlen(host) : strcspn(host, "/");
        for (size_t i = 0; i < ARRAY_SIZE(hubs); i++) {
                const size_t n = strlen(hubs[i]);

                if (len >= n && !strncmp(host, hubs[i], n) && (len == n || host[n] == '/'))
                        return string_format(ret, err, "docker.io%.*s", (int) (len - n), host + n);
        }
        return string_format(ret, err, "%.*s", (int) len, host);
}

/* How much of "HOST/A/B" a key covers: 0 for nothing. */
static size_t key_covers(const char *key, const char *name) {
        const size_t n = strlen(key);

        return n > 0 && !strncmp(key, name, n) && (!name[n] || name[n] == '/') ? n : 0;
}

/* The value of the most specific key; the key itself is borrowed too. */
static int find_key(const json_t *object, const char *name, const char **ret_key, json_t **ret, Error *err) {
        size_t best = 0;
        const char *key;
        json_t *value;

        *ret = NULL;
        json_object_foreach((json_t *) object, key, value) {
                _cleanup_free_ char *normal = NULL;
                size_t n;

                if (normal_key(key, &normal, err) < 0)
                        return -1;
                n = key_covers(normal, name);
                if (n > best) {
                        best = n;
                        *ret_key = key;
                        *ret = value;
                }
        }
        return 0;
}

/* base64 of USER:PASSWORD */
static int parse_auth(const char *key, const char *text, Credentials *ret, Error *err) {
        _cleanup_buf_ Buf plain = BUF_INIT(SECRET_MAX);
        const char *colon;
        int r;

        if (base64_decode(&plain, text, NULL) < 0 || !plain.data || memchr(plain.data, '\0', plain.len) ||
            !(colon = strchr(plain.data, ':')))
                return error_set(err, ERROR_INVALID_CONFIG, "auths: '%.100s': 'auth' is not base64 of USER:PASSWORD", key);
        r = string_format(&ret->user, err, "%.*s", (int) (colon - plain.data), plain.data);
        if (r == 0)
                r = string_copy(colon + 1, &ret->password, err);
        /* Docker pads passwords with NUL in some versions, which the check above has refused; nothing of the secret stays behind. */
        explicit_bzero(plain.data, plain.len);
        return r;
}

static int parse_entry(const char *key, const json_t *entry, Credentials *ret, Error *err) {
        _cleanup_(credentials_clear) Credentials found = { 0 };
        const JsonPlace place = { "auths", ERROR_INVALID_CONFIG };
        const char *auth = NULL, *token = NULL;

        if (json_need_root(entry, place, err) < 0 || json_opt_string(entry, "auth", place, &auth, err) < 0 ||
            json_opt_string(entry, "identitytoken", place, &token, err) < 0)
                return -1;
        if (token && strlen(token) > SECRET_MAX)
                return error_set(err, place.kind, "auths: '%.100s': 'identitytoken' is too long", key);
        if (token && token[0] && string_copy(token, &found.identity_token, err) < 0)
                return -1;
        if (auth && auth[0] && parse_auth(key, auth, &found, err) < 0)
                return -1;
        *ret = found;
        found = (Credentials) { 0 };
        return 0;
}

/* What a helper calls a registry: its own key when the file has one, and Docker Hub by its old name. */
static int helper_server(const char *key, const Reference *name, char **ret, Error *err) {
        if (key)
                return string_copy(key, ret, err);
        return string_copy(!strcmp(name->registry, "docker.io") ? "https://index.docker.io/v1/" : name->registry, ret, err);
}

int auth_file_find(const json_t *file, const Reference *name, Credentials *ret, char **ret_helper, char **ret_server, Error *err) {
        _cleanup_free_ char *full = NULL, *helper = NULL, *server = NULL;
        const char *key = NULL, *store = json_string_value(json_object_get(file, "credsStore"));
        json_t *value;

        *ret_helper = *ret_server = NULL;
        if (string_format(&full, err, "%s/%s", name->registry, name->repository) < 0 ||
            find_key(json_object_get(file, "credHelpers"), full, &key, &value, err) < 0)
                return -1;
        if (value && !json_is_string(value))
                return error_set(err, ERROR_INVALID_CONFIG, "credHelpers: '%.100s' is not a string", key);
        if (value) {
                if (string_copy(json_string_value(value), &helper, err) < 0 || helper_server(key, name, &server, err) < 0)
                        return -1;
        } else {
                if (find_key(json_object_get(file, "auths"), full, &key, &value, err) < 0 ||
                    (value && parse_entry(key, value, ret, err) < 0))
                        return -1;
                if (credentials_are_set(ret) || !store || !store[0])
                        return 0;
                if (string_copy(store, &helper, err) < 0 || helper_server(NULL, name, &server, err) < 0)
                        return -1;
        }
        *ret_helper = TAKE(helper);
        *ret_server = TAKE(server);
        return 0;
}
