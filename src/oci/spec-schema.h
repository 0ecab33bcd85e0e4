#pragma once

/*
 * The runtime-spec's schema as data: spec-schema-*.c hold the tables, spec-check.c walks them. A row also says in which version of the
 * spec its field appeared, so that one walk both checks a configuration and tells the lowest version that has all it uses.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/** Versions of the spec in order; 1.0.2 is the lowest this program states */
typedef enum SpecVersion {
        SPEC_1_0,
        SPEC_1_1,
        SPEC_1_2,
        SPEC_1_3,
} SpecVersion;

/** Where in a document the walk is: a list on the stack, from the inside out. The root has no parent; its key names the document. */
typedef struct Place {
        const struct Place *parent;
        const char *key; /* a field; NULL: element @index of an array */
        size_t index;
        bool quoted; /* @key is not a field's name but chosen by the user: a map's */
} Place;

/** place_error() - "config.json: linux.resources.memory.limit: not an integer", as InvalidSpec; always -1 */
int place_error(const Place *place, Error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));

typedef struct SchemaName {
        const char *name;
        SpecVersion since;
} SchemaName;

typedef struct Schema Schema;

typedef struct SchemaField {
        const char *name; /* NULL ends the list */
        const Schema *schema;
        bool required;
        SpecVersion since;
} SchemaField;

typedef enum SchemaType {
        SCHEMA_STRING,
        SCHEMA_BOOLEAN,
        SCHEMA_INTEGER,
        SCHEMA_OBJECT, /* of @fields; others are ignored, as the spec says */
        SCHEMA_ARRAY,  /* of @items */
        SCHEMA_MAP,    /* any key, values of @items */
} SchemaType;

struct Schema {
        SchemaType type;
        const SchemaName *names; /* SCHEMA_STRING: the legal values; NULL: any */
        int64_t min;             /* SCHEMA_INTEGER */
        uint64_t max;            /* SCHEMA_INTEGER */
        const SchemaField *fields;
        const Schema *items;
        size_t min_items; /* SCHEMA_ARRAY */
        /** what types cannot say; called once the value's own parts are right. NULL: nothing */
        int (*rule)(const json_t *value, const Place *place, Error *err);
};

/** schema_walk() - check @value; *version grows to the lowest that has what it uses. Errors: InvalidSpec */
int schema_walk(const Schema *schema, const json_t *value, const Place *place, SpecVersion *version, Error *err);

/** schema_field() - a field of an object, NULL when absent or null */
const json_t *schema_field(const json_t *object, const char *name);

/** schema_has_namespace() - whether `linux` lists a namespace of that type, new or by path */
bool schema_has_namespace(const json_t *linux_part, const char *type);

extern const Schema schema_config;  /* the whole config.json */
extern const Schema schema_process; /* also what exec is given */
extern const Schema schema_linux;
extern const Schema schema_resources;
extern const Schema schema_seccomp;
extern const Schema schema_vm;

/* Types that several tables share. */
extern const Schema schema_string, schema_boolean, schema_int32, schema_int64, schema_uint16, schema_uint32, schema_uint64;
extern const Schema schema_strings, schema_string_map, schema_absolute_path, schema_id_mappings;

/** spec_version_text() - "1.0.2", "1.1.0", … */
const char *spec_version_text(SpecVersion version);
