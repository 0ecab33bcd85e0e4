#pragma once

/*
 * The monitor of a detached container that people start: our own small process, the container's subreaper, which holds its stdio,
 * writes its log (capped and rotated), waits for its init and records how it ended. One process in three programs: a fork of the command that
 * creates the container; while that runs a small one of its own; and at the end this one again. It holds no lock and no descriptor but its own.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/process.h"

/**
 * A detached container's log: one JSON object a line, as Docker's json-file: {"log":"…","stream":"stdout","time":"…"}. A text without
 * "\n" at its end goes on in the stream's next object. Bytes that are not UTF-8 are kept exactly: such an object has "encoding":"latin1",
 * and each character of its "log" stands for one byte.
 */
#define LOG_FILE        "log"
#define LOG_SIZE_MAX    (10u << 20) /* bytes a file; config key "log_size_max" */
#define LOG_FILES_MAX   2           /* log and log.1 */

typedef struct MonitorRequest {
        int dir_fd;         /* where log and exit.json go */
        uint64_t log_max;   /* bytes a file; 0: LOG_SIZE_MAX */
        int preserve_fds;   /* descriptors 3 … 3+N-1 stay open for the container until monitor_settle() */
} MonitorRequest;

typedef struct Monitor Monitor;

/**
 * monitor_fork() - split off the monitor
 * @ret: in the monitor only: its object; in the caller NULL
 * @ret_process: in the caller: the monitor
 * @ret_report:  in the caller: a descriptor on which the monitor reports (monitor_report_read()); in the monitor its other end is inside *ret
 *
 * In the monitor: a new session, subreaper, stdin /dev/null, all descriptors but the request's and stderr closed, cwd "/".
 * Returns: 0 in both, -1 in the caller on failure.
 */
int monitor_fork(const MonitorRequest *request, Monitor **ret, ProcessRef *ret_process, int *ret_report, Error *err);

/** In the monitor: the descriptors the container's stdout and stderr go to; borrowed */
int monitor_stdout(const Monitor *monitor);
int monitor_stderr(const Monitor *monitor);

/**
 * monitor_console_listen() - in the monitor, for a process with a terminal: make the socket that the runtime sends the pty's master to
 * @ret_path: for --console-socket; borrowed, lives as long as the monitor
 *
 * What the terminal says goes to the log as stdout. Errors: FileError
 */
int monitor_console_listen(Monitor *monitor, const char **ret_path, Error *err);

/** In the monitor: tell the caller how creating went (an Error, or none) and let it go on */
void monitor_report(Monitor *monitor, const Error *err);

/**
 * monitor_report_read() - in the caller: wait for the report; the monitor's error becomes ours
 *
 * Errors: the monitor's; RuntimeError when it died without a word; Interrupted when a signal came (call again to go on waiting)
 */
int monitor_report_read(int report_fd, Error *err);

/** The program that waits for the end; it stands where the modules do */
#define MONITOR_PROGRAM "proxmox-lxcri-monitor"

/**
 * monitor_settle() - in the monitor, once the container is created: report that, and become MONITOR_PROGRAM
 * @init:    of the container
 * @program: MONITOR_PROGRAM's path
 * @end:     the command line that is executed in this process after the end, a program's path first; the exit code is added to it
 *
 * The program copies output to the log until @init has ended and the pipes are drained (a grandchild that holds them open delays this by at
 * most 1 s), and reaps. Nothing but that ends it: all signals are blocked, for @end as well.
 *
 * Returns: only on failure, -1. Errors: FileError, OutOfMemory
 */
int monitor_settle(Monitor *monitor, pid_t init, const char *program, char *const *end, Error *err);

typedef struct ExitRecord {
        int exit_code; /* 128 + signal when killed */
        bool oom_killed;
        char exited[40]; /* RFC 3339 */
} ExitRecord;

#define EXIT_FILE "exit.json"
/** exit_record_save() - @flags: of WriteFlags. Errors: FileError, OutOfMemory */
int exit_record_save(int dir_fd, const ExitRecord *record, unsigned flags, Error *err);
/** exit_record_now() - save that it has ended now. @cgroups: in which the kernel may have killed for memory; NULL: not known. Errors: as exit_record_save() */
int exit_record_now(int dir_fd, int exit_code, char *const *cgroups, unsigned flags, Error *err);
/** exit_record_load() - Errors: FileError with ENOENT when there is none */
int exit_record_load(int dir_fd, ExitRecord *ret, Error *err);
