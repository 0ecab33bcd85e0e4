#pragma once

/* Paths of cgroups as runc, crun and systemd name them. Private to runtime/. */

#include "base/error.h"

/** cgroup_path_clean() - @path with one leading "/", without empty, "." and ".." components: ".." stops at the top, as in runc; free() */
int cgroup_path_clean(const char *path, char **ret, Error *err);

/** cgroup_slice_path() - "a-b.slice" is the directory "/a.slice/a-b.slice"; free(). Source: systemd.slice(5) */
int cgroup_slice_path(const char *slice, char **ret, Error *err);
