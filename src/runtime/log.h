#pragma once

/* Reading a detached container's log. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct LogRequest {
        bool follow;          /* wait for more until the container has ended */
        bool timestamps;
        int64_t tail;         /* lines; -1: all */
        const char *since, *until; /* RFC 3339 or a duration ("10m"); NULL: none */
        bool (*ended)(void *userdata); /* for follow: whether the container has ended; a last read follows */
        void *userdata;
} LogRequest;

/** log_print() - write stdout lines to @out_fd and stderr lines to @err_fd, as they were; the older file first. Errors: FileError, InvalidArgument, Interrupted */
int log_print(int dir_fd, const LogRequest *request, int out_fd, int err_fd, Error *err);
