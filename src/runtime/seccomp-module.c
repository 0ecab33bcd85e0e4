/* The module's table: the only symbol it exports. */

#include "runtime/seccomp-module.h"

#include <dlfcn.h>
#include <seccomp.h>

static const char *file_of(const void *address) {
        Dl_info info;

        return dladdr(address, &info) ? info.dli_fname : NULL;
}

static const char *own_file(void) {
        return file_of((const void *) own_file);
}

static const char *library_file(void) {
        return file_of((const void *) seccomp_version);
}

extern const SeccompModule seccomp_module_table;
__attribute__((visibility("default"))) const SeccompModule seccomp_module_table = {
        .version = SECCOMP_MODULE_VERSION,
        .compile = seccomp_compile,
        .own_file = own_file,
        .library_file = library_file,
};
