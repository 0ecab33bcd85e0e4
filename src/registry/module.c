/* The module's table: the only symbol it exports. */

#include "registry/client.h"

static int names(Registry *registry, const char *text, char ***ret, Error *err) {
        return registries_conf_names(&registry->conf, text, ret, err);
}

extern const RegistryModule registry_module_table;
__attribute__((visibility("default"))) const RegistryModule registry_module_table = {
        .version = REGISTRY_MODULE_VERSION,
        .open = registry_open,
        .close = registry_close,
        .names = names,
        .manifest = registry_manifest,
        .blob_open = registry_blob_open,
        .blob_read = registry_blob_read,
        .blob_close = registry_blob_close,
        .blob_get = registry_blob_get,
        .referrers = registry_referrers,
        .blob_exists = registry_blob_exists,
        .blob_push = registry_blob_push,
        .manifest_push = registry_manifest_push,
        .api_get = registry_api_get,
        .url_get = registry_url_get,
        .keeps_signatures = registry_keeps_signatures,
        .login = registry_login,
        .logout = registry_logout,
};
