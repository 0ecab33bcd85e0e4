#pragma once

/* Paths below a container's root: resolved by the kernel as a process inside would see them, whatever symlinks there are. */

#include <stdbool.h>

#include "base/error.h"

/**
 * root_path_make() - open what is at @path inside of the root (O_PATH), making what is missing of it
 * @root:      the root directory
 * @directory: what is made at its end: a directory, or an empty file
 * @no_follow: a symlink at its end is opened itself
 *
 * Errors: InvalidRootfs, InvalidSpec
 */
int root_path_make(int root, const char *path, bool directory, bool no_follow, int *ret_fd, Error *err);

/** root_path_make_parent() - open the directory that holds @path, and point out the last component */
int root_path_make_parent(int root, const char *path, int *ret_fd, const char **ret_name, Error *err);
