/* The module's table: the only symbol it exports. */

#include "runtime/systemd/manager.h"

extern const SystemdModule systemd_module_table;
__attribute__((visibility("default"))) const SystemdModule systemd_module_table = {
        .version = SYSTEMD_MODULE_VERSION,
        .start = manager_start,
        .set = manager_set,
        .stop = manager_stop,
};
