/*
 * Starting the init by liblxc, which leaves nothing of itself: a child of this process becomes liblxc's monitor and is killed as soon as
 * the init says that it runs. The init then is a child of this process, its next subreaper, just as if it had been born here.
 */

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/lxc/lxc.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"

#define MONITOR_ANNOTATION "org.proxmox-lxcri.lxc.monitor"
#define LOOK_MS            200  /* between looks for a dead child of liblxc's monitor */
#define LOOKS_MAX          15   /* that find one in a row: one that the monitor reaps is there for a moment, too */
#define CHILDREN_MAX       4096 /* bytes of /proc/PID/task/PID/children */

/* fork(), into the container's cgroup where that is version 2: what liblxc starts is born there, too. */
static pid_t fork_into(int cgroup_fd) {
        struct clone_args args = {
                .flags = cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0,
                .exit_signal = SIGCHLD,
                .cgroup = cgroup_fd >= 0 ? (uint64_t) cgroup_fd : 0,
        };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
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

/* Whether a child of liblxc's monitor has died and is not reaped. */
static bool has_dead_child(pid_t monitor) {
        _cleanup_free_ char *children = NULL;
        char path[64], *end;

        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) monitor, (int) monitor);
        if (file_read_at(AT_FDCWD, path, CHILDREN_MAX, &children, NULL, NULL) < 0)
                return false;
        for (const char *at = children;; at = end) {
                long pid = strtol(at, &end, 10);
                ProcessRef child;

                if (end == at)
                        return false;
                if (process_ref((pid_t) pid, &child, NULL) == 0 && !process_is_alive(&child))
                        return true;
        }
}

/*
 * As poll() without a limit, but EPIPE when liblxc's monitor waits for ever: for descriptors of a child that was killed before it sent
 * them. The other end of that socket is open in the monitor itself.
 */
static int poll_alive(struct pollfd *fds, size_t n, pid_t monitor) {
        for (unsigned dead = 0;;) {
                int r = poll(fds, n, LOOK_MS);

                if (r > 0 || (r < 0 && errno != EINTR))
                        return r;
                dead = has_dead_child(monitor) ? dead + 1 : 0;
                if (dead == LOOKS_MAX) {
                        errno = EPIPE;
                        return -1;
                }
        }
}

/* Whichever comes first: the init's word, or the end of the monitor, whose pipe may be held by what it has forked and what waits for it. */
static int await_init(const EngineLaunch *launch, pid_t *ret, Error *err) {
        _cleanup_close_ int monitor = pidfd_open(launch->helper, 0);
        struct pollfd fds[] = {
                { .fd = launch->answers, .events = POLLIN },
                { .fd = launch->report, .events = POLLIN },
                { .fd = monitor, .events = POLLIN },
        };

        if (monitor < 0)
                return error_set_errno(err, ERROR_LXC, errno, "open a descriptor of liblxc's monitor");
        if (poll_alive(fds, ARRAY_SIZE(fds), launch->helper) < 0) {
                if (errno == EPIPE)
                        return error_set(err, ERROR_LXC, "the container's first process died before it was the init");
                return error_set_errno(err, ERROR_FILE, errno, "poll");
        }
        return fds[0].revents & POLLIN ? engine_announced(launch->answers, ret, err) : take_report(launch->report, err);
}

static int start(EngineLaunch *launch, Error *err) {
        _cleanup_close_ int report_read = -EBADF, report_write = -EBADF;
        const pid_t self = getpid();
        int ends[2];

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report_read = ends[0];
        report_write = ends[1];
        launch->helper = fork_into(launch->cgroup_fd);
        if (launch->helper < 0)
                return error_set_errno(err, ERROR_LXC, errno, "start liblxc's monitor");
        if (launch->helper == 0)
                monitor_main(launch, self, report_write);
        launch->report = TAKE_FD(report_read);
        return 0;
}

static int launch(EngineLaunch *launch, pid_t *ret_pid, Error *err) {
        if (prctl(PR_GET_CHILD_SUBREAPER, &launch->reaps) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "become a subreaper");
        if (start(launch, err) == 0)
                return 0;
        (void) prctl(PR_SET_CHILD_SUBREAPER, (unsigned long) launch->reaps);
        return -1;
}

/* The monitor alone: its child is liberated, unless it has not announced itself; then the end of the socket ends it. */
static void abandon(EngineLaunch *launch) {
        int status;

        (void) kill(launch->helper, SIGKILL);
        (void) process_wait(launch->helper, &status, NULL);
        close_keep_errno(launch->report);
        (void) prctl(PR_SET_CHILD_SUBREAPER, (unsigned long) launch->reaps);
}

static int settle(EngineLaunch *launch, pid_t *ret_pid, Error *err) {
        int r = await_init(launch, ret_pid, err);

        abandon(launch);
        return r;
}

/* Refused rather than ignored: whoever asks for it wants lxc-info and lxc-attach to work. docs/ENGINES.md says why they cannot. */
static int check(const json_t *spec, Error *err) {
        if (!json_object_get(json_object_get(spec, "annotations"), MONITOR_ANNOTATION))
                return 0;
        error_set(err, ERROR_NOT_SUPPORTED, "config.json: annotations: '" MONITOR_ANNOTATION "': liblxc's monitor cannot be kept");
        return error_hint(err, "this program's state, list and exec do what lxc-info, lxc-ls and lxc-attach would");
}

const EngineLauncher lxc_launcher = {
        .name = "lxc",
        .namespaces = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
        .announces = true,
        .own_stdio = true, /* liblxc sets the mode of what it finds there to 0700 */
        .own_mounts = true,
        .two_processes = true,
        .check = check,
        .launch = launch,
        .settle = settle,
        .abandon = abandon,
};
