/* Foreground runs. */

#include "lifecycle/foreground.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/fault.h"
#include "lifecycle/container.h"
#include "lifecycle/phases.h"
#include "runtime/monitor.h"

/* The runtime says who the init is: the rest of the transaction happens here, while the runtime waits for the container. */
static int container_is_there(void *userdata, pid_t init, Error *err) {
        Transaction *t = userdata;
        int r = fault_point("runtime.middle", err);

        if (r == 0)
                r = init_is_known(t, t->journal_fd, init, err);
        if (transaction_step_end(t, r, err) < 0 || transaction_continue(t, err) < 0)
                return -1;
        /* Published: from here on it is anyone's to kill, enter or delete. */
        rundir_unlock(t->dir);
        close_keep_errno(TAKE_FD(t->journal_fd));
        return 0;
}

/* Of a container that is deleted at once, somebody who waits for it may read this; after a power loss nobody. */
static void save_exit(const Transaction *t, int exit_code, bool remove) {
        int dir_fd = t->container_fd >= 0 ? t->container_fd : t->dir->fd;

        (void) exit_record_now(dir_fd, exit_code, t->cgroups, remove ? 0 : WRITE_DURABLE, NULL);
}

int foreground_run(Transaction *t, bool keep, bool remove, int *ret_exit_code, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        _cleanup_close_ int stdin_fd = -EBADF;
        char runtime_dir[PATH_MAX];
        BackendContainer container;
        BackendCreate request;
        Error e = ERROR_INIT;
        int exit_code = -1, r;

        t->publish_as = STATUS_RUNNING;
        if (process_ref(getpid(), &t->waiter, err) < 0)
                return -1;
        if (transaction_run(t, "runtime", err) < 0)
                return -1;

        r = transaction_step_begin(t, &e);
        if (r == 0 && !t->backend->run)
                r = error_set(&e, ERROR_NOT_SUPPORTED, "runtime '%s' cannot run a container in the foreground", t->backend->name);
        if (r == 0)
                r = prepare_runtime(t, &e);
        request = create_request(t);
        request.ret_cgroups = &t->cgroups;
        request.ret_init = &t->init;
        if (r == 0)
                r = own_stdin(t, &request, &stdin_fd, &e);
        if (r == 0) {
                container = backend_container(lifecycle, t->backend, t->dir, t->bundle, lifecycle->systemd_cgroup, runtime_dir);
                r = t->backend->run(&container, &request, container_is_there, t, &exit_code, &e);
                if (r < 0 && t->in_step)
                        backend_failed(lifecycle, t->backend, &e);
        }
        if (r < 0 && t->current < t->n_steps) {
                transaction_fail(t, &e);
                if (err)
                        *err = e;
                return -1;
        }

        /* It was published, and has ended; or the runtime failed after that (its start, say), which ends it too. */
        if (r == 0 && (t->container_fd >= 0 || keep))
                save_exit(t, exit_code, remove);
        if (r < 0) {
                error_phase(&e, "publish");
                remove = remove || t->kind == JOURNAL_CREATE;
        }
        if (container_ended(lifecycle, t->dir->id, &t->init, remove, r == 0 ? UNDO_RUNTIME_IS_DONE : 0, r == 0 ? &e : NULL) < 0 && r == 0)
                r = -1;
        if (r < 0) {
                if (err)
                        *err = e;
                return -1;
        }
        *ret_exit_code = exit_code;
        return 0;
}
