#pragma once

/* What a new cgroup needs before limits can be set and a process can enter. Private to runtime/. */

#include "runtime/cgroup-layout.h"

/** cgroup_cpuset_fill() - v1: give an empty cpuset, and empty ones above it, the processors and memory nodes of its parent. Errors: FileError */
int cgroup_cpuset_fill(int fd, Error *err);

/**
 * cgroup_v2_enable() - have the cgroups above @place give it controllers
 * @need:       bits of those that must be; others are given as far as they can be, when @all
 * @ret_reason: why one of @need could not be given; no error of its own: what needs it fails with this as the cause
 *
 * What is given already is not written again. Errors: FileError, OutOfMemory
 */
int cgroup_v2_enable(const CgroupPlace *place, unsigned need, bool all, Error *ret_reason, Error *err);

/** cgroup_v2_check() - that processes can enter: neither below a threaded cgroup, nor with controllers given to those below. Errors: NotSupported, InvalidState */
int cgroup_v2_check(int fd, const char *path, Error *err);

/**
 * cgroup_delegate() - give a cgroup to its container's root: on v2 the directory and the files that /sys/kernel/cgroup/delegate names, on v1
 * only hierarchies without a controller, such as systemd's own, because v1 is not safe to give away
 */
int cgroup_delegate(int fd, const CgroupHierarchy *hierarchy, uid_t uid, gid_t gid, Error *err);
