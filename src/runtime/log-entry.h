#pragma once

/* One object of a container's log. Private to runtime/. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define LOG_TEXT_MAX  (16u << 10)              /* bytes of output in one object, as Docker */
#define LOG_ENTRY_MAX (6 * LOG_TEXT_MAX + 256) /* bytes of an object: each byte of output at most "\u00XX" */

typedef struct LogEntry {
        char *text; /* the bytes as they were written; owned */
        size_t len;
        bool is_stderr;
        char *time; /* RFC 3339; owned */
} LogEntry;

/** log_entry_append() - add the object for @len bytes of output, with its newline, to @buf. Errors: OutOfMemory, InvalidArgument when @buf is full */
int log_entry_append(Buf *buf, const char *text, size_t len, bool is_stderr, const char *time, Error *err);

/** log_entry_parse() - one line of a log file; false when it is not one of ours (a line cut off by a crash) or memory is out */
bool log_entry_parse(const char *line, size_t len, LogEntry *ret);

void log_entry_free(LogEntry *entry);
