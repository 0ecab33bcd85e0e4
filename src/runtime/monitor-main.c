/*
 * proxmox-lxcri-monitor, the program that a monitor becomes once its container is created. Static and small: it lives as long as the
 * container does, with a few pages of its own. Its command line, from monitor_settle(): what to watch (monitor-watch.h), and the command
 * line to execute after the end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/monitor-watch.h"

static void close_on_exec(int fd) {
        if (fd >= 0)
                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv) {
        static MonitorBuffers buffers;
        MonitorWatch watch;
        int exit_code;

        /* Nothing to start by hand */
        if (argc < 4 || strcmp(argv[argc - 1], MONITOR_CODE_PLACE) || !monitor_watch_parse(argv[1], &watch))
                return 2;
        close_on_exec(watch.dir_fd);
        close_on_exec(watch.console_listen);
        close_on_exec(watch.outputs[0]);
        close_on_exec(watch.outputs[1]);

        exit_code = monitor_watch(&watch, &buffers);
        (void) snprintf(argv[argc - 1], sizeof(MONITOR_CODE_PLACE), "%d", exit_code);
        execv(argv[2], argv + 2);
        /* Then it ended unseen, and the next command does what is to be done. */
        return exit_code;
}
