/* `linux.resources` of the runtime-spec: config-linux.md, "Control groups" and below; also what update is given. */

#include <stdlib.h>
#include <string.h>

#include "oci/spec-schema.h"

static const SchemaField memory_fields[] = {
        { "limit",             &schema_int64 },
        { "reservation",       &schema_int64 },
        { "swap",              &schema_int64 },
        { "kernel",            &schema_int64 },
        { "kernelTCP",         &schema_int64 },
        { "swappiness",        &schema_uint64 },
        { "disableOOMKiller",  &schema_boolean },
        { "useHierarchy",      &schema_boolean },
        { "checkBeforeUpdate", &schema_boolean, .since = SPEC_1_1 },
        { NULL },
};
static const Schema memory = { SCHEMA_OBJECT, .fields = memory_fields };

static const SchemaField cpu_fields[] = {
        { "shares",          &schema_uint64 },
        { "quota",           &schema_int64 },
        { "burst",           &schema_uint64, .since = SPEC_1_1 },
        { "period",          &schema_uint64 },
        { "realtimeRuntime", &schema_int64 },
        { "realtimePeriod",  &schema_uint64 },
        { "cpus",            &schema_string },
        { "mems",            &schema_string },
        { "idle",            &schema_int64, .since = SPEC_1_1 },
        { NULL },
};
static const Schema cpu = { SCHEMA_OBJECT, .fields = cpu_fields };

/* A pids object without a limit is what 1.3's Go types write for "none". */
static const SchemaField pids_fields[] = {
        { "limit", &schema_int64 },
        { NULL },
};
static const Schema pids = { SCHEMA_OBJECT, .fields = pids_fields };

static const SchemaField throttle_fields[] = {
        { "major", &schema_int64,  .required = true },
        { "minor", &schema_int64,  .required = true },
        { "rate",  &schema_uint64, .required = true },
        { NULL },
};
static const Schema throttle = { SCHEMA_OBJECT, .fields = throttle_fields };
static const Schema throttles = { SCHEMA_ARRAY, .items = &throttle };

static const SchemaField weight_device_fields[] = {
        { "major",      &schema_int64, .required = true },
        { "minor",      &schema_int64, .required = true },
        { "weight",     &schema_uint16 },
        { "leafWeight", &schema_uint16 },
        { NULL },
};

static int rule_weight_device(const json_t *value, const Place *place, Error *err) {
        if (!schema_field(value, "weight") && !schema_field(value, "leafWeight"))
                return place_error(place, err, "neither weight nor leafWeight");
        return 0;
}

static const Schema weight_device = { SCHEMA_OBJECT, .fields = weight_device_fields, .rule = rule_weight_device };
static const Schema weight_devices = { SCHEMA_ARRAY, .items = &weight_device };

static const SchemaField block_io_fields[] = {
        { "weight",                  &schema_uint16 },
        { "leafWeight",              &schema_uint16 },
        { "weightDevice",            &weight_devices },
        { "throttleReadBpsDevice",   &throttles },
        { "throttleWriteBpsDevice",  &throttles },
        { "throttleReadIOPSDevice",  &throttles },
        { "throttleWriteIOPSDevice", &throttles },
        { NULL },
};
static const Schema block_io = { SCHEMA_OBJECT, .fields = block_io_fields };

static int rule_page_size(const json_t *value, const Place *place, Error *err) {
        const char *text = json_string_value(value);
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || text[0] == '0' || !strchr("KMG", text[digits]) || strcmp(text + digits + 1, "B") != 0)
                return place_error(place, err, "'%s' is not a page size such as '2MB'", text);
        return 0;
}

static const Schema page_size = { SCHEMA_STRING, .rule = rule_page_size };

static const SchemaField hugepage_fields[] = {
        { "pageSize", &page_size,     .required = true },
        { "limit",    &schema_uint64, .required = true },
        { NULL },
};
static const Schema hugepage = { SCHEMA_OBJECT, .fields = hugepage_fields };
static const Schema hugepages = { SCHEMA_ARRAY, .items = &hugepage };

static const SchemaField net_priority_fields[] = {
        { "name",     &schema_string, .required = true },
        { "priority", &schema_uint32, .required = true },
        { NULL },
};
static const Schema net_priority = { SCHEMA_OBJECT, .fields = net_priority_fields };
static const Schema net_priorities = { SCHEMA_ARRAY, .items = &net_priority };

static const SchemaField network_fields[] = {
        { "classID",    &schema_uint32 },
        { "priorities", &net_priorities },
        { NULL },
};
static const Schema network = { SCHEMA_OBJECT, .fields = network_fields };

static const SchemaField rdma_fields[] = {
        { "hcaHandles", &schema_uint32 },
        { "hcaObjects", &schema_uint32 },
        { NULL },
};

static int rule_rdma(const json_t *value, const Place *place, Error *err) {
        if (!schema_field(value, "hcaHandles") && !schema_field(value, "hcaObjects"))
                return place_error(place, err, "neither hcaHandles nor hcaObjects");
        return 0;
}

static const Schema rdma_limit = { SCHEMA_OBJECT, .fields = rdma_fields, .rule = rule_rdma };
static const Schema rdma = { SCHEMA_MAP, .items = &rdma_limit };

/* The keys are file names of the container's cgroup directory. */
static int rule_unified(const json_t *value, const Place *place, Error *err) {
        const char *key;
        json_t *item;

        json_object_foreach((json_t *) value, key, item)
                if (strchr(key, '/'))
                        return place_error(place, err, "'%s' is not the name of a cgroup file", key);
        return 0;
}

static const Schema unified = { SCHEMA_MAP, .items = &schema_string, .rule = rule_unified };

/* "" and absent are "a", all devices. */
static const SchemaName device_types[] = { { "a" }, { "c" }, { "b" }, { "" }, { NULL } };
static const Schema device_type = { SCHEMA_STRING, .names = device_types };

static int rule_access(const json_t *value, const Place *place, Error *err) {
        const char *text = json_string_value(value);

        if (text[strspn(text, "rwm")] != '\0')
                return place_error(place, err, "'%s' has other letters than r, w and m", text);
        return 0;
}

static const Schema device_access = { SCHEMA_STRING, .rule = rule_access };

static const SchemaField device_rule_fields[] = {
        { "allow",  &schema_boolean, .required = true },
        { "type",   &device_type },
        { "major",  &schema_int64 },
        { "minor",  &schema_int64 },
        { "access", &device_access },
        { NULL },
};
static const Schema device_rule = { SCHEMA_OBJECT, .fields = device_rule_fields };
static const Schema device_rules = { SCHEMA_ARRAY, .items = &device_rule };

static const SchemaField resources_fields[] = {
        { "devices",        &device_rules },
        { "memory",         &memory },
        { "cpu",            &cpu },
        { "pids",           &pids },
        { "blockIO",        &block_io },
        { "hugepageLimits", &hugepages },
        { "network",        &network },
        { "rdma",           &rdma },
        { "unified",        &unified, .since = SPEC_1_1 },
        { NULL },
};

const Schema schema_resources = { SCHEMA_OBJECT, .fields = resources_fields };
