/* The backend `native`: our own engine, started by clone3(). */

#include "backends/engine-row.h"
#include "backends/native/native.h"
#include "backends/rows.h"

static int native_probe(const Backend *backend, const char *program, Error *err) {
        if (program) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "program '%s' is of no use: native is this program itself", program);
                return error_hint(err, "remove runtimes.native.path from the configuration");
        }
        return engine_probe(err);
}

const Backend backend_native = {
        .name = "native",
        .summary = "make the container by this program itself",
        .capabilities = BACKEND_UNPRIVILEGED | BACKEND_SHIELDS_HOST | BACKEND_OWN_CGROUPS | BACKEND_ENDS_CGROUPS | BACKEND_BOOTS |
                        BACKEND_OTHER_CONFIG,
        .driver_data = &native_launcher,
        .probe = native_probe,
        ENGINE_ROW_FUNCTIONS,
};
