/* Fault points of the test build; see fault.h. */

#include "base/fault.h"

#ifdef TEST_HOOKS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fault_point(const char *name, Error *err) {
        const char *wanted = getenv("PROXMOX_LXCRI_FAULT");
        size_t len = strlen(name);

        if (!wanted || strncmp(wanted, name, len) || wanted[len] != ':')
                return 0;
        if (!strcmp(wanted + len + 1, "kill")) {
                kill(0, SIGKILL);
                pause();
        }
        if (!strcmp(wanted + len + 1, "stop"))
                raise(SIGSTOP);
        if (!strcmp(wanted + len + 1, "error"))
                return error_set_errno(err, ERROR_FILE, EIO, "injected fault at '%s'", name);
        return 0;
}

#endif
