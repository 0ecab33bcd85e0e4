#pragma once

/* The module's functions, for its table and for unit tests. Private to the module. */

#include "runtime/systemd/systemd.h"

int manager_start(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, char **ret_cgroup, Error *err);
int manager_set(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, Error *err);
int manager_stop(bool user, const char *unit, int timeout_ms, Error *err);
