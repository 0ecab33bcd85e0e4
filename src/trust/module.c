/* The module's table: the only symbol it exports. */

#include "trust/fetch.h"
#include "trust/sign.h"
#include "trust/sigstore.h"
#include "trust/simple.h"

extern const TrustModule trust_module_table;
__attribute__((visibility("default"))) const TrustModule trust_module_table = {
        .version = TRUST_MODULE_VERSION,
        .simple_verify = simple_verify,
        .sigstore_verify = sigstore_verify,
        .fetch = trust_fetch,
        .sign = image_sign,
};
