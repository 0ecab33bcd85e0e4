#pragma once

/* Who we are to the host: within a user namespace root may be a user without privileges. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** user_is_nested() - whether this process is in a user namespace that does not have all ids: much of what root may do, it may not there */
bool user_is_nested(void);

/** user_outer_id() - our effective user id as the user namespace around ours names it; the same in the initial one */
uid_t user_outer_id(void);

/**
 * user_id_count() - how many ids our user namespace has from 0 on without a gap: users and groups that it has both
 *
 * Returns: UINT32_MAX in the initial user namespace
 */
uint32_t user_id_count(void);
