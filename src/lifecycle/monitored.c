/*
 * Creating with a monitor: the runtime is the monitor's child, so that the monitor is the parent, by adoption, of the container's init,
 * and holds the pipes of its stdio from the first byte on.
 *
 * The command that forks it drives the transaction and holds the lock. Until the monitor has noted down its init, it dies with that
 * command; from then on an undo finds both in the journal.
 */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
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

/* What the command needed and a monitor, of which there may be hundreds, does not. */
static void forget_request(Transaction *t) {
        json_decref(TAKE(t->spec));
        json_decref(TAKE(t->annotations));
        image_config_free(TAKE(t->image_config));
        store_image_free(TAKE(t->image));
        container_record_free(TAKE(t->record));
}

static _Noreturn void monitor_main(Transaction *t, Monitor *monitor, pid_t parent) {
        Lifecycle quiet = *t->lifecycle;
        Error e = ERROR_INIT;
        int code;

        quiet.observer = (LifecycleObserver) {};
        quiet.interrupted = NULL;
        t->lifecycle = &quiet;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(1);
        if (create_here(t, monitor, &e) < 0) {
                monitor_report(monitor, &e);
                _exit(1);
        }
        (void) prctl(PR_SET_PDEATHSIG, 0);
        monitor_report(monitor, NULL);

        forget_request(t);
        code = monitor_loop(monitor, t->init.pid, t->cgroups);
        (void) container_ended(&quiet, t->dir->id, &t->init, t->request->remove, 0, NULL);
        _exit(code);
}

int monitored_create(Transaction *t, Error *err) {
        MonitorRequest request = {
                .dir_fd = t->container_fd >= 0 ? t->container_fd : t->dir->fd,
                .log_max = (uint64_t) t->lifecycle->config->log_size_max,
                .preserve_fds = t->request->preserve_fds + t->request->listen_fds,
        };
        _cleanup_(journal_freep) Journal *journal = NULL;
        _cleanup_close_ int report = -EBADF;
        Monitor *monitor = NULL;
        pid_t self = getpid();

        if (monitor_fork(&request, &monitor, &t->monitor, &report, err) < 0)
                return -1;
        if (monitor)
                monitor_main(t, monitor, self);
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
