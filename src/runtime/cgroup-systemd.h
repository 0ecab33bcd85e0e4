#pragma once

/* Scopes of systemd: names, properties, and the calls that reach the manager. Private to runtime/. */

#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-settings.h"

/** cgroup_scope_name() - slice and unit of "SLICE:PREFIX:NAME"; free(). Errors: InvalidSpec, OutOfMemory */
int cgroup_scope_name(const CgroupRequest *request, char **ret_slice, char **ret_unit, Error *err);

/** cgroup_scope_path() - the cgroup that the scope will have, from the mount: "/system.slice/lxcri-ID.scope"; free(). Errors: as above */
int cgroup_scope_path(const CgroupRequest *request, char **ret, Error *err);

/** cgroup_scope_is_of_user() - whether the caller's own manager keeps the scopes, not the system's */
bool cgroup_scope_is_of_user(void);

/**
 * cgroup_scope_start() - have systemd make the scope
 * @ret_holder: a process of ours inside: a scope without any ends. To be killed and waited for once the container's own is there.
 *
 * Errors: RuntimeNotAvailable, InvalidState, InvalidSpec, Timeout, Runtime, FileError, OutOfMemory
 */
int cgroup_scope_start(const CgroupRequest *request, pid_t *ret_holder, Error *err);

/** cgroup_scope_set() - tell systemd of limits that are written to the files too. @filter: NULL: nothing of devices. Errors: as start */
int cgroup_scope_set(const CgroupRequest *request, const CgroupSettings *settings, const CgroupTarget *target, const DeviceFilter *filter,
                     Error *err);

/** cgroup_scope_stop() - end the scope; a missing one is success */
int cgroup_scope_stop(const CgroupRequest *request, int timeout_ms, Error *err);
