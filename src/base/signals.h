#pragma once

/* Signals by the names and numbers people and images write. (Not "signal.h": that name is the system's.) */

#include "base/error.h"

/**
 * signal_parse() - "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"
 * @ret: 1 … 64; set on success only
 *
 * Errors: InvalidArgument
 */
int signal_parse(const char *text, int *ret, Error *err);

#define SIGNAL_NAME_MAX 16 /* bytes with the NUL */

/** signal_name() - "SIGTERM", "SIGRTMIN+3"; the number for one without a name */
const char *signal_name(int signal, char ret[SIGNAL_NAME_MAX]);
