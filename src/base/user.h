#pragma once

/* Who we are to the host: within a user namespace root may be a user without privileges. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/** user_is_nested() - whether this process is in a user namespace that does not have all ids: much of what root may do, it may not there */
bool user_is_nested(void);

/** user_outer_id() - our effective user id as the user namespace around ours names it; the same in the initial one */
uid_t user_outer_id(void);

/**
 * user_identity_map() - the ids of our user namespace, each for itself, in the words of --uidmap: "0:0:1,1:1:65536"
 * @groups: those of groups, else of users
 * @ret:    free()
 *
 * In the ranges that the namespace around ours made of them: one that spans two, the kernel refuses.
 *
 * Errors: FileError, OutOfMemory
 */
int user_identity_map(bool groups, char **ret, Error *err);
