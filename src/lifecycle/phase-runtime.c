/*
 * Phases 7 and 8: the backend makes the container, which waits before its process starts. Runtimes that run the hooks themselves do so
 * in here and in start; ours is then only to say so when one of them is what failed.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "lifecycle/phases.h"
#include "oci/runtime-spec.h"
#include "runtime/cgroup.h"
#include "runtime/monitor.h"

#define RUNTIME_DIR      "runtime"
#define KILL_TIMEOUT_MS  10000 /* for a process to be gone after SIGKILL; longer means it hangs in the kernel */

void container_started(void *dir) {
        rundir_unlock(dir);
}

static void warn(void *userdata, const char *text) {
        const Lifecycle *lifecycle = userdata;

        if (lifecycle->observer.warn)
                lifecycle->observer.warn(lifecycle->observer.userdata, text);
}

const char *container_config_dir(const RunDir *dir, const char *bundle) {
        return dir && faccessat(dir->fd, SPEC_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? dir->path : bundle;
}

BackendContainer backend_container(const Lifecycle *lifecycle, const Backend *backend, const RunDir *dir, const char *bundle,
                                   bool systemd_cgroup, char runtime_dir[PATH_MAX]) {
        (void) snprintf(runtime_dir, PATH_MAX, "%s/" RUNTIME_DIR, dir->path);
        return (BackendContainer) {
                .backend = backend,
                .id = dir->id,
                .bundle = bundle,
                .config_dir = container_config_dir(dir, bundle),
                .runtime_dir = runtime_dir,
                .program = config_runtime_path(lifecycle->config, backend->name),
                .criu = lifecycle->criu,
                .rootless = lifecycle->rootless,
                .systemd_cgroup = systemd_cgroup,
                .no_cgroups = lifecycle->no_cgroups,
                .debug = lifecycle->debug,
                .warn = warn,
                .warn_data = (void *) lifecycle,
        };
}

BackendCreate create_request(const Transaction *t) {
        return (BackendCreate) {
                .restore = t->request->restore,
                .spec = t->spec,
                .console_socket = t->request->console_socket,
                .cgroups_path = t->cgroups_path,
                .no_pivot = t->request->no_pivot,
                .no_new_keyring = t->request->no_new_keyring,
                .no_subreaper = t->request->no_subreaper,
                .preserve_fds = t->request->preserve_fds,
                .listen_fds = t->request->listen_fds,
                .stdin_fd = SPAWN_INHERIT,
                .stdout_fd = SPAWN_INHERIT,
                .stderr_fd = SPAWN_INHERIT,
        };
}

static bool is_null_device(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3); /* Source: Linux, devices.txt */
}

int own_stdin(const Transaction *t, BackendCreate *request, int *ret_fd, Error *err) {
        int fds[2];

        if (!t->mapping || (t->backend->capabilities & BACKEND_SHIELDS_HOST) ||
            (request->stdin_fd == SPAWN_INHERIT && !is_null_device(STDIN_FILENO)))
                return 0;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a pipe");
        close(fds[1]);
        *ret_fd = request->stdin_fd = fds[0];
        return 0;
}

void backend_failed(const Lifecycle *lifecycle, const Backend *backend, Error *err) {
        Error unusable = ERROR_INIT;

        if (!err)
                return;
        /* crun: "error executing hook `…`"; runc: "error running hook #0: …", "error running prestart hook" */
        if (err->kind == ERROR_RUNTIME && strstr(err->text, "hook") &&
            (strstr(err->text, "error executing") || strstr(err->text, "error running"))) {
                error_phase(err, "hooks");
                return;
        }
        /* What a probe says of a host without the runtime, or one it cannot work on, is more to the point than how it failed there. */
        if (backend->probe(backend, config_runtime_path(lifecycle->config, backend->name), &unusable) < 0) {
                if (err->kind == ERROR_RUNTIME_NOT_AVAILABLE && err->hint[0])
                        return;
                *err = unusable;
        }
}

int init_is_known(Transaction *t, int journal_fd, pid_t init, Error *err) {
        Error e = ERROR_INIT;

        if (t->init.pid != init && process_ref(init, &t->init, &e) < 0) {
                /* A container may have ended before we could look: it is one all the same. */
                if (e.errnum != ESRCH) {
                        if (err)
                                *err = e;
                        return -1;
                }
                t->init = (ProcessRef) { .pid = init };
        }
        if (!t->cgroups && cgroup_of_process(init, &t->cgroups, &e) < 0 && e.errnum != ESRCH) {
                if (err)
                        *err = e;
                return -1;
        }
        return journal_append_init(journal_fd, &t->init, t->cgroups, err);
}

