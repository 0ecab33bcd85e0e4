/* The hooks that follow the start of the user's process. */

#include "engine/poststart.h"

#include <stdlib.h>
#include <string.h>

#include "engine/outer-hooks.h"
#include "engine/warn.h"
#include "oci/spec-schema.h"

/* The schema takes "1.MINOR.PATCH" alone. */
static bool is_before_1_3(const char *version) {
        return strtoul(version + strlen("1."), NULL, 10) < 3;
}

int poststart_run(const EngineContainer *container, const json_t *record, pid_t pid, Error *err) {
        const json_t *hooks = json_object_get(record, "hooks"), *state = json_object_get(record, "state");
        const char *version = json_string_value(schema_field(state, "ociVersion"));
        bool goes_on = version && is_before_1_3(version);

        for (size_t i = 0; i < json_array_size(schema_field(hooks, "poststart")); i++) {
                Error e = ERROR_INIT;

                if (outer_hook_run(hooks, "poststart", i, state, "running", pid, goes_on ? &e : err) == 0)
                        continue;
                if (!goes_on)
                        return -1;
                container_warn(container, "%s", e.text);
        }
        return 0;
}
