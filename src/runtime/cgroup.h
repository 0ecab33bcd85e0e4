#pragma once

/* A container's cgroups on v1, hybrid and v2: finding, asking, killing, removing. Needs no runtime program. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * cgroup_of_process() - absolute directories of a process's cgroups, one per hierarchy that is mounted here
 * @ret: NULL-terminated, strv_free(); hierarchies in which the process sits in the same cgroup as this program are left out, so that
 *       what is removed or killed later is never our own or a session's
 *
 * Errors: FileError (ESRCH when it is gone)
 */
int cgroup_of_process(pid_t pid, char ***ret, Error *err);

/** cgroup_pids() - every process in the given cgroups and below, each once; free(). Errors: FileError, OutOfMemory */
int cgroup_pids(char *const *cgroups, pid_t **ret, size_t *ret_n, Error *err);

/** cgroup_signal_all() - signal every process in them, until a pass finds none that was not signalled (cgroup.kill where there is one, for SIGKILL) */
int cgroup_signal_all(char *const *cgroups, int signal, Error *err);

/** cgroup_remove_all() - kill what is in them, thaw, and remove them with everything below; missing is success. Bounded by @timeout_ms */
int cgroup_remove_all(char *const *cgroups, int timeout_ms, Error *err);

/** cgroup_is_frozen() - v2 cgroup.events, v1 freezer.state */
int cgroup_is_frozen(char *const *cgroups, bool *ret, Error *err);

/** cgroup_freeze() - freeze or thaw, and wait until it is so (bounded by @timeout_ms). Errors: FileError, Timeout, NotSupported */
int cgroup_freeze(char *const *cgroups, bool freeze, int timeout_ms, Error *err);

/** cgroup_was_oom_killed() - whether the kernel killed for memory in them (v2 memory.events, v1 memory.oom_control) */
int cgroup_was_oom_killed(char *const *cgroups, bool *ret, Error *err);

/** cgroup_find_by_name() - directories in any hierarchy whose last component names the container @id the way crun, runc and their systemd
 *  scopes do (ID, crun-ID.scope, …), directly below where this program's own cgroup or the given @cgroups_path puts them. For repair after
 *  a crash before a pid was known; strv_free() */
int cgroup_find_by_name(const char *id, const char *cgroups_path, char ***ret, Error *err);
