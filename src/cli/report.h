#pragma once

/*
 * Errors and logs: the only place that writes them. Text for people, or one JSON object a line in the shape that containerd and conmon
 * read from runc's log. Without --log they go to standard error; with it to that file, and errors to standard error as text too, as runc
 * does, so that nobody is left without a word.
 *
 * The file is opened for each line: no descriptor of ours stands among those that --preserve-fds hands on.
 */

#include <stdbool.h>

#include "base/error.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
} LogLevel;

typedef struct Report {
        const char *file; /* --log; NULL: standard error */
        bool json;
        LogLevel level;
} Report;

/** report_open() - check that the file can be written, before anything is done. Errors: FileError */
int report_open(const Report *report, Error *err);

/** report_error() - say what failed: kind, text, phase, hint */
void report_error(const Report *report, const Error *error);

/** report_line() - one line of log, when @level is asked for */
void report_line(const Report *report, LogLevel level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** report_phase() - a line about a phase of a transaction; in JSON with the fields phase and, when it ended, seconds */
void report_phase(const Report *report, LogLevel level, const char *phase, const double *seconds, const char *text);

/** report_format() - the lines as they would be written; free(). NULL without memory. @error may be NULL, then @text is the message */
char *report_format(bool json, bool color, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text);
