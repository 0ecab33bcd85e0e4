/* Signals while a container runs in the foreground. */

#include "runtime/foreground.h"

#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"

/* Not for the container: about our own children and descriptors, job control of the shell, and faults of our own. */
static const int own_signals[] = {
        SIGCHLD, SIGPIPE, SIGURG, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS,
};

int foreground_begin(Foreground *foreground, Error *err) {
        sigset_t set;

        sigfillset(&set);
        for (size_t i = 0; i < ARRAY_SIZE(own_signals); i++)
                sigdelset(&set, own_signals[i]);
        foreground->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (foreground->signal_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a signal descriptor");
        if (sigprocmask(SIG_BLOCK, &set, &foreground->saved) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "block signals");
        foreground->blocked = true;
        return 0;
}

void foreground_end(Foreground *foreground) {
        struct signalfd_siginfo info;

        /* What came too late was for the container, which has ended: it must not end us in its place. */
        while (foreground->signal_fd >= 0 && read(foreground->signal_fd, &info, sizeof(info)) == sizeof(info))
                ;
        close_keep_errno(foreground->signal_fd);
        foreground->signal_fd = -EBADF;
        if (foreground->blocked)
                (void) sigprocmask(SIG_SETMASK, &foreground->saved, NULL);
        foreground->blocked = false;
}

bool foreground_forward(const Foreground *foreground, int pidfd) {
        struct signalfd_siginfo info;
        bool resized = false;

        while (read(foreground->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                resized = resized || info.ssi_signo == SIGWINCH;
                if (info.ssi_code <= 0) /* SI_USER, SI_QUEUE, SI_TKILL: from a process; positive: from the kernel */
                        (void) pidfd_send_signal(pidfd, (int) info.ssi_signo, NULL, 0);
        }
        return resized;
}
