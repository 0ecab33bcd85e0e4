/* Parsing, printing and reading fields of JSON. */

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json-quick.h"

#define QUICK_MAX  (128u << 10) /* bytes of a text that is worth a first try, which may be in vain */
#define VALUE_COST 300 /* bytes of memory; jansson's most for one value, where the text spends three ("{},") */

/* An upper bound of the values in a text, right for any valid one. The text's own size is no cap on memory. */
static size_t count_values(const char *data, size_t len) {
        bool in_string = false;
        size_t n = 1;

        for (size_t i = 0; i < len; i++)
                if (data[i] == '"')
                        in_string = !in_string;
                else if (in_string)
                        i += data[i] == '\\';
                else
                        n += data[i] == ',' || data[i] == '{' || data[i] == '[';
        return n;
}

/*
 * Whether what a text of @n values may cost can be had at all. Where memory ends in the middle of a token, jansson sees bad syntax, so that
 * shall not happen.
 */
static bool is_affordable(size_t n, size_t len) {
        volatile char *room = malloc(n * VALUE_COST + len);

        if (!room)
                return false;
        room[0] = 0; /* a compiler may take an allocation that nobody uses for granted */
        free((char *) room);
        return true;
}

int json_parse(const char *data, size_t len, const char *what, json_t **ret, Error *err) {
        json_error_t cause;
        json_t *json;
        size_t n;

        json = len <= QUICK_MAX ? json_parse_quick(data, len, false, JSON_VALUES_MAX) : NULL;
        if (json) {
                *ret = json;
                return 0;
        }
        n = count_values(data, len);

        /* jansson steps over a NUL between tokens; what others refuse must not mean something here. */
        if (memchr(data, '\0', len))
                return error_set(err, ERROR_INVALID_JSON, "%s: a NUL byte", what);
        if (n > JSON_VALUES_MAX)
                return error_set(err, ERROR_INVALID_JSON, "%s: more than %u values", what, JSON_VALUES_MAX);
        if (!is_affordable(n, len))
                return error_oom(err);
        json = json_loadb(data, len, JSON_REJECT_DUPLICATES, &cause);
        if (!json) {
                /* jansson does not say so of every allocation that failed; then it says nothing at all. */
                if (json_error_code(&cause) == json_error_out_of_memory || !cause.text[0])
                        return error_oom(err);
                return error_set(err, ERROR_INVALID_JSON, "%s: line %d, column %d: %s", what, cause.line, cause.column, cause.text);
        }
        *ret = json;
        return 0;
}

int json_load_at(int dir_fd, const char *path, size_t max, json_t **ret, Error *err) {
        _cleanup_free_ char *data = NULL;
        size_t len;

        if (file_read_at(dir_fd, path, max, &data, &len, err) < 0)
                return -1;
        return json_parse(data, len, path, ret, err);
}

int json_print(const json_t *json, char **ret, Error *err) {
        char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

        if (!text)
                return error_oom(err);
        *ret = text;
        return 0;
}

int json_save_at(int dir_fd, const char *name, const json_t *json, mode_t mode, unsigned flags, Error *err) {
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (json_print(json, &text, err) < 0)
                return -1;
        /* The terminating NUL's place takes the newline. */
        len = strlen(text);
        text[len] = '\n';
        return file_write_atomic_at(dir_fd, name, text, len + 1, mode, flags, err);
}

/* Steps over a string that starts at @p (its opening quote); returns the place after the closing quote. */
static const char *skip_string(const char *p) {
        for (p++; *p && *p != '"'; p++)
                if (*p == '\\' && p[1])
                        p++;
        return *p ? p + 1 : p;
}

