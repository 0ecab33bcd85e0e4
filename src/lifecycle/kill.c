/* kill: a signal to the init, or to every process of the container. Takes no lock: it must work while anything else hangs. */

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "runtime/cgroup.h"

int lifecycle_kill(const Lifecycle *lifecycle, const char *id, int signal, bool all, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        char runtime_dir[PATH_MAX];
        BackendContainer container;

        if (container_find(lifecycle, id, 0, &c, err) < 0)
                return error_prefix(err, "kill '%s'", id);
        /* Without a pid namespace of its own, processes can outlive the init. */
        if (all && c->dir && c->status == STATUS_STOPPED && c->state->cgroups)
                return cgroup_signal_all(c->state->cgroups, signal, err) < 0 ? error_prefix(err, "kill '%s'", id) : 0;
        if (container_need_running(c, err) < 0 || container_backend(lifecycle, c, &container, runtime_dir, err) < 0 ||
            c->backend->kill(&container, c->state, signal, all, err) < 0)
                return error_prefix(err, "kill '%s'", id);
        return 0;
}
