#pragma once

/* A container, or its runtime, in the foreground: signals that processes send to this one are for it. */

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct Foreground {
        int signal_fd;
        bool blocked;
        sigset_t saved;
} Foreground;

#define FOREGROUND_INIT ((Foreground) { .signal_fd = -EBADF })

/** foreground_begin() - before it is started: from now on signals wait for foreground_forward() */
int foreground_begin(Foreground *foreground, Error *err);
void foreground_end(Foreground *foreground);
#define _cleanup_foreground_ _cleanup_(foreground_end)

/**
 * foreground_forward() - pass on what has come. Signals from the terminal are left out: they reach its whole process group
 *
 * Returns: whether the terminal's size has changed
 */
bool foreground_forward(const Foreground *foreground, int pidfd);
