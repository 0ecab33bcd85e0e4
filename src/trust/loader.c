/* The program's side of the trust module. */

#include "base/module.h"
#include "trust/trust.h"

const TrustModule *trust_module(Error *err) {
        return module_open("trust", "trust_module_table", TRUST_MODULE_VERSION, err);
}
