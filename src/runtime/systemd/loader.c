/* The program's side of the systemd module. */

#include "base/module.h"
#include "runtime/systemd/systemd.h"

const SystemdModule *systemd_module(Error *err) {
        return module_open("systemd", "systemd_module_table", SYSTEMD_MODULE_VERSION, err);
}
