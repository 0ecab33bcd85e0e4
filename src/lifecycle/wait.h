#pragma once

/* Waiting for a container's end. */

#include "lifecycle/container.h"
#include "oci/state.h"

/**
 * wait_process() - until that process has ended
 * @timeout_ms: -1: no limit
 * @ret_ended:  false: the time is over
 *
 * Errors: Interrupted, FileError
 */
int wait_process(const Lifecycle *lifecycle, const ProcessRef *process, int timeout_ms, bool *ret_ended, Error *err);

/**
 * wait_exit() - the exit record of a stopped container, which its monitor may be about to write
 *
 * Return: false when there is none, and none is to come.
 */
bool wait_exit(const Container *container, ExitRecord *ret);

/** wait_attached() - show what a container with a monitor says from now on, until it has ended; its exit code */
int wait_attached(const Lifecycle *lifecycle, const char *id, int *ret_exit_code, Error *err);
