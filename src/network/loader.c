/* The program's side of the modules. */

#include "base/module.h"
#include "network/network.h"

const NetworkModule *network_module(Error *err) {
        return module_open("network", "network_module_table", NETWORK_MODULE_VERSION, err);
}

const FirewallModule *firewall_module(Error *err) {
        return module_open("firewall", "firewall_module_table", FIREWALL_MODULE_VERSION, err);
}
