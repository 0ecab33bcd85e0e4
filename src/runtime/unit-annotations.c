/* "org.systemd.property.*" annotations: GVariant's text read into properties. Sources: GLib, "GVariant Text Format"; runc, docs/systemd.md */

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "runtime/unit-properties.h"

#define PREFIX   "org.systemd.property."
#define US_PER_S 1000000

static const struct NumberType {
        const char *word, *type;
        int64_t min;
        uint64_t max;
} number_types[] = {
        { "byte",   "y", 0,         UINT8_MAX },
        { "int16",  "n", INT16_MIN, INT16_MAX },
        { "uint16", "q", 0,         UINT16_MAX },
        { "int32",  "i", INT32_MIN, INT32_MAX },
        { "uint32", "u", 0,         UINT32_MAX },
        { "int64",  "x", INT64_MIN, INT64_MAX },
        { "uint64", "t", 0,         UINT64_MAX },
};

static void skip_blanks(const char **p) {
        *p += strspn(*p, " \t\n");
}

/* A text in single or double quotes, with \\, \' and \" in it. */
static bool read_quoted(const char **p, char *ret) {
        char quote = **p, *to = ret;
        const char *c = *p;

        if (quote != '\'' && quote != '"')
                return false;
        for (c++; *c && *c != quote; c++) {
                if (*c == '\\' && !strchr("\\'\"", *++c))
                        return false;
                *to++ = *c;
        }
        if (*c != quote)
                return false;
        *to = '\0';
        *p = c + 1;
        return true;
}

/* "['a', 'b']" after "[". */
static int read_list(const char **p, char *scratch, char ***ret, bool *ret_wrong, Error *err) {
        _cleanup_strv_ char **list = calloc(1, sizeof(*list));

        if (!list)
                return error_oom(err);
        *ret_wrong = true;
        for (skip_blanks(p); **p != ']'; skip_blanks(p)) {
                if (!read_quoted(p, scratch))
                        return 0;
                if (strv_push(&list, scratch, err) < 0)
                        return -1;
                skip_blanks(p);
                if (**p == ',')
                        (*p)++;
                else if (**p != ']')
                        return 0;
        }
        (*p)++;
        *ret = TAKE(list);
        *ret_wrong = false;
        return 0;
}

/* "5", "-5" or "uint64 5"; a number without a type is an int32. */
static bool read_number(const char **p, const char **ret_type, uint64_t *ret) {
        const struct NumberType *row = NULL;
        bool negative;
        char *end;

        for (size_t i = 0; i < ARRAY_SIZE(number_types); i++) {
                size_t len = strlen(number_types[i].word);

                if (!strncmp(*p, number_types[i].word, len) && isspace((unsigned char) (*p)[len])) {
                        row = &number_types[i];
                        *p += len;
                        skip_blanks(p);
                        break;
                }
        }
        if (!row)
                row = &number_types[3];
        negative = **p == '-';
        if (!isdigit((unsigned char) (*p)[negative]))
                return false;
        errno = 0;
        if (negative) {
                long long number = strtoll(*p, &end, 10);

                if (errno != 0 || number < row->min)
                        return false;
                *ret = (uint64_t) number;
        } else {
                *ret = strtoull(*p, &end, 10);
                if (errno != 0 || *ret > row->max)
                        return false;
        }
        *p = end;
        *ret_type = row->type;
        return true;
}

static int wrong_value(const char *key, const char *value, Error *err) {
        error_set(err, ERROR_INVALID_SPEC, "annotation '%s': '%s' is not a value", key, value);
        return error_hint(err, "such as true, uint64 5, 'text' or ['text', 'text']");
}

/* "TimeoutStopSec" is "TimeoutStopUSec" in microseconds, as 64 bits without a sign. */
static int add_number(UnitProperties *properties, const char *key, const char *name, const char *type, uint64_t number, Error *err) {
        size_t len = strlen(name);
        _cleanup_free_ char *usec = NULL;

        if (len < 5 || strcmp(name + len - 3, "Sec") || name[len - 4] == 'U')
                return property_add_number(properties, name, type, number, err);
        if (number > INT64_MAX / US_PER_S)
                return error_set(err, ERROR_INVALID_SPEC, "annotation '%s': too long a time", key);
        if (string_format(&usec, err, "%.*sUSec", (int) (len - 3), name) < 0)
                return -1;
        return property_add_number(properties, usec, "t", number * US_PER_S, err);
}

static int add_property(UnitProperties *properties, const char *key, const char *name, const char *value, Error *err) {
        _cleanup_free_ char *scratch = malloc(strlen(value) + 1);
        _cleanup_strv_ char **list = NULL;
        const char *p = value, *type;
        bool wrong = false;
        uint64_t number;

        if (!scratch)
                return error_oom(err);
        skip_blanks(&p);
        if (!strcmp(p, "true") || !strcmp(p, "false"))
                return property_add_number(properties, name, "b", !strcmp(p, "true"), err);
        if (!strncmp(p, "@as", 3)) {
                p += 3;
                skip_blanks(&p);
        }
        if (*p == '[') {
                p++;
                if (read_list(&p, scratch, &list, &wrong, err) < 0)
                        return -1;
        } else if (read_number(&p, &type, &number)) {
                skip_blanks(&p);
                return *p ? wrong_value(key, value, err) : add_number(properties, key, name, type, number, err);
        } else
                wrong = !read_quoted(&p, scratch);
        skip_blanks(&p);
        if (wrong || *p)
                return wrong_value(key, value, err);
        return list ? property_add_strings(properties, name, "as", TAKE(list), err) : property_add_string(properties, name, scratch, err);
}

int properties_from_annotations(const json_t *annotations, UnitProperties *properties, Error *err) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) annotations, key, value) {
                const char *name = key + strlen(PREFIX);
                size_t len;

                if (strncmp(key, PREFIX, strlen(PREFIX)))
                        continue;
                len = strlen(name);
                for (size_t i = 0; i < len; i++)
                        if (!isalpha((unsigned char) name[i]))
                                len = 0;
                if (len < 3)
                        return error_set(err, ERROR_INVALID_SPEC, "annotation '%s': not the name of a property", key);
                if (!json_is_string(value))
                        return error_set(err, ERROR_INVALID_SPEC, "annotation '%s': not a string", key);
                if (add_property(properties, key, name, json_string_value(value), err) < 0)
                        return -1;
        }
        return 0;
}
