/* `linux` of the runtime-spec: config-linux.md. */

#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/spec-schema.h"

static const SchemaName namespace_types[] = {
        { "pid" }, { "network" }, { "mount" }, { "ipc" }, { "uts" }, { "user" }, { "cgroup" }, { "time", SPEC_1_1 }, { NULL },
};
static const Schema namespace_type = { SCHEMA_STRING, .names = namespace_types };

static int rule_namespace_path(const json_t *value, const Place *place, Error *err) {
        const char *path = json_string_value(value);

        if (path[0] != '\0' && path[0] != '/')
                return place_error(place, err, "'%s' is not an absolute path", path);
        return 0;
}

static const Schema namespace_path = { SCHEMA_STRING, .rule = rule_namespace_path };

static const SchemaField namespace_fields[] = {
        { "type", &namespace_type, .required = true },
        { "path", &namespace_path },
        { NULL },
};
static const Schema namespace = { SCHEMA_OBJECT, .fields = namespace_fields };

static const char *namespace_at(const json_t *namespaces, size_t i) {
        return json_string_value(schema_field(json_array_get(namespaces, i), "type"));
}

static int rule_namespaces(const json_t *value, const Place *place, Error *err) {
        for (size_t i = 0; i < json_array_size(value); i++)
                for (size_t j = 0; j < i; j++)
                        if (!strcmp(namespace_at(value, i), namespace_at(value, j)))
                                return place_error(place, err, "'%s' is there twice", namespace_at(value, i));
        return 0;
}

static const Schema namespaces = { SCHEMA_ARRAY, .items = &namespace, .rule = rule_namespaces };

static const SchemaName device_types[] = { { "c" }, { "b" }, { "u" }, { "p" }, { NULL } };
static const Schema device_type = { SCHEMA_STRING, .names = device_types };

/* podman writes the whole st_mode here, type bits included, hence no narrower bound. */
static const SchemaField device_fields[] = {
        { "type",     &device_type,          .required = true },
        { "path",     &schema_absolute_path, .required = true },
        { "major",    &schema_int64 },
        { "minor",    &schema_int64 },
        { "fileMode", &schema_uint32 },
        { "uid",      &schema_uint32 },
        { "gid",      &schema_uint32 },
        { NULL },
};

static int rule_device(const json_t *value, const Place *place, Error *err) {
        if (!strcmp(json_string_value(schema_field(value, "type")), "p"))
                return 0;
        for (const char *const *name = (const char *const[]) { "major", "minor", NULL }; *name; name++) {
                const Place inner = { .parent = place, .key = *name };

                if (!schema_field(value, *name))
                        return place_error(&inner, err, "missing");
        }
        return 0;
}

static const Schema device = { SCHEMA_OBJECT, .fields = device_fields, .rule = rule_device };
static const Schema devices = { SCHEMA_ARRAY, .items = &device };

static bool is_interface_name(const char *name) {
        size_t len = strlen(name);

        return len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !name[strcspn(name, "/: \t\n\v\f\r")];
}

static int rule_net_device_name(const json_t *value, const Place *place, Error *err) {
        if (json_string_length(value) > 0 && !is_interface_name(json_string_value(value)))
                return place_error(place, err, "'%s' is not an interface name", json_string_value(value));
        return 0;
}

static const Schema net_device_name = { SCHEMA_STRING, .rule = rule_net_device_name };
static const SchemaField net_device_fields[] = {
        { "name", &net_device_name },
        { NULL },
};
static const Schema net_device = { SCHEMA_OBJECT, .fields = net_device_fields };

static int rule_net_devices(const json_t *value, const Place *place, Error *err) {
        const char *key;
        json_t *item;

        json_object_foreach((json_t *) value, key, item)
                if (!is_interface_name(key))
                        return place_error(place, err, "'%s' is not an interface name", key);
        return 0;
}

static const Schema net_devices = { SCHEMA_MAP, .items = &net_device, .rule = rule_net_devices };

static const Schema nanoseconds = { SCHEMA_INTEGER, .max = 999999999 };
static const SchemaField time_offset_fields[] = {
        { "secs",     &schema_int64 },
        { "nanosecs", &nanoseconds },
        { NULL },
};
static const Schema time_offset = { SCHEMA_OBJECT, .fields = time_offset_fields };
static const SchemaField time_offsets_fields[] = {
        { "boottime",  &time_offset },
        { "monotonic", &time_offset },
        { NULL },
};
static const Schema time_offsets = { SCHEMA_OBJECT, .fields = time_offsets_fields };

/* The schema knows the four short ones; crun, runc and docker also write and read the r… forms. */
static const SchemaName propagation_names[] = {
        { "private" },  { "shared" },  { "slave" },  { "unbindable" },  { "" },
        { "rprivate" }, { "rshared" }, { "rslave" }, { "runbindable" }, { NULL },
};
static const Schema propagation = { SCHEMA_STRING, .names = propagation_names };

static const Schema inner_paths = { SCHEMA_ARRAY, .items = &schema_absolute_path };

