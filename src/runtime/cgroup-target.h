#pragma once

/* Which controller of a container's cgroups is where: on v1, hybrid and v2 the same questions. Private to runtime/. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum CgroupController {
        CONTROLLER_CPU,
        CONTROLLER_CPUACCT, /* v2: part of cpu */
        CONTROLLER_CPUSET,
        CONTROLLER_MEMORY,
        CONTROLLER_PIDS,
        CONTROLLER_IO, /* v1: blkio */
        CONTROLLER_HUGETLB,
        CONTROLLER_RDMA,
        CONTROLLER_DEVICES, /* v2: a BPF program, in any cgroup */
        CONTROLLER_NET_CLS,
        CONTROLLER_NET_PRIO,
        CONTROLLER_CORE, /* the v2 cgroup itself, for `unified` */
        _CONTROLLER_MAX,
} CgroupController;

/** The container's cgroup directories, opened */
typedef struct CgroupTarget {
        int *fds; /* owned */
        size_t n_fds;
        struct {
                int fd; /* one of @fds; -EBADF: this host does not have the controller, or gives it to no container */
                bool v2;
        } at[_CONTROLLER_MAX];
        bool update; /* the cgroups are in use: what is not said stays as it is */
} CgroupTarget;

/** cgroup_target_init() - one without any directory */
void cgroup_target_init(CgroupTarget *target);
/** cgroup_target_free() - close all, and be as after cgroup_target_init() */
void cgroup_target_free(CgroupTarget *target);
#define _cleanup_target_ _cleanup_(cgroup_target_free)

/**
 * cgroup_target_add() - add one open directory
 * @fd:          taken, also on failure
 * @controllers: of a v1 hierarchy: "cpu,cpuacct", "name=systemd"; "": v2, whose own cgroup.controllers is read; NULL: found out
 *
 * Errors: FileError, OutOfMemory
 */
int cgroup_target_add(CgroupTarget *target, int fd, const char *controllers, Error *err);

/** cgroup_target_open() - those of a container that runs; what is gone is left out. @ret: initialised. Errors: FileError, InvalidArgument, OutOfMemory */
int cgroup_target_open(char *const *directories, CgroupTarget *ret, Error *err);

/** controller_name() - as the kernel names it on that version */
const char *controller_name(CgroupController controller, bool v2);

/** controller_v1_mask() - bits of a hierarchy's "cpu,cpuacct"; other names are left out */
unsigned controller_v1_mask(const char *list);

/** controller_v2_mask() - bits (1 << CgroupController) of a "cpu io memory" list; unknown names are left out */
unsigned controller_v2_mask(const char *list);
