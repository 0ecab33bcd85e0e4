/* The outermost part of the runtime-spec: config.md. `solaris`, `windows`, `zos` and `freebsd` are other platforms' and ignored. */

#include <ctype.h>
#include <string.h>

#include "oci/spec-schema.h"

/* Skips a number without leading zeros; NULL when there is none. */
static const char *skip_number(const char *p) {
        size_t digits = strspn(p, "0123456789");

        return digits == 0 || (digits > 1 && p[0] == '0') ? NULL : p + digits;
}

/* Skips dot-separated identifiers, none of them empty; NULL when it is not that. */
static const char *skip_identifiers(const char *p) {
        for (;;) {
                const char *start = p;

                while (isalnum((unsigned char) *p) || *p == '-')
                        p++;
                if (p == start)
                        return NULL;
                if (*p != '.')
                        return p;
                p++;
        }
}

/* Semantic Versioning 2.0.0, "Backus-Naur Form Grammar" */
static bool is_semver(const char *p) {
        p = skip_number(p);
        p = p && *p == '.' ? skip_number(p + 1) : NULL;
        p = p && *p == '.' ? skip_number(p + 1) : NULL;
        if (p && *p == '-')
                p = skip_identifiers(p + 1);
        if (p && *p == '+')
                p = skip_identifiers(p + 1);
        return p && *p == '\0';
}

static int rule_version(const json_t *value, const Place *place, Error *err) {
        const char *text = json_string_value(value);

        if (!is_semver(text))
                return place_error(place, err, "'%s' is not a version such as '1.0.2'", text);
        if (strncmp(text, "1.", 2) != 0)
                return place_error(place, err, "'%s' is another major version than 1", text);
        return 0;
}

static const Schema version = { SCHEMA_STRING, .rule = rule_version };

static int rule_not_empty(const json_t *value, const Place *place, Error *err) {
        if (json_string_length(value) == 0)
                return place_error(place, err, "empty");
        return 0;
}

static const Schema path = { SCHEMA_STRING, .rule = rule_not_empty };

static const SchemaField root_fields[] = {
        { "path",     &path, .required = true },
        { "readonly", &schema_boolean },
        { NULL },
};
static const Schema root = { SCHEMA_OBJECT, .fields = root_fields };

static const SchemaField mount_fields[] = {
        { "destination", &path, .required = true },
        { "type",        &schema_string },
        { "source",      &schema_string },
        { "options",     &schema_strings },
        { "uidMappings", &schema_id_mappings, .since = SPEC_1_1 },
        { "gidMappings", &schema_id_mappings, .since = SPEC_1_1 },
        { NULL },
};

static int rule_mount(const json_t *value, const Place *place, Error *err) {
        bool uid = json_array_size(schema_field(value, "uidMappings")) > 0, gid = json_array_size(schema_field(value, "gidMappings")) > 0;

        if (uid != gid)
                return place_error(place, err, "%s without %s", uid ? "uidMappings" : "gidMappings", uid ? "gidMappings" : "uidMappings");
        return 0;
}

static const Schema mount = { SCHEMA_OBJECT, .fields = mount_fields, .rule = rule_mount };
static const Schema mounts = { SCHEMA_ARRAY, .items = &mount };

static const Schema timeout = { SCHEMA_INTEGER, .min = 1, .max = INT32_MAX }; /* seconds */

static const SchemaField hook_fields[] = {
        { "path",    &schema_absolute_path, .required = true },
        { "args",    &schema_strings },
        { "env",     &schema_strings },
        { "timeout", &timeout },
        { NULL },
};
static const Schema hook = { SCHEMA_OBJECT, .fields = hook_fields };
static const Schema hook_list = { SCHEMA_ARRAY, .items = &hook };

static const SchemaField hooks_fields[] = {
        { "prestart",        &hook_list },
        { "createRuntime",   &hook_list },
        { "createContainer", &hook_list },
        { "startContainer",  &hook_list },
        { "poststart",       &hook_list },
        { "poststop",        &hook_list },
        { NULL },
};
static const Schema hooks = { SCHEMA_OBJECT, .fields = hooks_fields };

static const SchemaField config_fields[] = {
        { "ociVersion",  &version, .required = true },
        { "root",        &root,    .required = true },
        { "process",     &schema_process },
        { "hostname",    &schema_string },
        { "domainname",  &schema_string, .since = SPEC_1_1 },
        { "mounts",      &mounts },
        { "hooks",       &hooks },
        { "annotations", &schema_string_map },
        { "linux",       &schema_linux },
        { "vm",          &schema_vm },
        { NULL },
};

static bool has_option(const json_t *mount_entry, const char *option) {
        const json_t *options = schema_field(mount_entry, "options");

        for (size_t i = 0; i < json_array_size(options); i++)
                if (!strcmp(json_string_value(json_array_get(options, i)), option))
                        return true;
        return false;
}

static int rule_config(const json_t *value, const Place *place, Error *err) {
        const json_t *all = schema_field(value, "mounts"), *linux_part = schema_field(value, "linux");

        for (const char *const *name = (const char *const[]) { "hostname", "domainname", NULL }; *name; name++) {
                const Place inner = { .parent = place, .key = *name };

                if (json_string_length(schema_field(value, *name)) > 0 && !schema_has_namespace(linux_part, "uts"))
                        return place_error(&inner, err, "the container has no uts namespace of its own");
        }
        for (size_t i = 0; i < json_array_size(all); i++) {
                const Place list = { .parent = place, .key = "mounts" }, inner = { .parent = &list, .index = i };
                const json_t *entry = json_array_get(all, i);

                if ((has_option(entry, "idmap") || has_option(entry, "ridmap")) && !schema_field(entry, "uidMappings") &&
                    !schema_has_namespace(linux_part, "user"))
                        return place_error(&inner, err, "idmap without uidMappings and without a user namespace");
        }
        return 0;
}

const Schema schema_config = { SCHEMA_OBJECT, .fields = config_fields, .rule = rule_config };
