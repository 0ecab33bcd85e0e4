/* Waiting for a process in the foreground, with or without a terminal. */

#include "engine/console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"

#define BUFFER_SIZE 8192

static void copy_size(const Console *console) {
        struct winsize size;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(console->master, TIOCSWINSZ, &size);
}

int console_begin(Console *console, int master, Error *err) {
        struct termios raw;

        console->master = master;
        if (master >= 0)
                console->peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        /* Who waits for a process that does not read would hear neither signals nor of its end. */
        if (master >= 0 && fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set up the terminal");
        if (master < 0 || tcgetattr(STDIN_FILENO, &console->saved) < 0)
                return 0;
        raw = console->saved;
        cfmakeraw(&raw);
        if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set up the terminal");
        console->raw = true;
        copy_size(console);
        return 0;
}

void console_end(Console *console) {
        if (console->raw)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &console->saved);
        close_keep_errno(console->master);
        close_keep_errno(console->peer);
        *console = CONSOLE_INIT;
}

static ssize_t read_some(int fd, char *buffer, size_t size) {
        ssize_t n;

        do
                n = read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
        return n;
}

/* False at the end; what cannot be read or written any more is the end, too. */
static bool show(const Console *console) {
        char buffer[BUFFER_SIZE];
        ssize_t n = read_some(console->master, buffer, sizeof(buffer));

        if (n < 0 && errno == EAGAIN)
                return true;
        return n > 0 && fd_write_all(STDOUT_FILENO, buffer, (size_t) n, NULL) == 0;
}

/* The end of input is Ctrl-D to a terminal. */
static void take_input(Console *console) {
        ssize_t n = read_some(STDIN_FILENO, console->input, sizeof(console->input));

        if (n < 0 && errno == EAGAIN)
                return;
        console->input_ended = n <= 0;
        if (console->input_ended)
                console->input[0] = 4;
        console->typed = n > 0 ? (size_t) n : 1;
        console->given = 0;
}

static void give_input(Console *console) {
        ssize_t n = write(console->master, console->input + console->given, console->typed - console->given);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n < 0)
                console->input_ended = true;
        console->given += n > 0 ? (size_t) n : 0;
        if (n < 0 || console->given == console->typed)
                console->typed = console->given = 0;
}

/* What was shown and not yet read. */
static void drain(const Console *console) {
        struct pollfd p = { .fd = console->master, .events = POLLIN };

        while (console->master >= 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && show(console))
                ;
}

int console_supervise(Console *console, const Foreground *foreground, Notify *notify, pid_t pid, int pidfd, int *ret_status, Error *err) {
        bool output_ended = console->master < 0;
        int status;

        for (;;) {
                const bool listens = console->master >= 0 && !console->input_ended && console->typed == 0;
                const int wanted = (output_ended ? 0 : POLLIN) | (console->typed > 0 ? POLLOUT : 0);
                struct pollfd fds[] = {
                        { .fd = pidfd, .events = POLLIN },
                        { .fd = foreground->signal_fd, .events = POLLIN },
                        { .fd = wanted ? console->master : -EBADF, .events = (short) wanted },
                        { .fd = listens ? STDIN_FILENO : -EBADF, .events = POLLIN },
                        { .fd = notify ? notify->listener : -EBADF, .events = POLLIN },
                };

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for the container");
                if (fds[1].revents && foreground_forward(foreground, pidfd) && console->raw)
                        copy_size(console);
                if (wanted & POLLOUT && fds[2].revents & ~POLLIN)
                        give_input(console);
                if (wanted & POLLIN && fds[2].revents & ~POLLOUT && !show(console))
                        output_ended = true;
                if (fds[3].revents)
                        take_input(console);
                if (fds[4].revents)
                        notify_relay(notify, 0);
                if (fds[0].revents)
                        break;
        }
        drain(console);
        if (notify)
                notify_await(notify, pidfd, 0);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        *ret_status = exit_code_of(status);
        return 0;
}
