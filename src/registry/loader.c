/* The other modules' and the program's side of the registry module. */

#include "base/module.h"
#include "registry/registry.h"

const RegistryModule *registry_module(Error *err) {
        return module_open("registry", "registry_module_table", REGISTRY_MODULE_VERSION, err);
}
