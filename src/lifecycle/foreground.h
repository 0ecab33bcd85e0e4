#pragma once

/* A container in the foreground: one process of the runtime creates, starts and waits; phases 7 to 9 happen within it. */

#include "lifecycle/transaction.h"

/**
 * foreground_run() - run a transaction to its end and the container to its own
 * @keep: a bundle's container is not deleted
 *
 * Errors: any, with phase, undone; once the container is published, those of the runtime
 */
int foreground_run(Transaction *transaction, bool keep, bool remove, int *ret_exit_code, Error *err);
