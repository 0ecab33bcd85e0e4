#pragma once

/* Copying trees with everything a filesystem keeps of a file. Nothing here follows a symlink. */

#include "base/error.h"
#include "oci/id-mapping.h"

/**
 * copy_attributes() - give @to_fd owner, mode, extended attributes (but for overlay's own) and times of @from_fd
 * @mapping: shift owners to the ids that a user namespace's have on the host; NULL: as they are
 *
 * Errors: FileError, InvalidArgument (an owner that the mapping does not have)
 */
int copy_attributes(int from_fd, int to_fd, const IdMapping *mapping, Error *err);

/**
 * copy_layer() - apply one layer in overlay's format upon a tree: whiteouts remove, opaque directories empty
 * @layer_fd: the layer's root
 * @to_fd:    the tree's root
 * @links_fd: an empty directory on the tree's filesystem, the same for every layer of the tree: it holds one name of each file that has
 *            several, for as long as the copying goes on
 * @mapping:  as for copy_attributes(); owners in access control lists and in capabilities are shifted, too
 *
 * Errors: FileError, InvalidArgument, OutOfMemory
 */
int copy_layer(int layer_fd, int to_fd, int links_fd, const IdMapping *mapping, Error *err);
