#pragma once

/*
 * ROOT/ID: the directory of a container while it exists here, and its lock. Reserving an id is making this directory and locking it
 * without waiting. The lock is on the directory itself, so whoever holds the lock of a directory that still has its name owns the id.
 */

#include <stdbool.h>

#include "base/error.h"

typedef struct RunDir {
        char *id;
        char *path;  /* absolute: ROOT/ID */
        int root_fd; /* ROOT */
        int fd;      /* ROOT/ID */
        int lock_fd; /* -EBADF: not held by us */
} RunDir;

RunDir *rundir_free(RunDir *dir);
static inline void rundir_freep(RunDir **dir) {
        rundir_free(*dir);
}

/** rundir_reserve() - make ROOT and ROOT/ID as needed and lock it, without waiting. Errors: ContainerExists when the lock is held, FileError */
int rundir_reserve(const char *root, const char *id, RunDir **ret, Error *err);

/** rundir_open() - open ROOT/ID, unlocked; *ret is NULL when there is none. Errors: FileError */
int rundir_open(const char *root, const char *id, RunDir **ret, Error *err);

/**
 * rundir_lock() - lock a directory that is open
 * @ret_gone: the id is no longer this directory's; it is not locked then
 *
 * Errors: InvalidState with errnum EWOULDBLOCK when held and !@wait; FileError
 */
int rundir_lock(RunDir *dir, bool wait, bool *ret_gone, Error *err);

/** rundir_unlock() - let others have it; not locked: nothing */
void rundir_unlock(RunDir *dir);

/** rundir_clear() - remove everything in it */
int rundir_clear(RunDir *dir, Error *err);

/** rundir_remove() - release the id: clear, then remove the directory. Needs the lock; it is gone afterwards */
int rundir_remove(RunDir *dir, Error *err);
