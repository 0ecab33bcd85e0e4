/* Hooks in the container's namespaces, with the state as its own processes see it. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "engine/init/init.h"
#include "runtime/hook.h"

#define STATE_MAX    (17u << 20) /* bytes; annotations of a configuration of 16 MiB */
#define STRINGS_MAX  4096        /* arguments or variables of a hook that are passed on */

static char **strings_of(const Init *init, PlanStrings strings) {
        const PlanRef *refs = plan_at(init->plan, strings.at);
        char **array = strings.n <= STRINGS_MAX ? calloc(strings.n + 1, sizeof(*array)) : NULL;

        for (uint32_t i = 0; array && i < strings.n; i++)
                array[i] = (char *) plan_string(init->plan, refs[i]);
        return array;
}

int hooks_run(const Init *init, PlanList list, const char *status, Error *err) {
        const PlanHook *hooks = plan_at(init->plan, list.at);
        _cleanup_buf_ Buf state = BUF_INIT(STATE_MAX);

        if (list.n == 0)
                return 0;
        if (buf_printf(&state, err, "%s,\"status\":\"%s\",\"pid\":%d}", plan_string(init->plan, init->plan->state_head), status,
                       (int) getpid()) < 0)
                return -1;
        for (uint32_t i = 0; i < list.n; i++) {
                _cleanup_free_ char **args = strings_of(init, hooks[i].args), **env = strings_of(init, hooks[i].env);
                Hook hook = {
                        .path = plan_string(init->plan, hooks[i].path),
                        .place = plan_string(init->plan, hooks[i].place),
                        .args = args,
                        .env = env,
                        .timeout = hooks[i].timeout,
                };

                if (!args || !env)
                        return error_oom(err);
                if (hook_run(&hook, state.data, state.len, err) < 0)
                        return error_phase(err, "hooks");
        }
        return 0;
}
