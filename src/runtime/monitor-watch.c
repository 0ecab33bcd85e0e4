/* The long part of a monitor's life. */

#include "runtime/monitor-watch.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/socket.h"
#include "runtime/log-writer.h"

#define DRAIN_MS         1000 /* for output that a grandchild may still hold the pipe of */
#define PARTIAL_MS       1000 /* a line without its end is logged after this silence */
#define EXIT_CODE_UNKNOWN 255 /* of an init that was not our child; nobody can know it then */

/* One source of output. */
typedef struct Stream {
        int fd; /* -EBADF: at its end, or not there yet */
        bool is_stderr;
        size_t len;
        char *data; /* LOG_TEXT_MAX bytes */
} Stream;

typedef struct Watcher {
        int dir_fd;
        int console_listen; /* -EBADF: none is to come, or it has come */
        int console_peer;   /* the terminal's other end: while it is open, that nobody else has it open is not the output's end */
        pid_t init;
        bool busy;          /* something came since the last rest */
        Stream streams[_STREAM_MAX];
        MonitorBuffers *buffers;
        LogWriter log;
} Watcher;

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
static void log_lines(Watcher *watcher, Stream *stream, bool all) {
        size_t done = 0;

        for (char *newline; (newline = memchr(stream->data + done, '\n', stream->len - done));) {
                size_t len = (size_t) (newline - stream->data) + 1 - done;

                log_writer_add(&watcher->log, stream->data + done, len, stream->is_stderr);
                done += len;
        }
        stream->len -= done;
        memmove(stream->data, stream->data + done, stream->len);
        if (stream->len > 0 && (all || stream->len == LOG_TEXT_MAX)) {
                size_t len = all ? stream->len : whole_characters(stream);

                log_writer_add(&watcher->log, stream->data, len, stream->is_stderr);
                stream->len -= len;
                memmove(stream->data, stream->data + len, stream->len);
        }
}

static void read_stream(Watcher *watcher, Stream *stream) {
        ssize_t n = read(stream->fd, stream->data + stream->len, LOG_TEXT_MAX - stream->len);

        watcher->busy = true;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n > 0)
                stream->len += (size_t) n;
        else {
                /* The end; a terminal says EIO when nothing has its other side open any more. */
                close(stream->fd);
                stream->fd = -EBADF;
        }
        log_lines(watcher, stream, n <= 0);
        log_writer_flush(&watcher->log);
}

