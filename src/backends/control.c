/* kill, pause, resume, stats: by pidfd and cgroup files, alike for every backend whose containers are processes of this host. */

#include "backends/control.h"

#include <signal.h>

#include "base/cleanup.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup.h"

#define FREEZE_TIMEOUT_MS 10000

/* runc's words: containerd looks for them in what a failed kill says. */
int control_not_running(Error *err) {
        return error_set(err, ERROR_INVALID_STATE, "container not running");
}

/* A frozen process of cgroup v1 dies of SIGKILL only when it is thawed, so as runc does, we thaw. */
static int thaw_killed(const State *state, Error *err) {
        bool frozen;

        if (cgroup_is_frozen(state->cgroups, &frozen, err) < 0)
                return -1;
        return frozen ? cgroup_freeze(state->cgroups, false, FREEZE_TIMEOUT_MS, err) : 0;
}

int control_kill(const BackendContainer *container, const State *state, int signal, bool all, Error *err) {
        int r;

        if (all) {
                if (!state->cgroups || !state->cgroups[0]) {
                        error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own that tells its processes");
                        return error_hint(err, "kill without --all");
                }
                return cgroup_signal_all(state->cgroups, signal, err);
        }
        if (!process_is_alive(&state->init))
                return control_not_running(err);
        r = process_signal(&state->init, signal);
        if (r == -ESRCH)
                return control_not_running(err);
        if (r == -EINVAL)
                return error_set_errno(err, ERROR_INVALID_ARGUMENT, EINVAL, "signal %d", signal);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, -r, "send signal %d to process %d", signal, (int) state->init.pid);
        return signal == SIGKILL ? thaw_killed(state, err) : 0;
}

int control_pause(const BackendContainer *container, const State *state, Error *err) {
        ContainerStatus status;

        if (container->backend->state(container, state, &status, err) < 0)
                return -1;
        if (status == STATUS_STOPPED)
                return control_not_running(err);
        if (status == STATUS_PAUSED)
                return error_set(err, ERROR_INVALID_STATE, "container is paused already");
        return cgroup_freeze(state->cgroups, true, FREEZE_TIMEOUT_MS, err);
}

int control_resume(const BackendContainer *container, const State *state, Error *err) {
        ContainerStatus status;

        if (container->backend->state(container, state, &status, err) < 0)
                return -1;
        if (status != STATUS_PAUSED)
                return status == STATUS_STOPPED ? control_not_running(err) : error_set(err, ERROR_INVALID_STATE, "container is not paused");
        return cgroup_freeze(state->cgroups, false, FREEZE_TIMEOUT_MS, err);
}

int control_stats(const BackendContainer *container, const State *state, json_t **ret, Error *err) {
        if (!state->cgroups || !state->cgroups[0])
                return error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own that counts");
        return cgroup_stats(state->cgroups, ret, err);
}
