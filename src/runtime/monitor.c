/*
 * The monitor of a detached container, as long as it makes that: a fork of the command, with the pipes of the container's output. What
 * waits for the end is a small program of its own (monitor-watch.h): a fork of this one keeps all that it has written to in memory.
 */

#include "runtime/monitor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/buf.h"
#include "base/fs.h"
#include "runtime/monitor-watch.h"

struct Monitor {
        int dir_fd;
        uint64_t log_max;
        int report;
        int outputs[2];    /* where what the container writes to stdout and stderr is read */
        int write_ends[2]; /* what it gets as those */
        int console_listen;
        char console_path[48];
};

static void to_null(int fd) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null >= 0) {
                (void) dup2(null, fd);
                close(null);
        }
}

/* A pipe whose ends stay clear of the descriptors the container is to inherit. */
static int make_pipe(int first_fd, int *ret_read, int *ret_write, Error *err) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        for (int i = 0; i < 2; i++)
                if (fds[i] < first_fd) {
                        int moved = fcntl(fds[i], F_DUPFD_CLOEXEC, first_fd);

                        if (moved < 0) {
                                error_set_errno(err, ERROR_FILE, errno, "make a pipe");
                                close(fds[0]);
                                close(fds[1]);
                                return -1;
                        }
                        close(fds[i]);
                        fds[i] = moved;
                }
        *ret_read = fds[0];
        *ret_write = fds[1];
        return 0;
}

/* In the child: everything that makes it a monitor. */
static int become_monitor(const MonitorRequest *request, int report, Monitor **ret, Error *err) {
        Monitor *monitor = calloc(1, sizeof(*monitor));
        int first_fd = 3 + request->preserve_fds;

        if (!monitor)
                return error_oom(err);
        *monitor = (Monitor) { .log_max = request->log_max, .report = report, .console_listen = -EBADF };
        if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || chdir("/") < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become a monitor");
        to_null(STDIN_FILENO);
        to_null(STDOUT_FILENO);

        monitor->dir_fd = fcntl(request->dir_fd, F_DUPFD_CLOEXEC, first_fd);
        if (monitor->dir_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "duplicate a descriptor");
        for (int i = 0; i < 2; i++)
                if (make_pipe(first_fd, &monitor->outputs[i], &monitor->write_ends[i], err) < 0)
                        return -1;
        *ret = monitor;
        return 0;
}

int monitor_fork(const MonitorRequest *request, Monitor **ret, ProcessRef *ret_process, int *ret_report, Error *err) {
        _cleanup_close_ int report_read = -EBADF;
        Error child_err = ERROR_INIT;
        int report_write;
        pid_t pid;

        if (make_pipe(3 + request->preserve_fds, &report_read, &report_write, err) < 0)
                return -1;
        pid = fork();
        if (pid < 0) {
                error_set_errno(err, ERROR_FILE, errno, "fork the monitor");
                close_keep_errno(report_write);
                return -1;
        }
        if (pid == 0) {
                Monitor *monitor;

                if (become_monitor(request, report_write, &monitor, &child_err) < 0) {
                        (void) !write(report_write, &child_err, sizeof(child_err));
                        _exit(1);
                }
                report_read = -EBADF; /* closed with the others */
                descriptors_close_but(3 + (unsigned) request->preserve_fds,
                             (int[]) { report_write, monitor->dir_fd, monitor->write_ends[0], monitor->write_ends[1],
                                       monitor->outputs[0], monitor->outputs[1] },
                             6);
                *ret = monitor;
                return 0;
        }
        close_keep_errno(report_write);
        if (process_ref(pid, ret_process, err) < 0)
                return -1;
        *ret = NULL;
        *ret_report = TAKE_FD(report_read);
        return 0;
}

int monitor_stdout(const Monitor *monitor) {
        return monitor->write_ends[0];
}

int monitor_stderr(const Monitor *monitor) {
        return monitor->write_ends[1];
}

int monitor_console_listen(Monitor *monitor, const char **ret_path, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;

        /* By descriptor: sun_path holds 107 bytes, a container's directory may be longer. Our pid: the path is the runtime's to open. */
        snprintf(monitor->console_path, sizeof(monitor->console_path), "/proc/%d/fd/%d/" MONITOR_CONSOLE_SOCKET, (int) getpid(),
                 monitor->dir_fd);
        strcpy(address.sun_path, monitor->console_path);
        if (unlinkat(monitor->dir_fd, MONITOR_CONSOLE_SOCKET, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove an old console socket");
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a console socket");
        monitor->console_listen = TAKE_FD(fd);
        *ret_path = monitor->console_path;
        return 0;
}

void monitor_report(Monitor *monitor, const Error *err) {
        const Error none = ERROR_INIT;

        if (monitor->report < 0)
                return;
        (void) !write(monitor->report, err ?: &none, sizeof(none));
        close(monitor->report);
        monitor->report = -EBADF;
        /* Whoever reads the caller's stderr to its end must not wait for us. */
        to_null(STDERR_FILENO);
}

int monitor_report_read(int report_fd, Error *err) {
        Error report;
        ssize_t n = read(report_fd, &report, sizeof(report));

        if (n < 0 && errno == EINTR)
                return error_set(err, ERROR_INTERRUPTED, "interrupted");
        if (n != (ssize_t) sizeof(report))
                return error_set(err, ERROR_RUNTIME, "the container's monitor died while it was being created");
        if (report.kind == ERROR_NONE)
                return 0;
        if (err)
                *err = report;
        return -1;
}

void monitor_release(Monitor *monitor, pid_t init, MonitorWatch *ret) {
        sigset_t all;

        monitor_report(monitor, NULL);
        for (int i = 0; i < 2; i++) {
                close(monitor->write_ends[i]);
                monitor->write_ends[i] = -EBADF;
        }
        descriptors_close_but(3, (int[]) { monitor->dir_fd, monitor->console_listen, monitor->outputs[0], monitor->outputs[1] }, 4);

        /* Nothing but its container's end ends a monitor: a SIGTERM or SIGHUP meant for a session must not lose the exit status. */
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, NULL);

        *ret = (MonitorWatch) {
                .dir_fd = monitor->dir_fd,
                .console_listen = monitor->console_listen,
                .outputs = { monitor->outputs[0], monitor->outputs[1] },
                .init = init,
                .log_max = monitor->log_max ?: LOG_SIZE_MAX,
        };
}

static int inherit(int fd) {
        return fd < 0 ? 0 : fcntl(fd, F_SETFD, 0);
}

int monitor_settle(Monitor *monitor, pid_t init, const char *program, char *const *end, Error *err) {
        const char *name = strrchr(program, '/');
        _cleanup_strv_ char **argv = NULL;
        char watched[MONITOR_WATCH_TEXT_MAX];
        MonitorWatch watch;

        monitor_release(monitor, init, &watch);
        monitor_watch_print(&watch, watched);
        if (strv_push(&argv, name ? name + 1 : program, err) < 0 || strv_push(&argv, watched, err) < 0)
                return -1;
        for (char *const *word = end; *word; word++)
                if (strv_push(&argv, *word, err) < 0)
                        return -1;
        if (strv_push(&argv, MONITOR_CODE_PLACE, err) < 0)
                return -1;
        if (inherit(watch.dir_fd) < 0 || inherit(watch.console_listen) < 0 || inherit(watch.outputs[0]) < 0 ||
            inherit(watch.outputs[1]) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "keep the monitor's descriptors");
        execv(program, argv);
        return error_set_errno(err, ERROR_FILE, errno, "execute '%s'", program);
}
