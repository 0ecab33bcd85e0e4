#pragma once

/* The module `lxc`: all that calls liblxc, which is one start. Private to backends/lxc/. */

#include <stdint.h>

#include "base/error.h"

#define LXC_MODULE_VERSION 1u
#define LXC_MODULE_SYMBOL  "lxc_module_table"

typedef struct LxcStart {
        const char *name;      /* that no other container of this machine has now: liblxc listens under it */
        const char *path;      /* a directory that liblxc takes for its own */
        const char *log;       /* a file that liblxc logs to */
        uint64_t namespaces;   /* clone flags */
        char *const *argv;     /* the init */
} LxcStart;

typedef struct LxcModule {
        unsigned version;
        /**
         * start() - make this process liblxc's monitor of a container; single-threaded
         *
         * Returns when the container has ended, or could not be made (LXCError; the cause is in the log).
         */
        int (*start)(const LxcStart *start, Error *err);
} LxcModule;
