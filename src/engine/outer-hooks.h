#pragma once

/* Hooks that run in this program's namespaces: prestart, createRuntime, poststart, poststop. Private to engine/. */

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"

/** outer_hook_run() - the one at @i of a kind; see outer_hooks_run() */
int outer_hook_run(const json_t *hooks, const char *name, size_t i, const json_t *state, const char *status, pid_t pid, Error *err);

/**
 * outer_hooks_run() - each of one kind, in order; the first that fails ends it
 * @hooks:  the `hooks` object; NULL: none
 * @state:  ociVersion, id, bundle, annotations
 * @pid:    0: the state has none
 */
int outer_hooks_run(const json_t *hooks, const char *name, const json_t *state, const char *status, pid_t pid, Error *err);
