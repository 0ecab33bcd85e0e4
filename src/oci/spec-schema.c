/* The types that several of the schema's tables share. */

#include "oci/spec-schema.h"

const Schema schema_string  = { SCHEMA_STRING };
const Schema schema_boolean = { SCHEMA_BOOLEAN };
const Schema schema_int32   = { SCHEMA_INTEGER, .min = INT32_MIN, .max = INT32_MAX };
const Schema schema_int64   = { SCHEMA_INTEGER, .min = INT64_MIN, .max = INT64_MAX };
const Schema schema_uint16  = { SCHEMA_INTEGER, .max = UINT16_MAX };
const Schema schema_uint32  = { SCHEMA_INTEGER, .max = UINT32_MAX };
const Schema schema_uint64  = { SCHEMA_INTEGER, .max = UINT64_MAX };

const Schema schema_strings    = { SCHEMA_ARRAY, .items = &schema_string };
const Schema schema_string_map = { SCHEMA_MAP, .items = &schema_string };

static int rule_absolute(const json_t *value, const Place *place, Error *err) {
        if (json_string_value(value)[0] != '/')
                return place_error(place, err, "'%s' is not an absolute path", json_string_value(value));
        return 0;
}

const Schema schema_absolute_path = { SCHEMA_STRING, .rule = rule_absolute };

/* user_namespaces(7): the kernel refuses a range that is empty or passes 2^32. */
static const Schema mapping_size = { SCHEMA_INTEGER, .min = 1, .max = UINT32_MAX };

static const SchemaField id_mapping_fields[] = {
        { "containerID", &schema_uint32, .required = true },
        { "hostID",      &schema_uint32, .required = true },
        { "size",        &mapping_size,  .required = true },
        { NULL },
};

static int rule_id_mapping(const json_t *value, const Place *place, Error *err) {
        json_int_t container = json_integer_value(schema_field(value, "containerID"));
        json_int_t host = json_integer_value(schema_field(value, "hostID"));
        json_int_t size = json_integer_value(schema_field(value, "size"));

        if (container + size - 1 > UINT32_MAX || host + size - 1 > UINT32_MAX)
                return place_error(place, err, "the range passes the highest id, %u", UINT32_MAX);
        return 0;
}

static const Schema id_mapping = { SCHEMA_OBJECT, .fields = id_mapping_fields, .rule = rule_id_mapping };

const Schema schema_id_mappings = { SCHEMA_ARRAY, .items = &id_mapping };

const char *spec_version_text(SpecVersion version) {
        static const char *const texts[] = {
                [SPEC_1_0] = "1.0.2",
                [SPEC_1_1] = "1.1.0",
                [SPEC_1_2] = "1.2.0",
                [SPEC_1_3] = "1.3.0",
        };

        return texts[version];
}
