/* route: which runtime a container would get, and why. */

#include "base/json.h"
#include "cli/command.h"
#include "oci/runtime-spec.h"

typedef struct RouteArgs {
        const char *image, *bundle, *format;
} RouteArgs;

static const Option route_options[] = {
        OPT_STRING(0, "image", RouteArgs, image, "IMAGE", "for a container made from this image"),
        OPT_STRING('b', "bundle", RouteArgs, bundle, "DIR", "for a container made from this bundle: its annotations count"),
        OPT_STRING('f', "format", RouteArgs, format, "text|json", "form of the answer"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *spec = NULL, *answer = NULL;
        const RouteArgs *args = call->args;
        _cleanup_free_ char *why = NULL;
        const Backend *backend;

        if (args->bundle && spec_load_bundle(args->bundle, &spec, err) < 0)
                return -1;
        if (lifecycle_route(&cli->lifecycle, call->operands[0], args->image, json_object_get(spec, "annotations"), &backend, &why, err) < 0)
                return -1;
        if (!args->format || args->format[0] == 't')
                return output_printf(&cli->out, err, "%s\t%s\n", backend->name, why);
        answer = json_pack("{s:s, s:s}", "runtime", backend->name, "why", why);
        return answer ? output_json(&cli->out, answer, err) : error_oom(err);
}

const Command cmd_route = {
        .name = "route",
        .group = COMMANDS_SETUP,
        .summary = "show which runtime a container would get, and why",
        .operands = "ID",
        .description = "In this order: --runtime, the name the program was called by (proxmox-lxcri-crun), the annotation "
                       "org.proxmox-lxcri.runtime, the configuration's runtime_rules, its default_runtime.",
        .examples = "proxmox-lxcri route web\nproxmox-lxcri route --image redis:7 cache",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { route_options, NULL },
        .args_size = sizeof(RouteArgs),
        .run = run,
};
