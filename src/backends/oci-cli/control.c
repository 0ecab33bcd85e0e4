/*
 * kill, pause, resume, state, stats: by pidfd and cgroup files, without starting the runtime; crun and runc read the same files.
 */

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup.h"

#define FREEZE_TIMEOUT_MS 10000

/* runc's words: containerd looks for them in what a failed kill says. */
static int not_running(Error *err) {
        return error_set(err, ERROR_INVALID_STATE, "container not running");
}

/* A frozen process of cgroup v1 dies of SIGKILL only when it is thawed, so as runc does, we thaw. */
static int thaw_killed(const State *state, Error *err) {
        bool frozen;

        if (cgroup_is_frozen(state->cgroups, &frozen, err) < 0)
                return -1;
        return frozen ? cgroup_freeze(state->cgroups, false, FREEZE_TIMEOUT_MS, err) : 0;
}

int oci_cli_kill(const BackendContainer *container, const State *state, int signal, bool all, Error *err) {
        int r;

        if (all) {
                if (!state->cgroups || !state->cgroups[0]) {
                        error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own that tells its processes");
                        return error_hint(err, "kill without --all");
                }
                return cgroup_signal_all(state->cgroups, signal, err);
        }
        if (!process_is_alive(&state->init))
                return not_running(err);
        r = process_signal(&state->init, signal);
        if (r == -ESRCH)
                return not_running(err);
        if (r == -EINVAL)
                return error_set_errno(err, ERROR_INVALID_ARGUMENT, EINVAL, "signal %d", signal);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, -r, "send signal %d to process %d", signal, (int) state->init.pid);
        return signal == SIGKILL ? thaw_killed(state, err) : 0;
}

int oci_cli_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err) {
        _cleanup_free_ char *fifo = NULL;
        struct stat st;
        bool frozen;

        if (!process_is_alive(&state->init)) {
                *ret = STATUS_STOPPED;
                return 0;
        }
        if (cgroup_is_frozen(state->cgroups, &frozen, err) < 0)
                return -1;
        /* Init waits on this fifo; both runtimes remove it when they start the container. */
        if (string_format(&fifo, err, "%s/%s/exec.fifo", container->runtime_dir, container->id) < 0)
                return -1;
        *ret = frozen ? STATUS_PAUSED : lstat(fifo, &st) == 0 ? STATUS_CREATED : STATUS_RUNNING;
        return 0;
}

int oci_cli_pause(const BackendContainer *container, const State *state, Error *err) {
        ContainerStatus status;

        if (oci_cli_state(container, state, &status, err) < 0)
                return -1;
        if (status == STATUS_STOPPED)
                return not_running(err);
        if (status == STATUS_PAUSED)
                return error_set(err, ERROR_INVALID_STATE, "container is paused already");
        return cgroup_freeze(state->cgroups, true, FREEZE_TIMEOUT_MS, err);
}

int oci_cli_resume(const BackendContainer *container, const State *state, Error *err) {
        ContainerStatus status;

        if (oci_cli_state(container, state, &status, err) < 0)
                return -1;
        if (status != STATUS_PAUSED)
                return status == STATUS_STOPPED ? not_running(err) : error_set(err, ERROR_INVALID_STATE, "container is not paused");
        return cgroup_freeze(state->cgroups, false, FREEZE_TIMEOUT_MS, err);
}

int oci_cli_stats(const BackendContainer *container, const State *state, json_t **ret, Error *err) {
        if (!state->cgroups || !state->cgroups[0])
                return error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own that counts");
        return cgroup_stats(state->cgroups, ret, err);
}
