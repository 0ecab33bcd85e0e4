/* logout: forget credentials. */

#include "base/cleanup.h"
#include "cli/registry-options.h"

typedef struct LogoutArgs {
        const char *authfile;
} LogoutArgs;

static const Option logout_options[] = {
        OPT_STRING(0, "authfile", LogoutArgs, authfile, "FILE", "where they are kept; else $REGISTRY_AUTH_FILE or containers/auth.json"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const LogoutArgs *args = call->args;
        const RegistryOptions options = { .authfile = args->authfile };
        const RegistryLogin login = { .registry = call->operands[0] };
        const RegistryModule *module = registry_module(err);
        _cleanup_free_ char *file = NULL;
        Registry *registry;
        int r;

        if (!module || module->open(&options, &registry, err) < 0)
                return -1;
        r = module->logout(registry, &login, &file, err);
        module->close(registry);
        if (r < 0)
                return error_prefix(err, "logout");
        if (!file)
                return error_set(err, ERROR_INVALID_ARGUMENT, "no credentials for '%s' are kept", login.registry);
        return output_printf(&cli->out, err, "credentials removed from %s\n", file);
}

const Command cmd_logout = {
        .name = "logout",
        .group = COMMANDS_IMAGES,
        .summary = "forget the credentials for a registry",
        .operands = "REGISTRY",
        .examples = "proxmox-lxcri logout registry.example",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { logout_options, NULL },
        .args_size = sizeof(LogoutArgs),
        .run = run,
};
