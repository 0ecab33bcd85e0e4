/* The monitor of a detached container: holds its output, writes its log, waits for its end. */

#include "runtime/monitor.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/socket.h"
#include "oci/state.h"
#include "runtime/cgroup.h"
#include "runtime/log-entry.h"
#include "runtime/log-writer.h"

#define CONSOLE_SOCKET   "console"
#define DRAIN_MS         1000 /* for output that a grandchild may still hold the pipe of */
#define PARTIAL_MS       1000 /* a line without its end is logged after this silence */
#define STACK_KEPT       8192  /* bytes below a function's frame for what it calls */
#define STACK_LOOK       (256u << 10) /* bytes: less than the kernel keeps free below a stack. Source: kernel parameter stack_guard_gap */
#define EXIT_CODE_UNKNOWN 255 /* of an init that was not our child; nobody can know it then */

/* One source of output. */
typedef struct Stream {
        int fd; /* -EBADF: at its end */
        bool is_stderr;
        size_t len;
        char data[LOG_TEXT_MAX];
} Stream;

enum {
        STREAM_STDOUT,
        STREAM_STDERR,
        STREAM_CONSOLE,
        _STREAM_MAX,
};

struct Monitor {
        int dir_fd;
        uint64_t log_max;
        int report;
        int write_ends[2]; /* what the container gets as stdout and stderr */
        int console_listen;
        int console_peer; /* the terminal's other end: while it is open, that nobody else has it open is not the output's end */
        char console_path[48];
        Stream streams[_STREAM_MAX];
        LogWriter log;
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
        *monitor = (Monitor) { .log_max = request->log_max, .report = report, .console_listen = -EBADF, .console_peer = -EBADF };
        if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || chdir("/") < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become a monitor");
        to_null(STDIN_FILENO);
        to_null(STDOUT_FILENO);

        monitor->dir_fd = fcntl(request->dir_fd, F_DUPFD_CLOEXEC, first_fd);
        if (monitor->dir_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "duplicate a descriptor");
        for (int i = 0; i < _STREAM_MAX; i++)
                monitor->streams[i] = (Stream) { .fd = -EBADF, .is_stderr = i == STREAM_STDERR };
        if (make_pipe(first_fd, &monitor->streams[STREAM_STDOUT].fd, &monitor->write_ends[0], err) < 0 ||
            make_pipe(first_fd, &monitor->streams[STREAM_STDERR].fd, &monitor->write_ends[1], err) < 0)
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
                                       monitor->streams[STREAM_STDOUT].fd, monitor->streams[STREAM_STDERR].fd },
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
        snprintf(monitor->console_path, sizeof(monitor->console_path), "/proc/%d/fd/%d/" CONSOLE_SOCKET, (int) getpid(), monitor->dir_fd);
        strcpy(address.sun_path, monitor->console_path);
        if (unlinkat(monitor->dir_fd, CONSOLE_SOCKET, 0) < 0 && errno != ENOENT)
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

/* Bytes of the stream's buffer that may be logged now without cutting a character: all but the start of an unfinished one. */
static size_t whole_characters(const Stream *stream) {
        size_t len = stream->len;

        for (size_t back = 1; back <= 3 && back < len; back++) {
                unsigned char c = (unsigned char) stream->data[len - back];

                if (c < 0x80)
                        break;
                if (c >= 0xc0)
                        return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > back ? len - back : len;
        }
        return len;
}

/* Logs the whole lines of a stream's buffer; the rest too when the buffer is full or @all is wanted. */
static void log_lines(Monitor *monitor, Stream *stream, bool all) {
        size_t done = 0;

        for (char *newline; (newline = memchr(stream->data + done, '\n', stream->len - done));) {
                size_t len = (size_t) (newline - stream->data) + 1 - done;

                log_writer_add(&monitor->log, stream->data + done, len, stream->is_stderr);
                done += len;
        }
        stream->len -= done;
        memmove(stream->data, stream->data + done, stream->len);
        if (stream->len > 0 && (all || stream->len == sizeof(stream->data))) {
                size_t len = all ? stream->len : whole_characters(stream);

                log_writer_add(&monitor->log, stream->data, len, stream->is_stderr);
                stream->len -= len;
                memmove(stream->data, stream->data + len, stream->len);
        }
}

static void read_stream(Monitor *monitor, Stream *stream) {
        ssize_t n = read(stream->fd, stream->data + stream->len, sizeof(stream->data) - stream->len);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n > 0)
                stream->len += (size_t) n;
        else {
                /* The end; a terminal says EIO when nothing has its other side open any more. */
                close(stream->fd);
                stream->fd = -EBADF;
        }
        log_lines(monitor, stream, n <= 0);
        log_writer_flush(&monitor->log);
}

/* Takes the terminal's master from the runtime. */
static void receive_console(Monitor *monitor) {
        _cleanup_close_ int fd = accept4(monitor->console_listen, NULL, NULL, SOCK_CLOEXEC);
        char name[PATH_MAX]; /* the runtime sends the terminal's name along */
        _cleanup_close_ int console = -EBADF;

        if (fd < 0)
                return;
        if (socket_receive(fd, name, sizeof(name), &console) >= 0 && console >= 0 && monitor->streams[STREAM_CONSOLE].fd < 0)
                monitor->streams[STREAM_CONSOLE].fd = TAKE_FD(console);
        if (monitor->streams[STREAM_CONSOLE].fd >= 0 && monitor->console_peer < 0)
                monitor->console_peer = ioctl(monitor->streams[STREAM_CONSOLE].fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        close(monitor->console_listen);
        monitor->console_listen = -EBADF;
        (void) unlinkat(monitor->dir_fd, CONSOLE_SOCKET, 0);
}

/* Reaps whatever ended; true once @init is among it, with its wait status. */
static bool reap(pid_t init, int *ret_status) {
        bool found = false;
        int status;

        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) != 0;) {
                if (pid < 0 && errno == EINTR)
                        continue;
                if (pid < 0)
                        break;
                if (pid == init) {
                        *ret_status = status;
                        found = true;
                }
        }
        return found;
}

