/* JSON strings from text of any origin: jansson refuses what is not UTF-8 with the same NULL as out of memory; here they differ. */

#include "oci/spec-parts.h"

int text_json(const char *text, const char *what, json_t **ret, Error *err) {
        json_t *json = json_string(text), *unchecked;

        if (json) {
                *ret = json;
                return 0;
        }
        unchecked = json_string_nocheck(text);
        if (!unchecked)
                return error_oom(err);
        json_decref(unchecked);
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s: '%s' is not UTF-8, and a container's configuration is", what, text);
}

int part_set(json_t *object, const char *key, json_t *value, Error *err) {
        if (json_object_set_new(object, key, value) < 0)
                return error_oom(err);
        return 0;
}

int part_append(json_t *array, json_t *value, Error *err) {
        if (json_array_append_new(array, value) < 0)
                return error_oom(err);
        return 0;
}

int text_append(json_t *array, const char *text, const char *what, Error *err) {
        json_t *json;

        if (text_json(text, what, &json, err) < 0)
                return -1;
        return part_append(array, json, err);
}

int text_set(json_t *object, const char *key, const char *text, const char *what, Error *err) {
        json_t *json;

        if (text_json(text, what, &json, err) < 0)
                return -1;
        return part_set(object, key, json, err);
}

int texts_json(char *const *texts, const char *what, json_t **ret, Error *err) {
        json_t *array = json_array();

        if (!array)
                return error_oom(err);
        for (; texts && *texts; texts++)
                if (text_append(array, *texts, what, err) < 0) {
                        json_decref(array);
                        return -1;
                }
        *ret = array;
        return 0;
}
