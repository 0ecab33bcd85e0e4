#pragma once

/* The hooks that follow the start of the user's process. Private to engine/. */

#include <jansson.h>
#include <sys/types.h>

#include "engine/engine.h"

/**
 * poststart_run() - run them, as the version of the container's configuration has it
 * @record: the container's, see record.h
 *
 * Up to version 1.2 a failing one is a warning, and the others and the container go on. Since 1.3 it is an error, and the caller has to stop
 * the container. Source: runtime-spec runtime.md, "Lifecycle", step 9, of 1.2.0 and of 1.3.0
 *
 * Errors: RuntimeError, Timeout
 */
int poststart_run(const EngineContainer *container, const json_t *record, pid_t pid, Error *err);