/* The exit code of init, or -1 while it runs. */
static int init_exit_code(pid_t init, int init_fd) {
        struct pollfd end = { .fd = init_fd, .events = POLLIN };
        bool ended = init_fd < 0 || poll(&end, 1, 0) > 0; /* asked before reaping: what has ended then is reaped, if it is our child */
        int status;

        if (reap(init, &status))
                return exit_code_of(status);
        return ended ? EXIT_CODE_UNKNOWN : -1;
}

static int64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Copies output until init has ended and there is no more of it; returns its exit code. */
static int copy_until_end(Monitor *monitor, pid_t init, int signal_fd, int init_fd) {
        int exit_code = -1;
        int64_t deadline = INT64_MAX;

        for (;;) {
                struct pollfd fds[_STREAM_MAX + 3];
                bool open = false, partial = false;
                int timeout, n;

                if (exit_code < 0)
                        exit_code = init_exit_code(init, init_fd);
                if (exit_code >= 0 && deadline == INT64_MAX) {
                        deadline = now_ms() + DRAIN_MS;
                        close_keep_errno(TAKE_FD(monitor->console_peer));
                }

                for (int i = 0; i < _STREAM_MAX; i++) {
                        fds[i] = (struct pollfd) { .fd = monitor->streams[i].fd, .events = POLLIN };
                        open = open || monitor->streams[i].fd >= 0;
                        partial = partial || monitor->streams[i].len > 0;
                }
                fds[_STREAM_MAX] = (struct pollfd) { .fd = monitor->console_listen, .events = POLLIN };
                fds[_STREAM_MAX + 1] = (struct pollfd) { .fd = signal_fd, .events = POLLIN };
                fds[_STREAM_MAX + 2] = (struct pollfd) { .fd = exit_code < 0 ? init_fd : -EBADF, .events = POLLIN };
                if (exit_code >= 0 && (!open || now_ms() >= deadline))
                        break;
                timeout = exit_code >= 0 ? (int) (deadline - now_ms()) : partial ? PARTIAL_MS : -1;
                n = poll(fds, ARRAY_SIZE(fds), timeout < -1 ? 0 : timeout);

                for (int i = 0; i < _STREAM_MAX; i++) {
                        if (n > 0 && fds[i].revents)
                                read_stream(monitor, &monitor->streams[i]);
                        else if (n == 0 && monitor->streams[i].len > 0)
                                log_lines(monitor, &monitor->streams[i], true);
                }
                if (n == 0)
                        log_writer_flush(&monitor->log);
                if (n > 0 && fds[_STREAM_MAX].revents)
                        receive_console(monitor);
                if (n > 0 && fds[_STREAM_MAX + 1].revents)
                        (void) !read(signal_fd, &(struct signalfd_siginfo) {}, sizeof(struct signalfd_siginfo));
        }
        for (int i = 0; i < _STREAM_MAX; i++)
                log_lines(monitor, &monitor->streams[i], true);
        return exit_code;
}

/* Free memory, and the stack that making the container took, go back to the kernel: a monitor lives as long as its container. */
static void give_back_memory(void) {
        const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
        uintptr_t end = ((uintptr_t) __builtin_frame_address(0) - STACK_KEPT) & ~(page - 1);

        (void) malloc_trim(0);
        /* ENOMEM for what is below the stack's end, which it has given back all the same. Source: madvise(2) */
        (void) madvise((void *) (end - STACK_LOOK), STACK_LOOK, MADV_DONTNEED);
}

int monitor_loop(Monitor *monitor, pid_t init, char *const *cgroups) {
        _cleanup_close_ int signal_fd = -EBADF, init_fd = -EBADF;
        ExitRecord record = {};
        sigset_t all;

        monitor_report(monitor, NULL);
        for (int i = 0; i < 2; i++) {
                close(monitor->write_ends[i]);
                monitor->write_ends[i] = -EBADF;
        }
        descriptors_close_but(3,
                     (int[]) { monitor->dir_fd, monitor->console_listen, monitor->streams[STREAM_STDOUT].fd,
                               monitor->streams[STREAM_STDERR].fd },
                     4);
        log_writer_init(&monitor->log, monitor->dir_fd, monitor->log_max ?: LOG_SIZE_MAX);

        /* Nothing but its container's end ends a monitor: a SIGTERM or SIGHUP meant for a session must not lose the exit status. */
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, NULL);
        sigemptyset(&all);
        sigaddset(&all, SIGCHLD);
        give_back_memory();
        signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        init_fd = pidfd_open(init, 0);

        record.exit_code = copy_until_end(monitor, init, signal_fd, init_fd);
        if (cgroup_was_oom_killed(cgroups, &record.oom_killed, NULL) < 0)
                record.oom_killed = false;
        time_now_text(record.exited);
        log_writer_close(&monitor->log);
        (void) exit_record_save(monitor->dir_fd, &record, WRITE_DURABLE, NULL);
        return record.exit_code;
}
