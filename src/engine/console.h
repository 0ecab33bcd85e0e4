#pragma once

/* A process with a terminal in the foreground: this program's own terminal is its terminal. Private to engine/. */

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"
#include "engine/notify.h"
#include "runtime/foreground.h"

#define CONSOLE_INPUT_MAX 8192 /* bytes that are read before they can be written */

typedef struct Console {
        int master;      /* of the process's terminal; -EBADF: it has none */
        int peer;        /* its other end: an init closes its console and opens it again, which must not look like the output's end */
        bool raw;        /* our own terminal is in raw mode, @saved is what it was */
        bool input_ended;
        struct termios saved;
        size_t typed, given; /* bytes in @input, and how many of them the terminal has taken: it takes no more than it has room for */
        char input[CONSOLE_INPUT_MAX];
} Console;

#define CONSOLE_INIT ((Console) { .master = -EBADF, .peer = -EBADF })

/** console_begin() - @master is taken; -EBADF: nothing to do */
int console_begin(Console *console, int master, Error *err);
void console_end(Console *console);
#define _cleanup_console_ _cleanup_(console_end)

/**
 * console_supervise() - until the child has ended: carry what is typed and shown, pass signals on
 * @notify:     passed on meanwhile; NULL: none
 * @ret_status: exit code, 128 + signal
 */
int console_supervise(Console *console, const Foreground *foreground, Notify *notify, pid_t pid, int pidfd, int *ret_status, Error *err);
