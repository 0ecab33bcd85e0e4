/*
 * The features document of a runtime that is started by this program: what the check of a config.json would refuse never reaches that
 * runtime, so it is no feature here. Source: runtime-spec, features.md and features-linux.md
 */

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"
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

static const Schema *schema_at(const char *const *use) {
        const Schema *schema = &schema_linux;

        for (; *use && schema; use++) {
                const SchemaField *field = schema->fields;

                if (!strcmp(*use, "[]")) {
                        schema = schema->items;
                        continue;
                }
                while (field && field->name && strcmp(field->name, *use) != 0)
                        field++;
                schema = field && field->name ? field->schema : NULL;
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