static int rule_one_line(const json_t *value, const Place *place, Error *err) {
        if (strchr(json_string_value(value), '\n'))
                return place_error(place, err, "holds a newline");
        return 0;
}

static int rule_memory_bandwidth(const json_t *value, const Place *place, Error *err) {
        const char *text = json_string_value(value);

        if (text[0] != '\0' && strncmp(text, "MB:", 3) != 0)
                return place_error(place, err, "'%s' does not start with 'MB:'", text);
        return rule_one_line(value, place, err);
}

static const Schema one_line = { SCHEMA_STRING, .rule = rule_one_line };
static const Schema lines = { SCHEMA_ARRAY, .items = &one_line };
static const Schema memory_bandwidth = { SCHEMA_STRING, .rule = rule_memory_bandwidth };

static const SchemaField intel_rdt_fields[] = {
        { "closID",           &schema_string },
        { "schemata",         &lines, .since = SPEC_1_3 },
        { "l3CacheSchema",    &one_line },
        { "memBwSchema",      &memory_bandwidth },
        { "enableCMT",        &schema_boolean, .since = SPEC_1_1 },
        { "enableMBM",        &schema_boolean, .since = SPEC_1_1 },
        { "enableMonitoring", &schema_boolean, .since = SPEC_1_3 },
        { NULL },
};
static const Schema intel_rdt = { SCHEMA_OBJECT, .fields = intel_rdt_fields };

static const SchemaName memory_policy_modes[] = {
        { "MPOL_DEFAULT" },   { "MPOL_BIND" },           { "MPOL_INTERLEAVE" }, { "MPOL_WEIGHTED_INTERLEAVE" },
        { "MPOL_PREFERRED" }, { "MPOL_PREFERRED_MANY" }, { "MPOL_LOCAL" },      { NULL },
};
static const Schema memory_policy_mode = { SCHEMA_STRING, .names = memory_policy_modes };

static const SchemaName memory_policy_flag_names[] = {
        { "MPOL_F_NUMA_BALANCING" }, { "MPOL_F_RELATIVE_NODES" }, { "MPOL_F_STATIC_NODES" }, { NULL },
};
static const Schema memory_policy_flag = { SCHEMA_STRING, .names = memory_policy_flag_names };
static const Schema memory_policy_flags = { SCHEMA_ARRAY, .items = &memory_policy_flag };

static const SchemaField memory_policy_fields[] = {
        { "mode",  &memory_policy_mode, .required = true },
        { "nodes", &schema_string },
        { "flags", &memory_policy_flags },
        { NULL },
};
static const Schema memory_policy = { SCHEMA_OBJECT, .fields = memory_policy_fields };

static const SchemaName personality_domains[] = { { "LINUX" }, { "LINUX32" }, { NULL } };
static const Schema personality_domain = { SCHEMA_STRING, .names = personality_domains };
static const SchemaField personality_fields[] = {
        { "domain", &personality_domain, .required = true },
        { "flags",  &schema_strings },
        { NULL },
};
static const Schema personality = { SCHEMA_OBJECT, .fields = personality_fields };

static const SchemaField linux_fields[] = {
        { "namespaces",        &namespaces },
        { "uidMappings",       &schema_id_mappings },
        { "gidMappings",       &schema_id_mappings },
        { "timeOffsets",       &time_offsets, .since = SPEC_1_1 },
        { "devices",           &devices },
        { "netDevices",        &net_devices, .since = SPEC_1_3 },
        { "cgroupsPath",       &schema_string },
        { "resources",         &schema_resources },
        { "rootfsPropagation", &propagation },
        { "seccomp",           &schema_seccomp },
        { "maskedPaths",       &inner_paths },
        { "readonlyPaths",     &inner_paths },
        { "mountLabel",        &schema_string },
        { "sysctl",            &schema_string_map },
        { "intelRdt",          &intel_rdt },
        { "memoryPolicy",      &memory_policy, .since = SPEC_1_3 },
        { "personality",       &personality },
        { NULL },
};

bool schema_has_namespace(const json_t *linux_part, const char *type) {
        const json_t *all = schema_field(linux_part, "namespaces");

        for (size_t i = 0; i < json_array_size(all); i++)
                if (!strcmp(namespace_at(all, i), type))
                        return true;
        return false;
}

/* Settings of a namespace that the container does not have would change the host, or do nothing. */
static int rule_linux(const json_t *value, const Place *place, Error *err) {
        static const struct {
                const char *field, *namespace;
        } rows[] = {
                { "uidMappings", "user" },
                { "gidMappings", "user" },
                { "timeOffsets", "time" },
                { "netDevices", "network" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Place inner = { .parent = place, .key = rows[i].field };
                const json_t *part = schema_field(value, rows[i].field);

                if ((json_array_size(part) > 0 || json_object_size(part) > 0) && !schema_has_namespace(value, rows[i].namespace))
                        return place_error(&inner, err, "the container has no %s namespace of its own", rows[i].namespace);
        }
        return 0;
}

const Schema schema_linux = { SCHEMA_OBJECT, .fields = linux_fields, .rule = rule_linux };
