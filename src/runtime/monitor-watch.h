#pragma once

/*
 * What a monitor does while its container runs: copy output to the log, and wait for the end. It is the whole of a static program,
 * proxmox-lxcri-monitor, of which there may be hundreds at once; what follows the end is the full program's again. Private to runtime/.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/log-entry.h"

struct Monitor;

/** What it needs of the monitor that made the container; descriptors are borrowed */
typedef struct MonitorWatch {
        int dir_fd;         /* where the log goes */
        int console_listen; /* the socket that a terminal's master comes by; -EBADF: none is to come */
        int outputs[2];     /* what the container writes to stdout and stderr */
        pid_t init;
        uint64_t log_max;   /* bytes a file */
} MonitorWatch;

enum {
        STREAM_STDOUT,
        STREAM_STDERR,
        STREAM_CONSOLE,
        _STREAM_MAX,
};

/** What is read and not logged yet. Aligned, to be given back while it is empty; where pages are larger than that they stay */
typedef struct MonitorBuffers {
        char text[_STREAM_MAX][LOG_TEXT_MAX];
} __attribute__((aligned(4096))) MonitorBuffers;

/** monitor_watch() - until @watch->init, a child, has ended and there is no more output; signals are blocked. Returns the exit code */
int monitor_watch(const MonitorWatch *watch, MonitorBuffers *buffers);

/** monitor_release() - in the monitor: report, let go of all that made the container, block signals, and hand over what is left */
void monitor_release(struct Monitor *monitor, pid_t init, MonitorWatch *ret);

#define MONITOR_WATCH_TEXT_MAX 96 /* bytes with the NUL */
/** monitor_watch_print(), monitor_watch_parse() - the same as a word of a command line */
void monitor_watch_print(const MonitorWatch *watch, char ret[MONITOR_WATCH_TEXT_MAX]);
bool monitor_watch_parse(const char *text, MonitorWatch *ret);

/** The last word of the program's command line, which is executed after the end with the exit code in this one's place */
#define MONITOR_CODE_PLACE "???"

#define MONITOR_CONSOLE_SOCKET "console" /* in dir_fd */
