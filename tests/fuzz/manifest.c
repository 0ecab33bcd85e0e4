/* Manifests. The first byte is the type that is claimed for the rest. */

#include "fuzz.h"
#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        Error err = ERROR_INIT;

        if (size < 1)
                return 0;
        if (manifest_parse((const char *) data + 1, size - 1, data[0] % (MEDIA_SCHEMA1 + 1), "fuzz", &manifest, &err) < 0) {
                check_error(&err);
                CHECK(!manifest);
                return 0;
        }
        CHECK(manifest->config.type == MEDIA_CONFIG);
        CHECK(manifest->n_layers <= MANIFEST_LAYER_MAX);
        for (size_t i = 0; i < manifest->n_layers; i++) {
                CHECK(manifest->layers[i].type >= MEDIA_LAYER_TAR && manifest->layers[i].type <= MEDIA_LAYER_ZSTD);
                CHECK(strspn(digest_hex(&manifest->layers[i].digest), "0123456789abcdef") == 64);
        }
        return 0;
}
