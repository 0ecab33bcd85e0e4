/* The backend `lxc`: our own engine, its init started by liblxc. */

#include "backends/lxc/lxc.h"

#include "backends/engine-row.h"
#include "backends/rows.h"
#include "base/module.h"

const LxcModule *lxc_module(Error *err) {
        Error e = ERROR_INIT;
        const LxcModule *module = module_open("lxc", LXC_MODULE_SYMBOL, LXC_MODULE_VERSION, &e);

        if (!module) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "%s", e.text);
                error_hint(err, "%s", e.hint[0] ? e.hint : "install liblxc, package liblxc1 or liblxc1t64");
        }
        return module;
}

static int lxc_probe(const Backend *backend, const char *program, Error *err) {
        if (engine_probe(err) < 0)
                return -1;
        return lxc_module(err) ? 0 : -1;
}

const Backend backend_lxc = {
        .name = "lxc",
        .summary = "make the container by this program, started by liblxc",
        .capabilities = BACKEND_UNPRIVILEGED | BACKEND_SHIELDS_HOST | BACKEND_OWN_CGROUPS | BACKEND_ENDS_CGROUPS | BACKEND_BOOTS |
                        BACKEND_OTHER_CONFIG,
        .driver_data = &lxc_launcher,
        .probe = lxc_probe,
        ENGINE_ROW_FUNCTIONS,
};
