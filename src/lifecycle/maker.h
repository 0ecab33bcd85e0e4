#pragma once

/* The lock of a directory whose maker was killed. */

#include "lifecycle/rundir.h"

/**
 * maker_lock() - as rundir_lock() without waiting, but not put off by the dead
 *
 * What a killed command had forked holds its lock, too, until it has died of that as well: a moment, in which the directory looks as if
 * somebody were at work on it. That moment is waited for, and what does not die in it is killed: nobody waits for its work any more.
 *
 * Errors: InvalidState with errnum EWOULDBLOCK when somebody holds it who lives; FileError
 */
int maker_lock(RunDir *dir, bool *ret_gone, Error *err);
