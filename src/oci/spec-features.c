/*
 * The features document of a runtime that is started by this program: what the check of a config.json would refuse never reaches that
 * runtime, so it is no feature here. Source: runtime-spec, features.md and features-linux.md
 */

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"
#include "oci/spec-parts.h"
#include "oci/spec-schema.h"

/* A list of names in the document (below "linux"), and where config.json (below `linux`) uses those names; "[]": in an array */
static const struct {
        const char *group, *list; /* group NULL: directly below */
        const char *use[8];
} lists[] = {
        { NULL,           "namespaces",     { "namespaces", "[]", "type" } },
        { "seccomp",      "actions",        { "seccomp", "defaultAction" } },
        { "seccomp",      "operators",      { "seccomp", "syscalls", "[]", "args", "[]", "op" } },
        { "seccomp",      "archs",          { "seccomp", "architectures", "[]" } },
        { "seccomp",      "knownFlags",     { "seccomp", "flags", "[]" } },
        { "seccomp",      "supportedFlags", { "seccomp", "flags", "[]" } },
        { "memoryPolicy", "modes",          { "memoryPolicy", "mode" } },
        { "memoryPolicy", "flags",          { "memoryPolicy", "flags", "[]" } },
};

static const SchemaField *field_of(const Schema *schema, const char *name) {
        const SchemaField *field = schema->fields;

        while (field && field->name && strcmp(field->name, name) != 0)
                field++;
        return field && field->name ? field : NULL;
}

static const Schema *schema_at(const char *const *use) {
        const Schema *schema = &schema_linux;

        for (; *use && schema; use++) {
                const SchemaField *field;

                if (!strcmp(*use, "[]")) {
                        schema = schema->items;
                        continue;
                }
                field = field_of(schema, *use);
                schema = field ? field->schema : NULL;
        }
        return schema;
}

static bool has_name(const SchemaName *names, const char *name) {
        for (; names->name; names++)
                if (!strcmp(names->name, name))
                        return true;
        return false;
}

int spec_features_narrow(json_t *features, Error *err) {
        json_t *linux_part = json_object_get(features, "linux");

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                json_t *group = lists[i].group ? json_object_get(linux_part, lists[i].group) : linux_part;
                json_t *list = json_object_get(group, lists[i].list);
                const Schema *schema = schema_at(lists[i].use);

                for (size_t k = json_array_size(list); schema && schema->names && k-- > 0;) {
                        const char *name = json_string_value(json_array_get(list, k));

                        if ((!name || !has_name(schema->names, name)) && json_array_remove(list, k) < 0)
                                return error_oom(err);
                }
        }
        return 0;
}

static int add_name(json_t *list, const char *name, Error *err) {
        return json_array_append_new(list, json_string(name)) < 0 ? error_oom(err) : 0;
}

/* An empty list or object of the document; NULL when memory is out */
static json_t *member(json_t *object, const char *key, json_t *fresh) {
        json_t *known = json_object_get(object, key);

        if (known) {
                json_decref(fresh);
                return known;
        }
        return json_object_set_new(object, key, fresh) < 0 ? NULL : json_object_get(object, key);
}

static int add_lists(json_t *linux_part, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                json_t *group = lists[i].group ? member(linux_part, lists[i].group, json_object()) : linux_part;
                json_t *list = group ? member(group, lists[i].list, json_array()) : NULL;
                const Schema *schema = schema_at(lists[i].use);

                if (!list)
                        return error_oom(err);
                for (const SchemaName *name = schema ? schema->names : NULL; name && name->name; name++)
                        if (add_name(list, name->name, err) < 0)
                                return -1;
        }
        return 0;
}

int spec_features_all(json_t **ret, Error *err) {
        _cleanup_json_ json_t *features = json_pack("{s:s, s:s, s:[], s:{s:[]}}", "ociVersionMin", "1.0.0", "ociVersionMax",
                                                    spec_version_text(SPEC_1_3), "hooks", "linux", "capabilities");
        json_t *linux_part = json_object_get(features, "linux");
        const SchemaField *hooks = field_of(&schema_config, "hooks");
        const char *name;

        if (!features)
                return error_oom(err);
        for (const SchemaField *kind = hooks ? hooks->schema->fields : NULL; kind && kind->name; kind++)
                if (add_name(json_object_get(features, "hooks"), kind->name, err) < 0)
                        return -1;
        for (unsigned i = 0; (name = capability_name(i)); i++)
                if (add_name(json_object_get(linux_part, "capabilities"), name, err) < 0)
                        return -1;
        if (add_lists(linux_part, err) < 0)
                return -1;
        *ret = TAKE(features);
        return 0;
}
