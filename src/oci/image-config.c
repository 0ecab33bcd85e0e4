/* Image configurations: parsing and checking. */

#include "oci/image-config.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/manifest.h"

#define STRINGS_MAX 4096 /* entries of one list; this program's own cap */

ImageConfig *image_config_free(ImageConfig *config) {
        if (!config)
                return NULL;
        free(config->architecture);
        free(config->os);
        free(config->variant);
        free(config->created);
        free(config->author);
        strv_free(config->env);
        strv_free(config->entrypoint);
        strv_free(config->cmd);
        free(config->user);
        free(config->working_dir);
        free(config->stop_signal);
        strv_free(config->volumes);
        strv_free(config->exposed_ports);
        json_decref(config->labels);
        free(config->diff_ids);
        free(config);
        return NULL;
}

static int too_many(const char *key, JsonPlace place, size_t n, size_t max, Error *err) {
        return error_set(err, place.kind, "%s: '%s' has %zu entries, at most %zu are accepted", place.where, key, n, max);
}

/* A list of strings; absent and null stay NULL, an empty one is an empty list. */
static int parse_strings(const json_t *object, const char *key, JsonPlace place, char ***ret, Error *err) {
        _cleanup_strv_ char **strings = NULL;
        json_t *array = NULL;
        size_t n;

        if (json_opt_array(object, key, place, &array, err) < 0)
                return -1;
        if (!array)
                return 0;
        n = json_array_size(array);
        if (n > STRINGS_MAX)
                return too_many(key, place, n, STRINGS_MAX, err);
        strings = calloc(n + 1, sizeof(*strings));
        if (!strings)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(array, i));

                if (!text)
                        return error_set(err, place.kind, "%s: '%s[%zu]' is not a string", place.where, key, i);
                if (string_copy(text, &strings[i], err) < 0)
                        return -1;
        }
        *ret = TAKE(strings);
        return 0;
}

/* The keys of a map whose values mean nothing ({"/data": {}}). */
static int parse_keys(const json_t *object, const char *key, JsonPlace place, char ***ret, Error *err) {
        _cleanup_strv_ char **keys = NULL;
        json_t *map = NULL, *value;
        const char *name;
        size_t n = 0;

        if (json_opt_object(object, key, place, &map, err) < 0)
                return -1;
        if (!map)
                return 0;
        if (json_object_size(map) > STRINGS_MAX)
                return too_many(key, place, json_object_size(map), STRINGS_MAX, err);
        keys = calloc(json_object_size(map) + 1, sizeof(*keys));
        if (!keys)
                return error_oom(err);
        json_object_foreach(map, name, value)
                if (string_copy(name, &keys[n++], err) < 0)
                        return -1;
        *ret = TAKE(keys);
        return 0;
}

static int parse_labels(json_t *object, JsonPlace place, json_t **ret, Error *err) {
        json_t *labels = NULL, *value;
        const char *name;

        if (json_opt_object(object, "Labels", place, &labels, err) < 0)
                return -1;
        if (!labels)
                return 0;
        if (json_object_size(labels) > STRINGS_MAX)
                return too_many("Labels", place, json_object_size(labels), STRINGS_MAX, err);
        json_object_foreach(labels, name, value)
                if (!json_is_string(value))
                        return error_set(err, place.kind, "%s: label '%s' is not a string", place.where, name);
        *ret = json_incref(labels);
        return 0;
}

static int check_env(char *const *env, JsonPlace place, Error *err) {
        for (size_t i = 0; env && env[i]; i++) {
                const char *equals = strchr(env[i], '=');

                if (!equals || equals == env[i])
                        return error_set(err, place.kind, "%s: 'Env[%zu]' is '%s', not NAME=VALUE", place.where, i, env[i]);
        }
        return 0;
}

static int parse_diff_ids(const json_t *json, JsonPlace place, ImageConfig *config, Error *err) {
        json_t *rootfs = NULL, *ids = NULL;
        const char *type = NULL;
        char inner[512];
        size_t n;

        if (json_need_object(json, "rootfs", place, &rootfs, err) < 0)
                return -1;
        snprintf(inner, sizeof(inner), "%s: rootfs", place.where);
        place.where = inner;
        if (json_need_string(rootfs, "type", place, &type, err) < 0 || json_opt_array(rootfs, "diff_ids", place, &ids, err) < 0)
                return -1;
        if (strcmp(type, "layers"))
                return error_set(err, place.kind, "%s: 'type' is '%s', not 'layers'", place.where, type);

        n = json_array_size(ids);
        if (n > MANIFEST_LAYER_MAX)
                return too_many("diff_ids", place, n, MANIFEST_LAYER_MAX, err);
        config->diff_ids = calloc(n ?: 1, sizeof(*config->diff_ids));
        if (!config->diff_ids)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(ids, i));

                if (!text)
                        return error_set(err, place.kind, "%s: 'diff_ids[%zu]' is not a string", place.where, i);
                if (digest_parse(text, &config->diff_ids[i], err) < 0)
                        return error_prefix(err, "%s: diff_ids[%zu]", place.where, i);
        }
        config->n_diff_ids = n;
        return 0;
}

int image_config_parse(const char *data, size_t len, const char *where, ImageConfig **ret, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_json_ json_t *json = NULL;
        JsonPlace place = { where, ERROR_INVALID_SPEC };
        json_t *run = NULL;

        if (len > IMAGE_CONFIG_SIZE_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "%s: %zu bytes, at most %u are accepted", where, len, IMAGE_CONFIG_SIZE_MAX);
        if (json_parse(data, len, where, &json, err) < 0 || json_need_root(json, place, err) < 0)
                return -1;

        config = calloc(1, sizeof(*config));
        if (!config)
                return error_oom(err);
        if (json_need_string_copy(json, "architecture", place, &config->architecture, err) < 0 ||
            json_need_string_copy(json, "os", place, &config->os, err) < 0 ||
            json_opt_string_copy(json, "variant", place, &config->variant, err) < 0 ||
            json_opt_string_copy(json, "created", place, &config->created, err) < 0 ||
            json_opt_string_copy(json, "author", place, &config->author, err) < 0 ||
            parse_diff_ids(json, place, config, err) < 0 ||
            json_opt_object(json, "config", place, &run, err) < 0)
                return -1;
        if (parse_strings(run, "Env", place, &config->env, err) < 0 || check_env(config->env, place, err) < 0 ||
            parse_strings(run, "Entrypoint", place, &config->entrypoint, err) < 0 ||
            parse_strings(run, "Cmd", place, &config->cmd, err) < 0 ||
            json_opt_string_copy(run, "User", place, &config->user, err) < 0 ||
            json_opt_string_copy(run, "WorkingDir", place, &config->working_dir, err) < 0 ||
            json_opt_string_copy(run, "StopSignal", place, &config->stop_signal, err) < 0 ||
            parse_keys(run, "Volumes", place, &config->volumes, err) < 0 ||
            parse_keys(run, "ExposedPorts", place, &config->exposed_ports, err) < 0 ||
            parse_labels(run, place, &config->labels, err) < 0)
                return -1;
        *ret = TAKE(config);
        return 0;
}
