/*
 * Starting the init by liblxc, which leaves nothing of itself: a child of this process becomes liblxc's monitor and is killed as soon as the
 * init says that it runs. The init then is a child of this process, its next subreaper, just as if it had been born here.
 */

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/lxc/lxc.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "engine/init/plan.h"

/* fork(), into the container's cgroup where that is version 2: what liblxc starts is born there, too. */
static pid_t fork_into(int cgroup_fd) {
        struct clone_args args = {
                .flags = cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0,
                .exit_signal = SIGCHLD,
                .cgroup = cgroup_fd >= 0 ? (uint64_t) cgroup_fd : 0,
        };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
}

/* The init's first message; its credentials say which process of ours it is. */
static int take_announcement(int socket, pid_t *ret, Error *err) {
        InitMessage message;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct msghdr header = {
                .msg_iov = &(struct iovec) { .iov_base = &message, .iov_len = sizeof(message) },
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        const struct cmsghdr *c;
        struct ucred credentials;
        ssize_t n;

        do
                n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_WAITALL);
        while (n < 0 && errno == EINTR);
        c = CMSG_FIRSTHDR(&header);
        if (n != (ssize_t) sizeof(message) || message.kind != INIT_ANNOUNCED || !c || c->cmsg_level != SOL_SOCKET ||
            c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof(credentials)))
                return error_set(err, ERROR_LXC, "what liblxc started is not the container's init");
        memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
        if (credentials.pid <= 0)
                return error_set(err, ERROR_LXC, "the container's init has no pid here");
        *ret = credentials.pid;
        return 0;
}

static int take_report(int report, Error *err) {
        Error failed;
        ssize_t n;

        do
                n = read(report, &failed, sizeof(failed));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(failed) || failed.kind <= ERROR_NONE || failed.kind >= _ERROR_KIND_MAX)
                return error_set(err, ERROR_LXC, "liblxc's monitor died");
        failed.text[sizeof(failed.text) - 1] = failed.hint[sizeof(failed.hint) - 1] = failed.phase[sizeof(failed.phase) - 1] = '\0';
        if (err)
                *err = failed;
        return -1;
}

/* Whichever comes first: the init's word, or the monitor's end. */
static int await_init(const EngineLaunch *launch, int report, pid_t *ret, Error *err) {
        struct pollfd fds[] = { { .fd = launch->answers, .events = POLLIN }, { .fd = report, .events = POLLIN } };
        int r;

        do
                r = poll(fds, ARRAY_SIZE(fds), -1);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, errno, "poll");
        return fds[0].revents & POLLIN ? take_announcement(launch->answers, ret, err) : take_report(report, err);
}

static int start(const EngineLaunch *launch, pid_t *ret, Error *err) {
        _cleanup_close_ int report_read = -EBADF, report_write = -EBADF;
        const pid_t self = getpid();
        int ends[2], status, r;
        pid_t monitor;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report_read = ends[0];
        report_write = ends[1];
        monitor = fork_into(launch->cgroup_fd);
        if (monitor < 0)
                return error_set_errno(err, ERROR_LXC, errno, "start liblxc's monitor");
        if (monitor == 0)
                monitor_main(launch, self, report_write);
        close(TAKE_FD(report_write));

        r = await_init(launch, report_read, ret, err);
        /* Alone: its child is liberated, unless it has not announced itself; then the end of the socket ends it. */
        (void) kill(monitor, SIGKILL);
        (void) process_wait(monitor, &status, NULL);
        return r;
}

static int launch(const EngineLaunch *launch, pid_t *ret_pid, Error *err) {
        const int on = 1, off = 0;
        int reaps = 0, r;

        if (setsockopt(launch->answers, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "ask for credentials");
        if (prctl(PR_GET_CHILD_SUBREAPER, &reaps) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become a subreaper");
        r = start(launch, ret_pid, err);
        (void) prctl(PR_SET_CHILD_SUBREAPER, (unsigned long) reaps);
        (void) setsockopt(launch->answers, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
        return r;
}

const EngineLauncher lxc_launcher = {
        .name = "lxc",
        .namespaces = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
        .announces = true,
        .own_mounts = true,
        .two_processes = true,
        .launch = launch,
};
