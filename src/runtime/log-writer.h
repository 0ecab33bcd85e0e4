#pragma once

/* Writing a container's log, capped and rotated. A full disk never stops a container: what cannot be written is counted. Private to runtime/. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct LogWriter {
        int dir_fd;    /* borrowed */
        int fd;        /* -EBADF: not open (tried again at each flush) */
        uint64_t size; /* bytes of the file */
        uint64_t max;  /* bytes of a file; passed by at most one object */
        uint64_t lost; /* objects that could not be written since the last that could */
        int lost_errno;
        unsigned pending_n; /* objects in pending */
        Buf pending;
} LogWriter;

void log_writer_init(LogWriter *writer, int dir_fd, uint64_t max);

/** log_writer_add() - note one piece of output, at most LOG_TEXT_MAX bytes; it is written by the next flush at the latest */
void log_writer_add(LogWriter *writer, const char *text, size_t len, bool is_stderr);

/** log_writer_flush() - write what is pending */
void log_writer_flush(LogWriter *writer);

/** log_writer_close() - flush and close */
void log_writer_close(LogWriter *writer);
