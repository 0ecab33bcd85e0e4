#pragma once

/* Standard streams of a process in a user namespace. */

#include <jansson.h>

#include "base/error.h"

/**
 * streams_give() - make pipes among them the property of the process's user, who may then open them by /dev/stdout
 * @linux_part: of the container's configuration; without a mapping of its own there is nothing to do
 * @process:    the spec's process object
 * @fds:        three, as in Spawn
 *
 * A user namespace's root could not do that itself: they are the caller's. Other files stay as they are.
 *
 * Errors: InvalidSpec, OutOfMemory
 */
int streams_give(const json_t *linux_part, const json_t *process, const int fds[3], Error *err);
