/* exec, and what changes or asks a running container without changing our records of it: pause, resume, update, ps. */

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "runtime/cgroup.h"

typedef struct Running {
        Container *container;
        BackendContainer backend;
        char runtime_dir[PATH_MAX];
} Running;

static void running_clear(Running *running) {
        container_free(running->container);
}
#define _cleanup_running_ _cleanup_(running_clear)

static int running_find(const Lifecycle *lifecycle, const char *id, Running *ret, Error *err) {
        if (container_find(lifecycle, id, 0, &ret->container, err) < 0 || container_need_running(ret->container, err) < 0)
                return -1;
        return container_backend(lifecycle, ret->container, &ret->backend, ret->runtime_dir, err);
}

static int not_supported(const Running *running, const char *what, Error *err) {
        return error_set(err, ERROR_NOT_SUPPORTED, "runtime '%s' cannot %s a container", running->container->backend->name, what);
}

int lifecycle_exec(const Lifecycle *lifecycle, const char *id, const BackendExec *request, int *ret_exit_code, Error *err) {
        _cleanup_running_ Running running = {};
        const Container *c;

        if (running_find(lifecycle, id, &running, err) < 0)
                return error_prefix(err, "exec in '%s'", id);
        c = running.container;
        if (c->status == STATUS_PAUSED && !request->ignore_paused) {
                error_set(err, ERROR_INVALID_STATE, "container '%s' is paused", id);
                error_hint(err, "resume it first, or use --ignore-paused");
                return error_prefix(err, "exec in '%s'", id);
        }
        if (!c->backend->exec) {
                not_supported(&running, "enter", err);
                return error_prefix(err, "exec in '%s'", id);
        }
        if (c->backend->exec(&running.backend, c->state, request, ret_exit_code, err) < 0)
                return error_prefix(err, "exec in '%s'", id);
        return 0;
}

/* Whether there is nothing to do for it, which some runtimes take for an error, and others for success. */
static bool is_so_already(const Container *c, bool pause) {
        return (c->status == STATUS_PAUSED) == pause && (c->backend->capabilities & BACKEND_PAUSES_AGAIN);
}

/* What has been created, and not started, can be paused, as with runc and crun. */
int lifecycle_pause(const Lifecycle *lifecycle, const char *id, Error *err) {
        _cleanup_running_ Running running = {};
        const Container *c;
        int r;

        if (running_find(lifecycle, id, &running, err) < 0)
                return error_prefix(err, "pause '%s'", id);
        c = running.container;
        if (is_so_already(c, true))
                return 0;
        if (c->status != STATUS_RUNNING && c->status != STATUS_CREATED)
                r = error_set(err, ERROR_INVALID_STATE, "container '%s' is %s, not running", id, status_name(c->status));
        else
                r = c->backend->pause ? c->backend->pause(&running.backend, c->state, err) : not_supported(&running, "pause", err);
        return r < 0 ? error_prefix(err, "pause '%s'", id) : 0;
}

int lifecycle_resume(const Lifecycle *lifecycle, const char *id, Error *err) {
        _cleanup_running_ Running running = {};
        const Container *c;
        int r;

        if (running_find(lifecycle, id, &running, err) < 0)
                return error_prefix(err, "resume '%s'", id);
        c = running.container;
        if (is_so_already(c, false))
                return 0;
        if (c->status != STATUS_PAUSED)
                r = error_set(err, ERROR_INVALID_STATE, "container '%s' is %s, not paused", id, status_name(c->status));
        else
                r = c->backend->resume ? c->backend->resume(&running.backend, c->state, err) : not_supported(&running, "resume", err);
        return r < 0 ? error_prefix(err, "resume '%s'", id) : 0;
}

int lifecycle_update(const Lifecycle *lifecycle, const char *id, const BackendUpdate *request, Error *err) {
        _cleanup_running_ Running running = {};
        const Container *c;
        int r;

        if (running_find(lifecycle, id, &running, err) < 0)
                return error_prefix(err, "update '%s'", id);
        c = running.container;
        r = c->backend->update ? c->backend->update(&running.backend, c->state, request, err) : not_supported(&running, "update", err);
        return r < 0 ? error_prefix(err, "update '%s'", id) : 0;
}

int lifecycle_ps(const Lifecycle *lifecycle, const char *id, pid_t **ret, size_t *ret_n, Error *err) {
        _cleanup_running_ Running running = {};

        char *const *cgroups;

        if (running_find(lifecycle, id, &running, err) < 0)
                return error_prefix(err, "ps '%s'", id);
        cgroups = running.container->state->cgroups;
        if (!cgroups || !cgroups[0]) {
                error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own that tells its processes");
                return error_prefix(err, "ps '%s'", id);
        }
        return cgroup_pids(cgroups, ret, ret_n, err) < 0 ? error_prefix(err, "ps '%s'", id) : 0;
}
