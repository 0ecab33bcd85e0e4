#pragma once

/* The options of every command that speaks to registries. */

#include "cli/command.h"
#include "registry/registry.h"

/** Where the values go. The first member of each such command's args, so that one table fills them all */
typedef struct RegistryArgs {
        const char *authfile, *creds, *cert_dir;
        bool tls_verify;
        const char *signature_policy;
} RegistryArgs;

extern const Option registry_options[];

/** The row of --signature-policy, in a table that fills a struct of its own */
#define OPT_SIGNATURE_POLICY(args, member)               \
        OPT_STRING(0, "signature-policy", args, member, "FILE", \
                   "which images are accepted, in place of ~/.config/containers/policy.json or /etc/containers/policy.json")

/** Of those commands among them that bring images in */
extern const Option policy_options[];

/** Platform, as "OS/ARCHITECTURE[/VARIANT]" */
int platform_take(void *target, const char *value, Error *err);
void platform_clear(Platform *platform);

/** registry_request() - what the command line and the configuration say; points to @call's values and to @cli */
RegistryOptions registry_request(Cli *cli, const Call *call, const RegistryArgs *args);
