/*
 * Creating with a monitor: the runtime is the monitor's child, so that the monitor is the parent, by adoption, of the container's init,
 * and holds the pipes of its stdio from the first byte on.
 *
 * The command that forks it drives the transaction and holds the lock. Until the monitor has noted down its init, it dies with that
 * command; from then on an undo finds both in the journal. At the end of the container the monitor is this program once more, by its
 * command `monitor-end`.
 */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/module.h"
#include "lifecycle/container.h"
#include "lifecycle/phases.h"
#include "runtime/monitor.h"

/* In the monitor: everything up to the point where the container's init is known. */
static int create_here(Transaction *t, Monitor *monitor, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        BackendCreate request = create_request(t);
        _cleanup_close_ int journal_fd = -EBADF, stdin_fd = -EBADF;
        char path[PATH_MAX], runtime_dir[PATH_MAX];
        BackendContainer container;
        ProcessRef self;
        pid_t init;

        (void) snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, t->dir->path);
        journal_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (journal_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        if (process_ref(getpid(), &self, err) < 0 || journal_append_monitor(journal_fd, &self, err) < 0)
                return -1;

        request.ret_cgroups = &t->cgroups;
        request.ret_init = &t->init;
        request.stdin_fd = -1;
        request.stdout_fd = monitor_stdout(monitor);
        request.stderr_fd = monitor_stderr(monitor);
        if (own_stdin(t, &request, &stdin_fd, err) < 0)
                return -1;
        if (t->terminal && !request.console_socket && monitor_console_listen(monitor, &request.console_socket, err) < 0)
                return -1;
        container = backend_container(lifecycle, t->backend, t->dir, t->bundle, lifecycle->systemd_cgroup, runtime_dir);
        if (t->backend->create(&container, &request, &init, err) < 0) {
                backend_failed(lifecycle, t->backend, err);
                return -1;
        }
        return init_is_known(t, journal_fd, init, err);
}

/* What the monitor is going to execute. */
typedef struct Programs {
        char *monitor; /* while the container runs */
        char **end;    /* after it; the init is still to be named */
} Programs;

static void programs_clear(Programs *programs) {
        free(programs->monitor);
        strv_free(programs->end);
}

/* Made before anything else: what is missing is told before there is a container, and paths still mean what they did to the user. */
static int find_programs(const Lifecycle *lifecycle, const char *id, Programs *ret, Error *err) {
        _cleanup_(programs_clear) Programs programs = {};
        _cleanup_free_ char *config = NULL;
        char self[PATH_MAX];

        if (module_path(MONITOR_PROGRAM, &programs.monitor, err) < 0 || program_path(self, err) < 0)
                return -1;
        if (access(programs.monitor, X_OK) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "program '%s'", programs.monitor);
                return error_hint(err, "install it and this program from one build");
        }
        if (lifecycle->config->path && path_absolute(lifecycle->config->path, &config, err) < 0)
                return -1;

        const char *const words[] = {
                self,
                "--root", lifecycle->root,
                "--store", lifecycle->store,
                config ? "--config" : NULL, config,
                lifecycle->rootless ? "--rootless" : NULL, lifecycle->rootless,
                lifecycle->no_cgroups ? "--cgroup-manager" : NULL, lifecycle->no_cgroups ? "disabled" : NULL,
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (words[i] && strv_push(&programs.end, words[i], err) < 0)
                        return -1;
        if (strv_push(&programs.end, "monitor-end", err) < 0 || strv_push(&programs.end, id, err) < 0)
                return -1;
        *ret = programs;
        programs = (Programs) {};
        return 0;
}

static int name_init(Programs *programs, const ProcessRef *init, Error *err) {
        const unsigned long long numbers[] = { (unsigned long long) init->pid, init->start_time };

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                char text[24];

                (void) snprintf(text, sizeof(text), "%llu", numbers[i]);
                if (strv_push(&programs->end, text, err) < 0)
                        return -1;
        }
        return 0;
}

static _Noreturn void monitor_main(Transaction *t, Monitor *monitor, Programs *programs, pid_t parent) {
        Lifecycle quiet = *t->lifecycle;
        Error e = ERROR_INIT;

        quiet.observer = (LifecycleObserver) {};
        quiet.interrupted = NULL;
        t->lifecycle = &quiet;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(1);
        if (create_here(t, monitor, &e) < 0 || name_init(programs, &t->init, &e) < 0) {
                monitor_report(monitor, &e);
                _exit(1);
        }
        (void) prctl(PR_SET_PDEATHSIG, 0);
        (void) monitor_settle(monitor, t->init.pid, programs->monitor, programs->end, &e);

        /* No memory for it. The container does not run on with nobody to hear what it says: whoever starts it learns that it has ended. */
        (void) kill(t->init.pid, SIGKILL);
        _exit(1);
}

int monitored_create(Transaction *t, Error *err) {
        MonitorRequest request = {
                .dir_fd = t->container_fd >= 0 ? t->container_fd : t->dir->fd,
                .log_max = (uint64_t) t->lifecycle->config->log_size_max,
                .preserve_fds = t->request->preserve_fds + t->request->listen_fds,
        };
        _cleanup_(journal_freep) Journal *journal = NULL;
        _cleanup_(programs_clear) Programs programs = {};
        _cleanup_close_ int report = -EBADF;
        Monitor *monitor = NULL;
        pid_t self = getpid();

        if (find_programs(t->lifecycle, t->dir->id, &programs, err) < 0 ||
            monitor_fork(&request, &monitor, &t->monitor, &report, err) < 0)
                return -1;
        if (monitor)
                monitor_main(t, monitor, &programs, self);
        if (monitor_report_read(report, err) < 0)
                return -1;

        /* The monitor has written down what it made; that is also what an undo would read. */
        if (journal_load(t->dir->fd, &journal, err) < 0)
                return -1;
        if (!journal || !journal->init.pid)
                return error_set(err, ERROR_RUNTIME, "the monitor of container '%s' does not name its init", t->dir->id);
        t->init = journal->init;
        t->monitor = journal->monitor;
        strv_free(t->cgroups);
        t->cgroups = TAKE(journal->cgroups);
        return 0;
}

int lifecycle_ended(const Lifecycle *lifecycle, const char *id, const ProcessRef *init, int exit_code, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;

        if (process_is_alive(init))
                return error_set(err, ERROR_INVALID_STATE, "container '%s' has not ended: its init (process %d) runs", id, (int) init->pid);
        if (fault_point("end.start", err) < 0)
                return -1;
        /* At once, whoever holds its lock: somebody may wait for this. One that is on its way out needs no record. */
        if (container_find(lifecycle, id, FIND_NO_REPAIR | FIND_UNSEEN, &c, NULL) == 0 && c->dir && c->state->init.pid == init->pid &&
            c->state->init.start_time == init->start_time)
                (void) container_save_exit(c, exit_code, NULL);
        c = container_free(c);
        if (fault_point("end.middle", err) < 0)
                return -1;
        return container_ended(lifecycle, id, init, false, 0, err);
}
