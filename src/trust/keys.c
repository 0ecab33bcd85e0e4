/* Reading the keys that a policy names. */

#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/fs.h"
#include "trust/verdict.h"

static int make_room(TrustKeys *keys, TrustKey **ret, Error *err) {
        TrustKey *items = reallocarray(keys->items, keys->n + 1, sizeof(*items));

        if (!items)
                return error_oom(err);
        keys->items = items;
        *ret = &items[keys->n];
        **ret = (TrustKey) { 0 };
        return 0;
}

static int add_file(TrustKeys *keys, const char *path, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        _cleanup_free_ char *data = NULL;
        TrustKey *key;
        size_t len;

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "key '%s'", path);
        if (file_read_fd(fd, path, TRUST_KEY_SIZE_MAX, &data, &len, err) < 0)
                return error_prefix(err, "key");
        if (make_room(keys, &key, err) < 0 || string_copy(path, &key->path, err) < 0)
                return -1;
        key->data = TAKE(data);
        key->len = len;
        keys->n++;
        return 0;
}

static int add_data(TrustKeys *keys, const char *text, Error *err) {
        _cleanup_buf_ Buf data = BUF_INIT(TRUST_KEY_SIZE_MAX);
        TrustKey *key;

        if (base64_decode(&data, text, err) < 0 || make_room(keys, &key, err) < 0)
                return -1;
        key->len = data.len;
        key->data = TAKE(data.data);
        keys->n++;
        return 0;
}

static int requirement_keys(const TrustRequirement *requirement, TrustKeys *ret, Error *err) {
        for (char **path = requirement->key_paths; path && *path; path++)
                if (add_file(ret, *path, err) < 0)
                        return -1;
        for (char **text = requirement->key_data; text && *text; text++)
                if (add_data(ret, *text, err) < 0)
                        return -1;
        return 0;
}

int rule_keys(const TrustRule *rule, TrustKeys *ret, Error *err) {
        _cleanup_keys_ TrustKeys keys = { 0 };

        for (size_t i = 0; i < rule->n; i++) {
                if (requirement_keys(&rule->requirements[i], &keys, err) < 0)
                        return -1;
                if (keys.n > TRUST_KEYS_MAX)
                        return error_set(err, ERROR_INVALID_CONFIG, "more than %d keys", TRUST_KEYS_MAX);
        }
        *ret = keys;
        keys = (TrustKeys) { 0 };
        return 0;
}