int prepare_runtime(Transaction *t, Error *err) {
        if (mkdirat(t->dir->fd, RUNTIME_DIR, 0700) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s/" RUNTIME_DIR "'", t->dir->path);
        if (t->container_fd >= 0 && unlinkat(t->container_fd, EXIT_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s/" EXIT_FILE "'", t->container_path);
        return 0;
}

int create_in_runtime(Transaction *t, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        BackendCreate request = create_request(t);
        char runtime_dir[PATH_MAX];
        BackendContainer container;
        pid_t init;

        request.ret_cgroups = &t->cgroups;
        request.ret_init = &t->init;

        if (prepare_runtime(t, err) < 0)
                return -1;
        if (t->monitored)
                return monitored_create(t, err) < 0 ? -1 : fault_point("runtime.middle", err);

        container = backend_container(lifecycle, t->backend, t->dir, t->bundle, lifecycle->systemd_cgroup, runtime_dir);
        if ((request.restore ? t->backend->restore : t->backend->create)(&container, &request, &init, err) < 0) {
                backend_failed(lifecycle, t->backend, err);
                return -1;
        }
        if (fault_point("runtime.middle", err) < 0)
                return -1;
        return init_is_known(t, t->journal_fd, init, err);
}

/* Kills a process of the container and waits until it is gone. @cgroups: thawed for it; may be NULL */
static int end_process(const ProcessRef *process, char *const *cgroups, const char *what, Error *err) {
        _cleanup_close_ int fd = process->pid > 0 && process->pid != getpid() ? process_open(process) : -ESRCH;
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int r;

        if (fd < 0)
                return 0;
        if (process_signal(process, SIGKILL) == -ESRCH)
                return 0;
        /* On cgroup v1 what is frozen dies only when it is thawed. Where that fails, the wait says so. */
        if (cgroups)
                (void) cgroup_freeze(cgroups, false, KILL_TIMEOUT_MS, NULL);
        do
                r = poll(&p, 1, KILL_TIMEOUT_MS);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                return error_set(err, ERROR_TIMEOUT, "%s (process %d) does not end after SIGKILL", what, (int) process->pid);
        return 0;
}

/* Cgroups of an earlier boot, or of a container that is gone, may by now be someone else's: only what is empty is removed then. */
static int remove_cgroups(const Undo *undo, Error *err) {
        char **cgroups = undo->journal->cgroups;
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;

        if (!cgroups || !cgroups[0])
                return 0;
        if (!undo->same_boot && (cgroup_pids(cgroups, &pids, &n, err) < 0 || n > 0))
                return n > 0 ? 0 : -1;
        return cgroup_remove_all(cgroups, KILL_TIMEOUT_MS, err);
}

int kill_in_runtime(Undo *undo, Error *err) {
        const Journal *journal = undo->journal;
        Error e = ERROR_INIT;
        char runtime_dir[PATH_MAX];
        const Backend *backend;
        bool ended = false;

        if (!journal)
                return 0;
        if (undo->same_boot) {
                BackendContainer container;

                /* First the monitor: it would take the init's end for an exit, and record it. */
                if (end_process(&journal->monitor, NULL, "the monitor", err) < 0 ||
                    end_process(&journal->init, journal->cgroups, "the container's init", err) < 0)
                        return -1;
                if (backend_find(journal->header.runtime, &backend, &e) == 0) {
                        ended = undo->runtime_is_done;
                        if (!ended && faccessat(undo->dir->fd, RUNTIME_DIR, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                                container = backend_container(undo->lifecycle, backend, undo->dir, journal->header.bundle,
                                                              journal->header.systemd_cgroup, runtime_dir);
                                ended = backend->delete(&container, true, &e) == 0;
                                if (!ended)
                                        lifecycle_note(undo->lifecycle, "container '%s': %s", undo->dir->id, e.text);
                        }
                        ended = ended && (backend->capabilities & BACKEND_ENDS_CGROUPS);
                }
        }
        if (!ended && remove_cgroups(undo, err) < 0)
                return -1;
        return dir_remove_tree_at(undo->dir->fd, RUNTIME_DIR, err);
}

/* Every backend there is runs the hooks itself, in create and in start. */
int run_hooks(Transaction *t, Error *err) {
        t->skipped = true;
        return fault_point("hooks.middle", err);
}
