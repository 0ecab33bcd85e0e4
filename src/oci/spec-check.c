/* Walks a configuration along the schema's tables; the first thing that is wrong is named by its path. */

#include "oci/runtime-spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "oci/spec-schema.h"

#define PLACE_TEXT_MAX 1024 /* bytes with the NUL; keys come from the file, so a path may be any length */

/* Writes the path from the outside in; cut when it does not fit. */
static size_t place_text(const Place *place, char *text, size_t size) {
        size_t len;
        int n;

        if (!place->parent)
                return 0;
        len = place_text(place->parent, text, size);
        if (place->quoted)
                n = snprintf(text + len, size - len, "['%s']", place->key);
        else if (place->key)
                n = snprintf(text + len, size - len, "%s%s", len ? "." : "", place->key);
        else
                n = snprintf(text + len, size - len, "[%zu]", place->index);
        if (n < 0)
                return len;
        return (size_t) n < size - len ? len + (size_t) n : size - 1;
}

int place_error(const Place *place, Error *err, const char *fmt, ...) {
        char text[PLACE_TEXT_MAX] = "", cause[ERROR_TEXT_MAX];
        const Place *root = place;
        va_list ap;

        if (!err)
                return -1;
        va_start(ap, fmt);
        (void) vsnprintf(cause, sizeof(cause), fmt, ap);
        va_end(ap);
        while (root->parent)
                root = root->parent;
        if (place_text(place, text, sizeof(text)) == 0)
                return error_set(err, ERROR_INVALID_SPEC, "%s: %s", root->key, cause);
        return error_set(err, ERROR_INVALID_SPEC, "%s: %s: %s", root->key, text, cause);
}

/* Go writes null for what is not set, and every runtime takes it so. */
const json_t *schema_field(const json_t *object, const char *name) {
        const json_t *value = json_object_get(object, name);

        return json_is_null(value) ? NULL : value;
}

static int walk_integer(const Schema *schema, const json_t *value, const Place *place, Error *err) {
        json_int_t n;

        /* spec_load() leaves integers between 2^63 and 2^64 as reals: jansson has no unsigned ones. */
        if (json_is_real(value) && json_real_value(value) >= 0x1p63 && json_real_value(value) <= 0x1p64) {
                if (schema->max == UINT64_MAX)
                        return 0;
                return place_error(place, err, "%.0f is not between %lld and %llu", json_real_value(value), (long long) schema->min,
                                   (unsigned long long) schema->max);
        }
        if (!json_is_integer(value))
                return place_error(place, err, "not an integer");
        n = json_integer_value(value);
        if (n < schema->min || (n > 0 && (uint64_t) n > schema->max))
                return place_error(place, err, "%lld is not between %lld and %llu", (long long) n, (long long) schema->min,
                                   (unsigned long long) schema->max);
        return 0;
}

static int walk_string(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err) {
        _cleanup_buf_ Buf names = BUF_INIT(ERROR_TEXT_MAX);

        if (!json_is_string(value))
                return place_error(place, err, "not a string");
        if (!schema->names)
                return 0;
        for (const SchemaName *n = schema->names; n->name; n++)
                if (!strcmp(n->name, json_string_value(value))) {
                        if (n->since > *version)
                                *version = n->since;
                        return 0;
                }
        for (const SchemaName *n = schema->names; n->name; n++)
                if (n->name[0] && buf_printf(&names, err, "%s%s", names.len ? ", " : "", n->name) < 0)
                        return -1;
        return place_error(place, err, "'%s' is none of %s", json_string_value(value), names.data);
}

static int walk_object(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err) {
        if (!json_is_object(value))
                return place_error(place, err, "not an object");
        for (const SchemaField *field = schema->fields; field->name; field++) {
                const Place inner = { .parent = place, .key = field->name };
                const json_t *part = schema_field(value, field->name);

                if (!part && field->required)
                        return place_error(&inner, err, "missing");
                if (!part)
                        continue;
                if (field->since > *version)
                        *version = field->since;
                if (schema_walk(field->schema, part, &inner, version, err) < 0)
                        return -1;
        }
        return 0;
}

static int walk_array(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err) {
        if (!json_is_array(value))
                return place_error(place, err, "not an array");
        if (json_array_size(value) < schema->min_items)
                return place_error(place, err, "empty");
        for (size_t i = 0; i < json_array_size(value); i++) {
                const Place inner = { .parent = place, .index = i };

                if (schema_walk(schema->items, json_array_get(value, i), &inner, version, err) < 0)
                        return -1;
        }
        return 0;
}

static int walk_map(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err) {
        const char *key;
        json_t *part;

        if (!json_is_object(value))
                return place_error(place, err, "not an object");
        json_object_foreach((json_t *) value, key, part) {
                const Place inner = { .parent = place, .key = key, .quoted = true };

                if (key[0] == '\0')
                        return place_error(place, err, "an empty key");
                if (schema_walk(schema->items, part, &inner, version, err) < 0)
                        return -1;
        }
        return 0;
}

/* Recursion is as deep as the schema, never as deep as the file. */
int schema_walk(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err) {
        int r = 0;

        switch (schema->type) {
        case SCHEMA_STRING:
                r = walk_string(schema, value, place, version, err);
                break;
        case SCHEMA_BOOLEAN:
                if (!json_is_boolean(value))
                        r = place_error(place, err, "not true or false");
                break;
        case SCHEMA_INTEGER:
                r = walk_integer(schema, value, place, err);
                break;
        case SCHEMA_OBJECT:
                r = walk_object(schema, value, place, version, err);
                break;
        case SCHEMA_ARRAY:
                r = walk_array(schema, value, place, version, err);
                break;
        case SCHEMA_MAP:
                r = walk_map(schema, value, place, version, err);
                break;
        }
        if (r < 0)
                return -1;
        return schema->rule ? schema->rule(value, place, err) : 0;
}

int spec_check(const json_t *spec, Error *err) {
        const Place root = { .key = "config.json" };
        SpecVersion version = SPEC_1_0;

        return schema_walk(&schema_config, spec, &root, &version, err);
}

/* A field that no runtime knows is a limit that nobody would set. */
static int check_names(const Schema *schema, const json_t *object, const Place *place, Error *err) {
        const char *key;
        json_t *part;

        json_object_foreach((json_t *) object, key, part) {
                const Place inner = { .parent = place, .key = key };
                const SchemaField *field = schema->fields;

                while (field->name && strcmp(field->name, key) != 0)
                        field++;
                if (!field->name)
                        return place_error(&inner, err, "not known");
                if (field->schema->type == SCHEMA_OBJECT && json_is_object(part) && check_names(field->schema, part, &inner, err) < 0)
                        return -1;
        }
        return 0;
}

int spec_resources_check(const json_t *resources, Error *err) {
        const Place root = { .key = "resources" };
        SpecVersion version = SPEC_1_0;

        if (schema_walk(&schema_resources, resources, &root, &version, err) < 0)
                return -1;
        return check_names(&schema_resources, resources, &root, err);
}
