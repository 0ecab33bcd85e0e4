/* Hooks in the runtime's own namespaces. */

#include "engine/outer-hooks.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/spec-schema.h"
#include "runtime/hook.h"

/* Borrowed strings of an array; free() the array alone. */
static char **borrow_strings(const json_t *array) {
        size_t n = json_array_size(array);
        char **strings = calloc(n + 1, sizeof(*strings));

        for (size_t i = 0; strings && i < n; i++)
                strings[i] = (char *) json_string_value(json_array_get(array, i));
        return strings;
}

static int state_text(const json_t *state, const char *status, pid_t pid, char **ret, Error *err) {
        _cleanup_json_ json_t *whole = json_copy((json_t *) state);

        if (!whole || json_object_set_new(whole, "status", json_string(status)) < 0 ||
            (pid > 0 && json_object_set_new(whole, "pid", json_integer(pid)) < 0))
                return error_oom(err);
        return json_print(whole, ret, err);
}

int outer_hook_run(const json_t *hooks, const char *name, size_t i, const json_t *state, const char *status, pid_t pid, Error *err) {
        const json_t *one = json_array_get(schema_field(hooks, name), i);
        _cleanup_free_ char **args = borrow_strings(schema_field(one, "args")), **env = borrow_strings(schema_field(one, "env"));
        _cleanup_free_ char *text = NULL;
        char place[64];
        Hook hook = {
                .path = json_string_value(schema_field(one, "path")),
                .place = place,
                .args = args,
                .env = env,
                .timeout = (unsigned) json_integer_value(schema_field(one, "timeout")),
        };

        if (!args || !env)
                return error_oom(err);
        if (state_text(state, status, pid, &text, err) < 0)
                return -1;
        (void) snprintf(place, sizeof(place), "hooks.%s[%zu]", name, i);
        return hook_run(&hook, text, strlen(text), err) < 0 ? error_phase(err, "hooks") : 0;
}

int outer_hooks_run(const json_t *hooks, const char *name, const json_t *state, const char *status, pid_t pid, Error *err) {
        for (size_t i = 0; i < json_array_size(schema_field(hooks, name)); i++)
                if (outer_hook_run(hooks, name, i, state, status, pid, err) < 0)
                        return -1;
        return 0;
}
