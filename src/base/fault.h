#pragma once

/*
 * Fault points: named places at which a test makes this process fail or die. They exist in the test build only (-Dtest_hooks=true);
 * elsewhere they compile to nothing.
 *
 * $PROXMOX_LXCRI_FAULT is "NAME:ACTION", ACTION one of: "kill" (SIGKILL to the whole process group), "error" (the step fails),
 * "stop" (SIGSTOP to itself, so that a test can look around). Names are PHASE.PLACE, for example "layers.middle".
 */

#include <stdbool.h>

#include "base/error.h"

#ifdef TEST_HOOKS
/** fault_point() - act when the environment names this point. Returns 0, or -1 with a FileError saying "injected fault" */
int fault_point(const char *name, Error *err);
#else
static inline int fault_point(const char *name, Error *err) {
        (void) name;
        (void) err;
        return 0;
}
#endif
