/* The module's verify_layers() and engine(); see image.h. */

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/workers.h"
#include "image/verify.h"
#include "layers/decompress.h"
#include "layers/layers.h"

int image_verify_layers(Store *store, const Digest *layers, size_t n, VerifyResult **ret, Error *err) {
        VerifyResult *results = calloc(n ?: 1, sizeof(*results));

        if (!results)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                Error found = ERROR_INIT;

                if (string_copy(layers[i].text, &results[i].subject, err) < 0)
                        goto failed;
                if (layer_check(store, &layers[i], &found) == 0)
                        continue;
                results[i].kind = found.kind;
                if (string_copy(found.text, &results[i].problem, err) < 0)
                        goto failed;
        }
        *ret = results;
        return 0;
failed:
        verify_results_free(results, n);
        return -1;
}

void image_engine(ImageEngine *ret) {
        *ret = (ImageEngine) {
                .gzip = compression_library(COMPRESSION_GZIP),
                .zstd = compression_library(COMPRESSION_ZSTD),
                .workers = workers_default(),
        };
}
