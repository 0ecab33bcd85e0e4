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

/* 1 when something was carried; 0 at the end; what cannot be read or written any more is the end, too. */
static int carry(int from, int to) {
        char buffer[BUFFER_SIZE];
        ssize_t n;

        do
                n = read(from, buffer, sizeof(buffer));
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return 0;
        return fd_write_all(to, buffer, (size_t) n, NULL) < 0 ? 0 : 1;
}

/* The end of input is Ctrl-D to a terminal. */
static void end_input(Console *console) {
        console->input_ended = true;
        (void) !write(console->master, &(char) { 4 }, 1);
}

/* What was shown and not yet read. */
static void drain(const Console *console) {
        struct pollfd p = { .fd = console->master, .events = POLLIN };

        while (console->master >= 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && carry(console->master, STDOUT_FILENO) > 0)
                ;
}

int console_supervise(Console *console, const Foreground *foreground, Notify *notify, pid_t pid, int pidfd, int *ret_status, Error *err) {
        bool output_ended = console->master < 0;
        int status;

        for (;;) {
                struct pollfd fds[] = {
                        { .fd = pidfd, .events = POLLIN },
                        { .fd = foreground->signal_fd, .events = POLLIN },
                        { .fd = output_ended ? -EBADF : console->master, .events = POLLIN },
                        { .fd = console->master < 0 || console->input_ended ? -EBADF : STDIN_FILENO, .events = POLLIN },
                        { .fd = notify ? notify->listener : -EBADF, .events = POLLIN },
                };

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for the container");
                if (fds[1].revents && foreground_forward(foreground, pidfd) && console->raw)
                        copy_size(console);
                if (fds[2].revents && !carry(console->master, STDOUT_FILENO))
                        output_ended = true;
                if (fds[3].revents && !carry(STDIN_FILENO, console->master))
                        end_input(console);
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
