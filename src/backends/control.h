#pragma once

/* What backends have in common whose containers are processes of this host. Private to backends/. */

#include "backends/backend.h"

/** control_not_running() - InvalidState in runc's words; always -1 */
int control_not_running(Error *err);

int control_kill(const BackendContainer *container, const State *state, int signal, bool all, Error *err);
int control_pause(const BackendContainer *container, const State *state, Error *err);
int control_resume(const BackendContainer *container, const State *state, Error *err);
int control_stats(const BackendContainer *container, const State *state, json_t **ret, Error *err);
