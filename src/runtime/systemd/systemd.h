#pragma once

/* What the systemd module does: the calls to systemd's manager over D-Bus. The rest of the program needs neither libsystemd nor a bus. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** A property of a unit, as D-Bus types it */
typedef struct UnitProperty {
        char *name;
        const char *type; /* "b", "y", "n", "q", "i", "u", "x", "t" (by @number), "s" and "as" (by @strings), "ay" (by @bytes), "au" (of one
                           * number), "a(ss)" (by @strings, in pairs) */
        uint64_t number;
        char **strings;
        uint8_t *bytes;
        size_t n_bytes;
} UnitProperty;

typedef struct UnitProperties {
        UnitProperty *all;
        size_t n;
} UnitProperties;

#define SYSTEMD_MODULE_VERSION 1

typedef struct SystemdModule {
        unsigned version;
        /**
         * start a transient unit and wait until it is there
         * @user:       the caller's own manager, not the system's
         * @ret_cgroup: from the mount: "/system.slice/x.scope"; free()
         *
         * What is left of a failed unit of that name is reset first. Errors: RuntimeNotAvailable (no bus), InvalidState (the unit exists),
         * InvalidSpec (the manager refuses a property), Timeout, OutOfMemory
         */
        int (*start)(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, char **ret_cgroup, Error *err);
        /** change properties of a running unit, until it ends. Errors: as start */
        int (*set)(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, Error *err);
        /** stop a unit and wait until it is gone; a missing one is success. Errors: RuntimeNotAvailable, Timeout, OutOfMemory */
        int (*stop)(bool user, const char *unit, int timeout_ms, Error *err);
} SystemdModule;

/** systemd_module() - the module, loaded on first use; NULL with @err set. Errors: FileError */
const SystemdModule *systemd_module(Error *err);
