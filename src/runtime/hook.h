#pragma once

/*
 * Running the hooks of a configuration: a program with its own arguments and environment, the container's state on stdin, and a time limit.
 * Where it runs is where it is called. Needs neither JSON nor PATH: the init runs them, too.
 *
 * Source: runtime-spec config.md "POSIX-platform Hooks", runtime.md "Lifecycle"
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Hook {
        const char *path;        /* absolute */
        const char *place;       /* "hooks.prestart[0]", for errors */
        char *const *args, *const *env; /* NULL-terminated; args NULL: the path alone */
        unsigned timeout;        /* seconds; 0: none */
} Hook;

/**
 * hook_run() - run one, and wait for it
 * @state: JSON for its stdin
 *
 * What it has started itself is not waited for and not killed with it, as with runc and crun.
 *
 * Errors: RuntimeError with what it said on stderr; Timeout, it is killed then
 */
int hook_run(const Hook *hook, const char *state, size_t len, Error *err);
