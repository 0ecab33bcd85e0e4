#pragma once

/* The cgroup hierarchies that are mounted here, and where this program itself sits in each. Private to runtime/. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct CgroupHierarchy {
        char *controllers; /* as in /proc/PID/cgroup: "cpu,cpuacct", "name=systemd", or "" for v2 */
        char *mount;       /* where it is mounted */
        char *root;        /* which of its directories is mounted there, as this cgroup namespace names it */
        char *own;         /* directory of this program's own cgroup; NULL when it is not below the mount */
} CgroupHierarchy;

typedef struct CgroupHierarchies {
        CgroupHierarchy *all;
        size_t n;
        struct CgroupInode {
                dev_t device;
                ino_t inode;
        } *ours; /* of our own cgroups and those above them; made by the first cgroup_holds_us() */
        size_t n_ours;
} CgroupHierarchies;

/** cgroup_hierarchies_load() - those this program is in and that are mounted. Errors: FileError, OutOfMemory */
int cgroup_hierarchies_load(CgroupHierarchies *ret, Error *err);

/** cgroup_hierarchies_free() - free the contents */
void cgroup_hierarchies_free(CgroupHierarchies *hierarchies);
#define _cleanup_hierarchies_ _cleanup_(cgroup_hierarchies_free)

/**
 * cgroup_directory() - where a path of /proc/PID/cgroup lies below a hierarchy's mount
 * @ret: NULL when it does not lie there; free()
 */
int cgroup_directory(const CgroupHierarchy *hierarchy, const char *path, char **ret, Error *err);

/** cgroup_holds_us() - whether the open directory @fd is this program's own cgroup or one above it; true when that cannot be told */
bool cgroup_holds_us(CgroupHierarchies *hierarchies, int fd);

/** cgroup_line_next() - split the next "ID:CONTROLLERS:PATH" off *text, which is modified; false at the end */
bool cgroup_line_next(char **text, const char **ret_controllers, const char **ret_path);
