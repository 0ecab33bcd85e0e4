#pragma once

/*
 * The namespaces of a user without privileges: this process itself becomes root of a user namespace that has the user's own ids and those of
 * /etc/subuid and /etc/subgid, with a mount namespace that is its own. Everything else then goes on as for root. There is no way back, and
 * nothing holds the namespaces but the processes in them.
 */

#include <stdint.h>
#include <sys/types.h>

#include "oci/id-mapping.h"

/**
 * user_namespace_make() - make both, and become root of them; only while there is one thread
 * @mapping: whose first ranges are our own user and group
 *
 * newuidmap and newgidmap write the maps: they alone may give away more than our own ids. Source: newuidmap(1)
 *
 * Errors: NotSupported (no user namespaces here), RuntimeNotAvailable (no such programs), FileError with what they say
 */
int user_namespace_make(const IdMapping *mapping, Error *err);

/**
 * user_namespace_join() - become root of the user namespace just below ours that a process is in, however deep
 * @mount_namespace: inode of the mount namespace that is wanted: joined when it is the process's own, else a new one is made
 *
 * The working directory stays the same path. Errors: InvalidState when there is no such namespace or the process is gone, FileError
 */
int user_namespace_join(pid_t pid, uint64_t mount_namespace, Error *err);