static const char *skip_space(const char *p, unsigned *line) {
        for (; *p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'; p++)
                *line += *p == '\n';
        return p;
}

/* Whether the string token from @p to @end, quotes included, spells @key; escapes are left to jansson. */
static bool token_is(const char *p, const char *end, const char *key) {
        _cleanup_json_ json_t *decoded = NULL;
        size_t len = (size_t) (end - p);

        if (!memchr(p, '\\', len))
                return len == strlen(key) + 2 && !memcmp(p + 1, key, len - 2);
        decoded = json_loadb(p, len, JSON_DECODE_ANY, NULL);
        return decoded && !strcmp(json_string_value(decoded), key);
}

static bool is_index(const char *element, size_t index) {
        char text[32];

        snprintf(text, sizeof(text), "[%zu]", index);
        return !strcmp(element, text);
}

unsigned json_key_line(const char *text, const char *const path[]) {
        size_t depth = 0, matched = 0, index = 0;
        unsigned line = 1;
        bool in_array = false;

        if (!path[0])
                return 0;

        /* The container that holds path[matched] is the one at depth matched + 1; what is deeper, or was before, is stepped over. */
        for (const char *p = skip_space(text, &line); *p; p = skip_space(p, &line)) {
                bool element = false;

                if (*p == '"') {
                        const char *end = skip_string(p);
                        unsigned after = line;

                        if (!in_array && depth == matched + 1 && *skip_space(end, &after) == ':' && token_is(p, end, path[matched]))
                                if (!path[++matched])
                                        return line;
                        p = end;
                        continue;
                }
                if (*p == '{' || *p == '[') {
                        depth++;
                        if (depth == matched + 1) {
                                in_array = *p == '[';
                                index = 0;
                                element = in_array;
                        }
                } else if (*p == '}' || *p == ']') {
                        if (depth <= matched + 1)
                                return 0;
                        depth--;
                } else if (*p == ',') {
                        if (depth <= matched)
                                return 0;
                        if (in_array && depth == matched + 1) {
                                index++;
                                element = true;
                        }
                }
                p++;
                if (element && is_index(path[matched], index)) {
                        p = skip_space(p, &line);
                        if (!path[++matched])
                                return line;
                        in_array = false;
                }
        }
        return 0;
}

static int field_error(const char *key, JsonPlace place, const char *wanted, Error *err) {
        return error_set(err, place.kind, "%s: '%s' is not %s", place.where, key, wanted);
}

static int missing_error(const char *key, JsonPlace place, Error *err) {
        return error_set(err, place.kind, "%s: '%s' is missing", place.where, key);
}

/* Absent and null are the same. */
static json_t *field(const json_t *object, const char *key) {
        json_t *value = json_object_get(object, key);

        return json_is_null(value) ? NULL : value;
}

int json_need_root(const json_t *json, JsonPlace place, Error *err) {
        if (!json_is_object(json))
                return error_set(err, place.kind, "%s: not an object", place.where);
        return 0;
}

int json_opt_string(const json_t *object, const char *key, JsonPlace place, const char **ret, Error *err) {
        json_t *value = field(object, key);

        if (!value)
                return 0;
        if (!json_is_string(value))
                return field_error(key, place, "a string", err);
        *ret = json_string_value(value);
        return 0;
}

int json_need_string(const json_t *object, const char *key, JsonPlace place, const char **ret, Error *err) {
        if (!field(object, key))
                return missing_error(key, place, err);
        return json_opt_string(object, key, place, ret, err);
}

int json_opt_string_copy(const json_t *object, const char *key, JsonPlace place, char **ret, Error *err) {
        const char *text = NULL;

        if (json_opt_string(object, key, place, &text, err) < 0)
                return -1;
        return text ? string_copy(text, ret, err) : 0;
}

int json_need_string_copy(const json_t *object, const char *key, JsonPlace place, char **ret, Error *err) {
        const char *text = NULL;

        if (json_need_string(object, key, place, &text, err) < 0)
                return -1;
        return string_copy(text, ret, err);
}

int json_opt_integer(const json_t *object, const char *key, JsonPlace place, int64_t min, int64_t max, int64_t *ret, Error *err) {
        json_t *value = field(object, key);

        if (!value)
                return 0;
        if (!json_is_integer(value))
                return field_error(key, place, "an integer", err);
        if (json_integer_value(value) < min || json_integer_value(value) > max)
                return error_set(err, place.kind, "%s: '%s' is %" JSON_INTEGER_FORMAT ", not between %lld and %lld", place.where, key,
                                 json_integer_value(value), (long long) min, (long long) max);
        *ret = json_integer_value(value);
        return 0;
}

int json_need_integer(const json_t *object, const char *key, JsonPlace place, int64_t min, int64_t max, int64_t *ret, Error *err) {
        if (!field(object, key))
                return missing_error(key, place, err);
        return json_opt_integer(object, key, place, min, max, ret, err);
}

int json_opt_bool(const json_t *object, const char *key, JsonPlace place, bool *ret, Error *err) {
        json_t *value = field(object, key);

        if (!value)
                return 0;
        if (!json_is_boolean(value))
                return field_error(key, place, "true or false", err);
        *ret = json_is_true(value);
        return 0;
}

int json_opt_object(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err) {
        json_t *value = field(object, key);

        if (!value)
                return 0;
        if (!json_is_object(value))
                return field_error(key, place, "an object", err);
        *ret = value;
        return 0;
}

int json_need_object(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err) {
        if (!field(object, key))
                return missing_error(key, place, err);
        return json_opt_object(object, key, place, ret, err);
}

int json_opt_array(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err) {
        json_t *value = field(object, key);

        if (!value)
                return 0;
        if (!json_is_array(value))
                return field_error(key, place, "an array", err);
        *ret = value;
        return 0;
}

int json_need_array(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err) {
        if (!field(object, key))
                return missing_error(key, place, err);
        return json_opt_array(object, key, place, ret, err);
}

json_t *json_array_of(json_t *object, const char *key) {
        json_t *array = json_object_get(object, key);

        if (!array && (!(array = json_array()) || json_object_set_new(object, key, array) < 0))
                return NULL;
        return array;
}
