/* What pull, push, login, … understand alike. */

#include "cli/registry-options.h"

#include <stdlib.h>
#include <string.h>

const Option registry_options[] = {
        OPT_GROUP("Registries"),
        OPT_FLAG(0, "tls-verify", RegistryArgs, tls_verify,
                 "check the registry's certificate; with =false take any, and plain HTTP. As registries.conf says unless given"),
        OPT_STRING(0, "creds", RegistryArgs, creds, "USER[:PASSWORD]", "credentials in place of those that login kept"),
        OPT_STRING(0, "authfile", RegistryArgs, authfile, "FILE",
                   "where credentials are kept; else $REGISTRY_AUTH_FILE, containers/auth.json, ~/.docker/config.json"),
        OPT_STRING(0, "cert-dir", RegistryArgs, cert_dir, "DIR",
                   "authorities (*.crt) and our own certificate (*.cert, *.key), in place of the registry's folder of certs.d"),
        OPT_END
};

const Option policy_options[] = {
        OPT_SIGNATURE_POLICY(RegistryArgs, signature_policy),
        OPT_END
};

int platform_take(void *target, const char *value, Error *err) {
        const char *slash = strchr(value, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;
        Platform made = {}, *platform = target;

        if (!slash || slash == value || !slash[1] || (second && (second == slash + 1 || !second[1] || strchr(second + 1, '/')))) {
                error_set(err, ERROR_INVALID_ARGUMENT, "option '--platform': '%s' is no platform", value);
                return error_hint(err, "for example linux/arm64 or linux/arm/v7");
        }
        made.os = strndup(value, (size_t) (slash - value));
        made.architecture = second ? strndup(slash + 1, (size_t) (second - slash - 1)) : strdup(slash + 1);
        made.variant = second ? strdup(second + 1) : NULL;
        platform_clear(platform);
        *platform = made;
        return made.os && made.architecture && (!second || made.variant) ? 0 : error_oom(err);
}

void platform_clear(Platform *platform) {
        free(platform->os);
        free(platform->architecture);
        free(platform->variant);
        *platform = (Platform) {};
}

static void note(void *userdata, const char *text) {
        const Cli *cli = userdata;

        cli->lifecycle.observer.note(cli->lifecycle.observer.userdata, text);
}

RegistryOptions registry_request(Cli *cli, const Call *call, const RegistryArgs *args) {
        TlsVerify verify = TLS_VERIFY_CONFIGURED;

        for (size_t i = 0; i < call->n_given; i++)
                if (call->given[i]->name && !strcmp(call->given[i]->name, "tls-verify"))
                        verify = args->tls_verify ? TLS_VERIFY_YES : TLS_VERIFY_NO;
        return (RegistryOptions) {
                .authfile = args->authfile,
                .creds = args->creds,
                .cert_dir = args->cert_dir,
                .tls_verify = verify,
                .timeout = (unsigned) cli->config->registry_timeout,
                .speed_min = (unsigned) cli->config->registry_speed_min,
                .retries = (unsigned) cli->config->registry_retries,
                .retry_wait_max = (unsigned) cli->config->registry_retry_wait_max,
                .cancelled = cli->interrupted,
                .note = note,
                .userdata = cli,
        };
}
