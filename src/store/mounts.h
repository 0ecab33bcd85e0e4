#pragma once

/* Mount points of this mount namespace, told by descriptors and mount ids rather than by paths. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/** mount_is_point() - whether something is mounted on @name below @dir_fd; false when missing. Errors: FileError, NotSupported */
int mount_is_point(int dir_fd, const char *name, bool *ret, Error *err);

/** mount_is_inside() - whether anything is mounted somewhere below the directory @dir_fd. Errors: FileError */
int mount_is_inside(int dir_fd, bool *ret, Error *err);

/** mount_is_shared() - whether what is mounted below @dir_fd would show up in other namespaces too. Errors: FileError */
int mount_is_shared(int dir_fd, bool *ret, Error *err);

/**
 * mount_remove() - unmount everything that is mounted on @name below @dir_fd, and beneath it
 *
 * What is busy is detached lazily. Nothing mounted, or no such name: success. Errors: FileError
 */
int mount_remove(int dir_fd, const char *name, Error *err);