/* Takes the terminal's master from the runtime. */
static void receive_console(Watcher *watcher) {
        _cleanup_close_ int fd = accept4(watcher->console_listen, NULL, NULL, SOCK_CLOEXEC);
        char name[PATH_MAX]; /* the runtime sends the terminal's name along */
        _cleanup_close_ int console = -EBADF;

        if (fd < 0)
                return;
        if (socket_receive(fd, name, sizeof(name), &console) >= 0 && console >= 0 && watcher->streams[STREAM_CONSOLE].fd < 0)
                watcher->streams[STREAM_CONSOLE].fd = TAKE_FD(console);
        if (watcher->streams[STREAM_CONSOLE].fd >= 0 && watcher->console_peer < 0)
                watcher->console_peer = ioctl(watcher->streams[STREAM_CONSOLE].fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        close(watcher->console_listen);
        watcher->console_listen = -EBADF;
        (void) unlinkat(watcher->dir_fd, MONITOR_CONSOLE_SOCKET, 0);
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

/* Nothing has come for a while: what waits for the end of its line is logged as it is, and memory goes back to the kernel. */
static void rest(Watcher *watcher) {
        for (int i = 0; i < _STREAM_MAX; i++)
                log_lines(watcher, &watcher->streams[i], true);
        (void) madvise(watcher->buffers, sizeof(*watcher->buffers), MADV_DONTNEED);
        log_writer_close(&watcher->log);
        (void) malloc_trim(0);
        watcher->busy = false;
}

/* Copies output until init has ended and there is no more of it; returns its exit code. */
static int copy_until_end(Watcher *watcher, int signal_fd, int init_fd) {
        int exit_code = -1;
        int64_t deadline = INT64_MAX;

        for (;;) {
                struct pollfd fds[_STREAM_MAX + 3];
                bool open = false;
                int timeout, n;

                if (exit_code < 0)
                        exit_code = init_exit_code(watcher->init, init_fd);
                if (exit_code >= 0 && deadline == INT64_MAX) {
                        deadline = now_ms() + DRAIN_MS;
                        close_keep_errno(TAKE_FD(watcher->console_peer));
                }

                for (int i = 0; i < _STREAM_MAX; i++) {
                        fds[i] = (struct pollfd) { .fd = watcher->streams[i].fd, .events = POLLIN };
                        open = open || watcher->streams[i].fd >= 0;
                }
                fds[_STREAM_MAX] = (struct pollfd) { .fd = watcher->console_listen, .events = POLLIN };
                fds[_STREAM_MAX + 1] = (struct pollfd) { .fd = signal_fd, .events = POLLIN };
                fds[_STREAM_MAX + 2] = (struct pollfd) { .fd = exit_code < 0 ? init_fd : -EBADF, .events = POLLIN };
                if (exit_code >= 0 && (!open || now_ms() >= deadline))
                        break;
                timeout = exit_code >= 0 ? (int) (deadline - now_ms()) : watcher->busy ? PARTIAL_MS : -1;
                n = poll(fds, ARRAY_SIZE(fds), timeout < -1 ? 0 : timeout);

                for (int i = 0; i < _STREAM_MAX; i++) {
                        if (n > 0 && fds[i].revents)
                                read_stream(watcher, &watcher->streams[i]);
                }
                if (n == 0)
                        rest(watcher);
                if (n > 0 && fds[_STREAM_MAX].revents)
                        receive_console(watcher);
                if (n > 0 && fds[_STREAM_MAX + 1].revents)
                        (void) !read(signal_fd, &(struct signalfd_siginfo) {}, sizeof(struct signalfd_siginfo));
        }
        for (int i = 0; i < _STREAM_MAX; i++)
                log_lines(watcher, &watcher->streams[i], true);
        return exit_code;
}

int monitor_watch(const MonitorWatch *watch, MonitorBuffers *buffers) {
        const int fds[_STREAM_MAX] = { watch->outputs[0], watch->outputs[1], -EBADF };
        Watcher watcher = {
                .dir_fd = watch->dir_fd,
                .console_listen = watch->console_listen,
                .console_peer = -EBADF,
                .init = watch->init,
                .buffers = buffers,
        };
        _cleanup_close_ int signal_fd = -EBADF, init_fd = -EBADF;
        sigset_t child;
        int exit_code;

        for (int i = 0; i < _STREAM_MAX; i++)
                watcher.streams[i] = (Stream) { .fd = fds[i], .is_stderr = i == STREAM_STDERR, .data = buffers->text[i] };
        log_writer_init(&watcher.log, watch->dir_fd, watch->log_max);
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
        init_fd = pidfd_open(watch->init, 0);

        exit_code = copy_until_end(&watcher, signal_fd, init_fd);
        log_writer_close(&watcher.log);
        return exit_code;
}

void monitor_watch_print(const MonitorWatch *watch, char ret[MONITOR_WATCH_TEXT_MAX]) {
        (void) snprintf(ret, MONITOR_WATCH_TEXT_MAX, "%d,%d,%d,%d,%d,%llu", watch->dir_fd, watch->console_listen, watch->outputs[0],
                        watch->outputs[1], (int) watch->init, (unsigned long long) watch->log_max);
}

bool monitor_watch_parse(const char *text, MonitorWatch *ret) {
        unsigned long long log_max;
        MonitorWatch watch;
        int init, end = 0;

        if (sscanf(text, "%d,%d,%d,%d,%d,%llu%n", &watch.dir_fd, &watch.console_listen, &watch.outputs[0], &watch.outputs[1], &init,
                   &log_max, &end) != 6 || text[end])
                return false;
        watch.init = init;
        watch.log_max = log_max;
        *ret = watch;
        return true;
}
