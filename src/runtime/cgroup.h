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

/** cgroup_kill_all() - SIGKILL to every process in them, again until none is left. Errors: FileError, Timeout after @timeout_ms */
int cgroup_kill_all(char *const *cgroups, int timeout_ms, Error *err);

/**
 * cgroup_remove_all() - kill what is in them, thaw, and remove them with everything below; missing is success
 *
 * A directory that is no cgroup, or holds this program itself, is refused with InvalidArgument. Errors: FileError, Timeout after @timeout_ms
 */
int cgroup_remove_all(char *const *cgroups, int timeout_ms, Error *err);

/** cgroup_is_frozen() - v2 cgroup.events, v1 freezer.state */
int cgroup_is_frozen(char *const *cgroups, bool *ret, Error *err);

/** cgroup_freeze() - freeze or thaw, and wait until it is so (bounded by @timeout_ms). Errors: FileError, Timeout, NotSupported */
int cgroup_freeze(char *const *cgroups, bool freeze, int timeout_ms, Error *err);

/** cgroup_was_oom_killed() - whether the kernel killed for memory in them (v2 memory.events, v1 memory.oom_control) */
int cgroup_was_oom_killed(char *const *cgroups, bool *ret, Error *err);

/**
 * cgroup_expected() - the directories that crun or runc may make for a container, in every hierarchy, and that do not exist yet
 * @cgroups_path: linux.cgroupsPath of the bundle; NULL: none
 * @ret:          strv_free()
 *
 * Noted down before the runtime starts, this is what a repair after a crash in its create may kill and remove: what was not there before
 * is the container's. Errors: FileError, OutOfMemory
 */
int cgroup_expected(const char *id, const char *cgroups_path, bool systemd, char ***ret, Error *err);
