#pragma once

/*
 * The same work on a bounded number of threads, which are all gone when the call returns: whoever calls stays, to the rest of the program,
 * single-threaded.
 */

#include "base/error.h"

#define WORKERS_MAX 16 /* threads at once; more would only wait for the disk */

/** workers_default() - how many processors this process may use, WORKERS_MAX at most */
unsigned workers_default(void);

/**
 * workers_run() - call @work on @n threads at once, the caller's own among them, and wait for all
 * @n:    1 makes no thread at all
 * @work: takes the next piece of work itself, until there is none
 *
 * The other threads have all signals blocked: handlers run in the caller's.
 * Fewer threads than wanted are no failure as long as the work gets done.
 */
void workers_run(unsigned n, void (*work)(void *userdata), void *userdata);
