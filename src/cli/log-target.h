#pragma once

/*
 * Where --log sends records: a file, or by a word before a colon, as crun has them, the journal or the system log. Each record opens its own
 * descriptor, so that none of ours stands among those that --preserve-fds hands on.
 */

#include <stdbool.h>

#include "base/error.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
} LogLevel;

typedef enum LogTargetKind {
        LOG_TARGET_STDERR,
        LOG_TARGET_FILE,
        LOG_TARGET_JOURNAL,
        LOG_TARGET_SYSLOG,
} LogTargetKind;

typedef struct LogTarget {
        LogTargetKind kind;
        const char *name; /* a file's path, or whose records they are; borrowed */
} LogTarget;

/** log_target_parse() - what @text (--log; NULL: none) names: PATH, file:PATH, journald:NAME or syslog:NAME */
LogTarget log_target_parse(const char *text);

/** log_target_check() - whether records will arrive, before anything is done. Errors: FileError, InvalidArgument */
int log_target_check(const LogTarget *target, Error *err);

/** log_target_send() - one record, which ends with a newline. What fails is told to nobody: there is nowhere left */
void log_target_send(const LogTarget *target, LogLevel level, const char *record);
