/* Loading modules from a fixed place. */

#include "base/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

/* The process's: it does not change, but the kernel's answer does. */
static char known_path[PATH_MAX];

static void learn_path(void) {
        (void) !readlink("/proc/self/exe", known_path, PATH_MAX - 1);
}

int program_path(char ret[PATH_MAX], Error *err) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        if (pthread_once(&once, learn_path) != 0 || !known_path[0])
                return error_set_errno(err, ERROR_FILE, errno, "read '/proc/self/exe'");
        strcpy(ret, known_path);
        return 0;
}

/* The directory of modules: MODULE_DIR when this program stands in BIN_DIR, else "modules" beside it. */
static int module_directory(char ret[PATH_MAX], Error *err) {
        char exe[PATH_MAX];
        char *slash;
        int n;

        if (program_path(exe, err) < 0)
                return -1;
        slash = strrchr(exe, '/');
        if (!slash)
                return error_set_errno(err, ERROR_FILE, ENOENT, "own directory of '%s'", exe);
        *slash = '\0';
        if (!strcmp(exe, BIN_DIR))
                n = snprintf(ret, PATH_MAX, "%s", MODULE_DIR);
        else
                n = snprintf(ret, PATH_MAX, "%s/modules", exe);
        if (n >= PATH_MAX)
                return error_set_errno(err, ERROR_FILE, ENAMETOOLONG, "module directory beside '%s'", exe);
        return 0;
}

int module_path(const char *name, char **ret, Error *err) {
        char dir[PATH_MAX];

        if (module_directory(dir, err) < 0)
                return -1;
        return string_format(ret, err, "%s/%s", dir, name);
}

const void *module_open(const char *name, const char *symbol, unsigned version, Error *err) {
        char dir[PATH_MAX], path[PATH_MAX];
        const unsigned *table;
        void *handle;

        if (module_directory(dir, err) < 0)
                return NULL;
        if (snprintf(path, sizeof(path), "%s/%s.so", dir, name) >= (int) sizeof(path)) {
                error_set_errno(err, ERROR_FILE, ENAMETOOLONG, "module '%s'", name);
                return NULL;
        }
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!handle) {
                error_set(err, ERROR_FILE, "load module '%s': %s", name, dlerror());
                return NULL;
        }
        table = dlsym(handle, symbol);
        if (!table) {
                error_set(err, ERROR_FILE, "module '%s' has no '%s'", path, symbol);
                return NULL;
        }
        if (*table != version) {
                error_set(err, ERROR_FILE, "module '%s' has version %u, not %u", path, *table, version);
                error_hint(err, "install program and modules from one build");
                return NULL;
        }
        return table;
}
