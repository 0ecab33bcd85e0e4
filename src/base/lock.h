#pragma once

/* Advisory file locks (flock): they vanish with their holder, so a crash leaves none behind. */

#include <stdbool.h>

#include "base/error.h"

typedef enum LockMode {
        LOCK_SHARED,
        LOCK_EXCLUSIVE,
} LockMode;

/**
 * lock_take_at() - open (create if missing, mode 0600) and lock a file
 * @wait:   false: a lock that is held elsewhere answers at once
 * @ret_fd: set on success only; closing it releases the lock. A forked child shares the lock until it closes its copy
 *
 * The name is checked again after locking: a file that was removed or replaced meanwhile is opened anew.
 *
 * Errors: FileError; InvalidState with errnum EWOULDBLOCK when held and !@wait
 */
int lock_take_at(int dir_fd, const char *name, LockMode mode, bool wait, int *ret_fd, Error *err);
