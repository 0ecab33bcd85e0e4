#pragma once

/* Network namespaces: entering one for a moment, and keeping one as a bind mount. Only the calling thread moves. */

#include "network/network.h"

/** netns_open_own() - the caller's. Errors: FileError */
int netns_open_own(int *ret_fd, Error *err);

/**
 * netns_call() - call a function in another network namespace and come back
 *
 * A caller that could not come back would go on in a place it knows nothing of: that ends the process.
 *
 * Errors: FileError; those of @function
 */
int netns_call(int netns_fd, int (*function)(void *userdata, Error *err), void *userdata, Error *err);

/**
 * netns_make() - a new network namespace, and with a mapping the user namespace that owns it
 * @ret_netns:  its descriptor
 * @ret_userns: -EBADF without a mapping
 */
int netns_make(const IdMapping *mapping, int *ret_netns, int *ret_userns, Error *err);

/** nsfs_keep() - bind a namespace to DIR/NAME, which is made. Errors: FileError */
int nsfs_keep(int namespace_fd, int dir_fd, const char *dir_path, const char *name, Error *err);
/** nsfs_drop() - unbind and remove; nothing there is success */
int nsfs_drop(int dir_fd, const char *dir_path, const char *name, Error *err);
/** nsfs_open() - *ret is -EBADF when no namespace is bound there */
int nsfs_open(int dir_fd, const char *name, int *ret, Error *err);
