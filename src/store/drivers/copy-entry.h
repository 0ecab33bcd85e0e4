#pragma once

/* One entry of a tree that copy.c walks. */

#include <sys/stat.h>

#include "base/error.h"
#include "oci/id-mapping.h"

/* What overlay notes of a file, in a user namespace by the other name; never a file's own. */
#define OVERLAY_XATTR      "trusted.overlay."
#define OVERLAY_XATTR_USER "user.overlay."

/**
 * copy_entry() - copy anything but a directory to a name that is free
 * @st:      of the entry, not followed
 * @mapping: as for copy_attributes()
 *
 * Errors: FileError (EEXIST: the name is taken), InvalidArgument, OutOfMemory
 */
int copy_entry(int from_dir, int to_dir, const char *name, const struct stat *st, const IdMapping *mapping, Error *err);
