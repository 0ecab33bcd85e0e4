#pragma once

/* Where a container's cgroups shall be: one place in each hierarchy of this host. Private to runtime/. */

#include "runtime/cgroup-create.h"
#include "runtime/cgroup-hierarchy.h"

typedef struct CgroupPlace {
        const CgroupHierarchy *hierarchy; /* of the layout */
        char *path;
        size_t base;      /* bytes of @path that are there: the mount, or our own cgroup or the one above it */
        size_t made_from; /* bytes of @path of the first directory that we made; 0: none */
        bool absent;      /* left out: see CgroupRequest.optional */
} CgroupPlace;

/* By linux.cgroupsPath: absolute below each mount; relative, as in runc, below our own cgroup on v1 and beside it on v2; with systemd where
 * its scope will be. */
struct CgroupLayout {
        CgroupHierarchies hierarchies;
        CgroupPlace *places;
        size_t n;
        bool legacy; /* some controller is on v1 */
};

/** cgroup_layout_is_named() - whether the spec itself names the cgroup, which may then be there already */
bool cgroup_layout_is_named(const CgroupRequest *request);
