#pragma once

/* Owners of a copy for a container with a user namespace: the ids that the container's own have on the host, written into the files. */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "oci/id-mapping.h"

/** shift_owner() - of @st, in place. Errors: InvalidArgument when the mapping does not have it */
int shift_owner(const IdMapping *mapping, struct stat *st, Error *err);

/**
 * shift_xattr() - of the users in an access control list, and the root in a file's capabilities; other attributes stay as they are
 * @value: in place, with room for @size bytes
 * @len:   may grow: capabilities of every root become those of the namespace's
 *
 * Source: capabilities(7), "File capability extended attribute versioning"; acl(5), include/uapi/linux/posix_acl_xattr.h
 *
 * Errors: InvalidArgument when the mapping does not have an id
 */
int shift_xattr(const IdMapping *mapping, const char *name, char *value, size_t size, ssize_t *len, Error *err);
