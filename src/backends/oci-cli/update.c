/*
 * update: by the runtime. What its `update` reads and passes over is refused, unless it is what the container has anyway: callers such as
 * containerd hand over all resources with some of them changed.
 */

#include <stdio.h>
#include <string.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

#define NUMBER_MAX 24 /* bytes of an integer as text */

/* Fields of LinuxResources by what can change them. Source: runc's update.go, crun's src/update.c */
typedef struct Field {
        const char *group, *name; /* NULL name: the whole group */
        const char *flag;         /* the option of `update` that says the same; NULL: none */
        bool runc_file;           /* runc applies it from a file; what has neither is passed over by runc */
        bool crun_not;            /* crun does not apply it, or not in every version */
} Field;

static const Field fields[] = {
        { "memory",  "limit",             "--memory",             true,  false },
        { "memory",  "reservation",       "--memory-reservation", true,  false },
        { "memory",  "swap",              "--memory-swap",        true,  false },
        { "memory",  "checkBeforeUpdate", NULL,                   true,  false },
        { "cpu",     "shares",            "--cpu-share",          true,  false },
        { "cpu",     "quota",             "--cpu-quota",          true,  false },
        { "cpu",     "period",            "--cpu-period",         true,  false },
        { "cpu",     "realtimeRuntime",   "--cpu-rt-runtime",     true,  false },
        { "cpu",     "realtimePeriod",    "--cpu-rt-period",      true,  false },
        { "cpu",     "cpus",              "--cpuset-cpus",        true,  false },
        { "cpu",     "mems",              "--cpuset-mems",        true,  false },
        { "cpu",     "burst",             "--cpu-burst",          false, true  },
        { "cpu",     "idle",              "--cpu-idle",           false, true  },
        { "blockIO", "weight",            "--blkio-weight",       true,  false },
        { "pids",    "limit",             "--pids-limit",         true,  false },
        { "unified", NULL,                NULL,                   true,  false },
};

static const Field *field_find(const char *group, const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (!strcmp(fields[i].group, group) && (!fields[i].name || !strcmp(fields[i].name, name)))
                        return &fields[i];
        return NULL;
}

/* How an update is told to the runtime. */
typedef struct Plan {
        const BackendContainer *container;
        json_t *own;    /* linux.resources of the container's bundle; NULL: none, or not needed yet */
        bool own_known;
        bool by_flags;
} Plan;

static int load_own(Plan *plan, Error *err) {
        _cleanup_json_ json_t *config = NULL;

        if (plan->own_known)
                return 0;
        if (spec_load_bundle(plan->container->config_dir, &config, err) < 0)
                return -1;
        plan->own = json_incref(json_object_get(json_object_get(config, "linux"), "resources"));
        plan->own_known = true;
        return 0;
}

/* Whether the runtime takes a field, told as planned. */
static bool is_applied(const Plan *plan, const Field *field) {
        const OciCliRow *row = plan->container->backend->driver_data;

        if (plan->by_flags)
                return field && field->flag;
        return row->update_takes_all ? !field || !field->crun_not : field && field->runc_file;
}

/* Docker hands over every field there is: zero, or nothing, is what it has for those it knows no limit of. */
static bool asks_for_nothing(const json_t *value) {
        const char *text = json_string_value(value);

        if (json_is_integer(value))
                return json_integer_value(value) == 0;
        if (text)
                return text[0] == '\0';
        return json_is_false(value) || (json_is_array(value) && json_array_size(value) == 0) ||
               (json_is_object(value) && json_object_size(value) == 0);
}

static int check_field(Plan *plan, const char *group, const char *name, const json_t *value, Error *err) {
        json_t *own;

        if (json_is_null(value) || is_applied(plan, field_find(group, name ?: "")))
                return 0;
        if (load_own(plan, err) < 0)
                return -1;
        own = json_object_get(plan->own, group);
        if (name)
                own = json_object_get(own, name);
        if (own ? json_equal(own, value) : asks_for_nothing(value))
                return 0;
        return error_set(err, ERROR_NOT_SUPPORTED, "update of %s does not change '%s%s%s'%s", plan->container->backend->name, group,
                         name ? "." : "", name ?: "", plan->by_flags ? " together with these others" : "");
}

static int check(Plan *plan, const json_t *resources, Error *err) {
        const char *group, *name;
        json_t *part, *value;

        json_object_foreach((json_t *) resources, group, part) {
                const Field *whole = field_find(group, "");

                if (!json_is_object(part) || (whole && !whole->name)) {
                        if (check_field(plan, group, NULL, part, err) < 0)
                                return -1;
                        continue;
                }
                json_object_foreach(part, name, value)
                        if (check_field(plan, group, name, value, err) < 0)
                                return -1;
        }
        return 0;
}

/* Only an option is refused by a runtime that is too old for it; in a file it would be passed over. */
static bool needs_flags(const OciCliRow *row, const BackendUpdate *request) {
        if (request->l3_cache_schema || request->mem_bw_schema)
                return true;
        for (size_t i = 0; i < ARRAY_SIZE(fields) && !row->update_takes_all; i++)
                if (!fields[i].runc_file && json_object_get(json_object_get(request->resources, fields[i].group), fields[i].name ?: ""))
                        return true;
        return false;
}

static int add_flags(Command *command, const BackendUpdate *request, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                const json_t *value = json_object_get(json_object_get(request->resources, fields[i].group), fields[i].name ?: "");
                char number[NUMBER_MAX];

                if (!value || !fields[i].flag)
                        continue;
                snprintf(number, sizeof(number), "%lld", (long long) json_integer_value(value));
                if (command_add(command, fields[i].flag, json_is_string(value) ? json_string_value(value) : number, err) < 0)
                        return -1;
        }
        if ((request->l3_cache_schema && command_add(command, "--l3-cache-schema", request->l3_cache_schema, err) < 0) ||
            (request->mem_bw_schema && command_add(command, "--mem-bw-schema", request->mem_bw_schema, err) < 0))
                return -1;
        return 0;
}

int oci_cli_update(const BackendContainer *container, const State *state, const BackendUpdate *request, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;
        Plan plan = { .container = container, .by_flags = needs_flags(container->backend->driver_data, request) };
        int r;

        if (!process_is_alive(&state->init))
                return error_set(err, ERROR_INVALID_STATE, "container not running");
        r = check(&plan, request->resources, err);
        json_decref(plan.own);
        if (r < 0 || command_init(&command, container, "update", 0, 0, err) < 0)
                return -1;
        r = plan.by_flags ? add_flags(&command, request, err) : command_add_data(&command, "--resources", request->resources, err);
        if (r < 0 || command_add_container(&command, err) < 0)
                return -1;
        return command_run(&command, err);
}
