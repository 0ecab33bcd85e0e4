#pragma once

/* Doing something in the mount namespace that a container's root was mounted in. */

#include <stdint.h>

#include "base/error.h"
#include "base/process.h"

/**
 * namespace_call() - call a function in a mount namespace
 * @inode:   of the namespace; 0, or our own: the function is simply called
 * @process: a process likely to be in it (a monitor); may be NULL
 *
 * Otherwise a child of ours enters the namespace through a process that is in it, and the function runs there. A namespace that no
 * process has any more is gone with its mounts: the function is not called, and that is success.
 *
 * Errors: InvalidState when it cannot be entered; those of @function
 */
int namespace_call(uint64_t inode, const ProcessRef *process, int (*function)(void *userdata, Error *err), void *userdata, Error *err);

/** namespace_process() - any process that is in that mount namespace and in another user namespace than ours, and that we may look at; 0: none */
pid_t namespace_process(uint64_t inode);
