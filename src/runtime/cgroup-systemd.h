#pragma once

/* Scopes of systemd: names, properties, and the calls that reach the manager. Private to runtime/. */

#include "runtime/cgroup-create.h"

/** cgroup_scope_path() - the cgroup that the scope will have, from the mount: "/system.slice/lxcri-ID.scope"; free(). Errors: InvalidSpec, OutOfMemory */
int cgroup_scope_path(const CgroupRequest *request, char **ret, Error *err);

/** cgroup_scope_name() - slice and unit of "SLICE:PREFIX:NAME"; free(). Errors: InvalidSpec, OutOfMemory */
int cgroup_scope_name(const CgroupRequest *request, char **ret_slice, char **ret_unit, Error *err);
