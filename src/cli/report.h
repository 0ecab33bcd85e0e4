#pragma once

/*
 * Errors and logs: the only place that writes them. Text for people, or one JSON object a line in the shape that containerd and conmon
 * read from runc's log. Without --log they go to standard error; with it to that file, and errors to standard error as text too, as runc
 * does, so that nobody is left without a word.
 *
 * A text is for people on standard error, and a line of runc's fields in a log.
 */

#include <stdbool.h>

#include "cli/log-target.h"

typedef struct Report {
        LogTarget target;
        bool json;
        LogLevel level;
} Report;

/** report_error() - say what failed: kind, text, phase, hint */
void report_error(const Report *report, const Error *error);

/** report_line() - one line of log, when @level is asked for */
void report_line(const Report *report, LogLevel level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** report_phase() - a line about a phase of a transaction; in JSON with the fields phase and, when it ended, seconds */
void report_phase(const Report *report, LogLevel level, const char *phase, const double *seconds, const char *text);

typedef enum ReportForm {
        REPORT_TEXT,
        REPORT_COLORS, /* the same on a terminal */
        REPORT_FIELDS, /* time="…" level=error msg="…", as runc writes to a log */
        REPORT_JSON,
} ReportForm;

/** report_format() - the lines as they would be written; free(). NULL without memory. @error may be NULL, then @text is the message */
char *report_format(ReportForm form, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text);
