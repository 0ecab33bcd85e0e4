/* push: an image of the store to a registry. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/copying.h"
#include "oci/reference.h"

typedef struct PushArgs {
        RegistryArgs registry; /* first */
        bool all_platforms, quiet;
} PushArgs;

static const Option push_options[] = {
        OPT_FLAG(0, "all-platforms", PushArgs, all_platforms, "push all of an index, not this machine's image alone"),
        OPT_FLAG('q', "quiet", PushArgs, quiet, "print the digest only, and no progress"),
        OPT_END
};

/* Where to: as given, or under the image's own name in the store. */
static int find_target(Cli *cli, const Call *call, char **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_(store_closep) Store *store = NULL;
        const char *given = call->n_operands > 1 ? call->operands[1] : NULL;
        _cleanup_free_ char *full = NULL;
        StoreName name = {};
        int r;

        if (given)
                return string_format(ret, err, "%s%s", strncmp(given, "docker://", 9) ? "docker://" : "", given);
        if (cli_open_store(cli, STORE_READ, &store, err) < 0 || store_name_find(store, call->operands[0], &name, err) < 0)
                return -1;
        r = reference_parse(name.name ?: call->operands[0], &reference, err);
        store_name_clear(&name);
        if (r < 0 || reference_format(reference, &full, err) < 0)
                return error_hint(err, "say where to: push IMAGE REGISTRY/NAME:TAG");
        return string_format(ret, err, "docker://%s", full);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const PushArgs *args = call->args;
        const RegistryOptions registry = registry_request(cli, call, &args->registry);
        _cleanup_free_ char *target = NULL;

        if (find_target(cli, call, &target, err) < 0)
                return -1;
        const CopyRequest request = {
                .source = call->operands[0],
                .target = target,
                .all_platforms = args->all_platforms,
                .from = &registry,
                .to = &registry,
        };
        return copy_run(cli, &request, args->quiet, err);
}

const Command cmd_push = {
        .name = "push",
        .group = COMMANDS_IMAGES,
        .summary = "send an image of the store to a registry",
        .operands = "IMAGE [NAME]",
        .description = "NAME is where to, REGISTRY/NAME:TAG; the image's own name in the store unless given. What the registry has already "
                       "is not sent again. Every digest stays what it is.",
        .examples = "proxmox-lxcri push registry.example/team/app:v2\n"
                    "proxmox-lxcri push app:v2 localhost:5000/app:v2 --tls-verify=false",
        .min_operands = 1,
        .max_operands = 2,
        .options = (const Option *const[]) { push_options, registry_options, NULL },
        .args_size = sizeof(PushArgs),
        .run = run,
};
