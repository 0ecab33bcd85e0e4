/* The module's table: the only symbol it exports. */

#include "network/create.h"

extern const NetworkModule network_module_table;
__attribute__((visibility("default"))) const NetworkModule network_module_table = {
        .version = NETWORK_MODULE_VERSION,
        .create = network_create,
        .remove = network_remove,
        .devices_move = devices_move,
        .devices_return = devices_return,
        .devices_free = devices_free,
};
