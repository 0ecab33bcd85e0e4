#pragma once

/* The launcher `native`: clone3() and nothing else. Private to this folder. */

#include "engine/engine.h"

extern const EngineLauncher native_launcher;

#include "backends/backend.h"

/**
 * exec_process() - the process object for an exec: of a file, or the container's own with what the options say
 * @config_dir: where the container's config.json is
 * @ret_spec:   the container's configuration
 */
int exec_process(const char *config_dir, const BackendExec *request, json_t **ret_spec, json_t **ret_process, Error *err);
