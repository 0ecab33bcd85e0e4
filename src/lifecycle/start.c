/* start: a created container starts its process; an image's container that is stopped is mounted and created again first. */

#include <fcntl.h>

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/foreground.h"
#include "lifecycle/phases.h"
#include "lifecycle/wait.h"

const Step start_steps[START_STEPS] = {
        { "validate",  0, validate_restart,   NULL },
        { "rootfs",    0, mount_root,         NULL },
        { "configure", 0, make_network_again, NULL },
        { "runtime",   0, create_in_runtime,  NULL },
        { "hooks",     0, run_hooks,          NULL },
        { "publish",   0, publish,            NULL },
};

static int start_created(const Lifecycle *lifecycle, const Container *c, Error *err) {
        char runtime_dir[PATH_MAX];
        BackendContainer container;

        if (container_backend(lifecycle, c, &container, runtime_dir, err) < 0)
                return -1;
        container.started = container_started;
        container.userdata = c->dir;
        if (c->backend->start(&container, err) < 0) {
                backend_failed(lifecycle, c->backend, err);
                return -1;
        }
        return 0;
}

/* @dir (taken): reserved, empty, locked. */
static int start_stopped(const Lifecycle *lifecycle, const StartRequest *request, RunDir *dir, int *ret_exit_code, Error *err) {
        SpecOptions no_options = {};
        CreateRequest create = { .id = request->id, .options = &no_options };
        _cleanup_transaction_ Transaction t;
        char runtime_dir[PATH_MAX];
        BackendContainer container;

        transaction_init(&t, lifecycle, &create, start_steps, START_STEPS);
        t.dir = dir;
        if (request->attach)
                return foreground_run(&t, true, false, ret_exit_code, err);

        t.monitored = true;
        if (transaction_run(&t, NULL, err) < 0)
                return -1;
        container = backend_container(lifecycle, t.backend, t.dir, t.bundle, lifecycle->systemd_cgroup, runtime_dir);
        container.started = container_started;
        container.userdata = t.dir;
        if (t.backend->start(&container, err) < 0) {
                backend_failed(lifecycle, t.backend, err);
                error_phase(err, "publish");
                (void) container_stop_here(lifecycle, t.dir, 0, NULL);
                return -1;
        }
        *ret_exit_code = 0;
        return 0;
}

static int start(const Lifecycle *lifecycle, const StartRequest *request, int *ret_exit_code, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        Error e = ERROR_INIT;

        if (container_find(lifecycle, request->id, FIND_LOCK, &c, err) < 0)
                return -1;
        if (request->attach && !c->state->store)
                return error_set(err, ERROR_NOT_SUPPORTED, "--attach: container '%s' is a bundle's, its stdio is its creator's",
                                 request->id);

        switch (c->status) {
        case STATUS_CREATED:
                if (start_created(lifecycle, c, err) < 0)
                        return -1;
                if (!request->attach) {
                        *ret_exit_code = 0;
                        return 0;
                }
                c = container_free(c);
                return wait_attached(lifecycle, request->id, ret_exit_code, err);
        case STATUS_STOPPED:
                if (!c->state->store)
                        return error_set(err, ERROR_INVALID_STATE,
                                         "cannot start container '%s' that has stopped: a bundle's container runs once", request->id);
                break;
        case STATUS_CREATING:
        case STATUS_RUNNING:
        case STATUS_PAUSED:
                return error_set(err, ERROR_INVALID_STATE, "cannot start container '%s' that is already %s", request->id,
                                 status_name(c->status));
        }

        /* What is left of an earlier run, or of an earlier boot, goes first. */
        if (c->dir && container_stop_here(lifecycle, c->dir, 0, err) < 0)
                return -1;
        if (rundir_reserve(lifecycle->root, request->id, &dir, &e) < 0 || faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                if (dir || e.kind == ERROR_CONTAINER_EXISTS)
                        return error_set(err, ERROR_INVALID_STATE, "cannot start container '%s': another command is starting it",
                                         request->id);
                if (err)
                        *err = e;
                return -1;
        }
        return start_stopped(lifecycle, request, TAKE(dir), ret_exit_code, err);
}

int lifecycle_start(const Lifecycle *lifecycle, const StartRequest *request, int *ret_exit_code, Error *err) {
        return start(lifecycle, request, ret_exit_code, err) < 0 ? error_prefix(err, "start '%s'", request->id) : 0;
}
