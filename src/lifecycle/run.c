/* run: create and start, and in the foreground wait. */

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/foreground.h"
#include "lifecycle/phases.h"

/* The monitor outlives us and does the rest; with a console socket the caller holds the stdio. */
static int run_detached(Transaction *t, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        char runtime_dir[PATH_MAX];
        BackendContainer container;

        t->monitored = t->request->image || !t->request->console_socket;
        if (transaction_run(t, NULL, err) < 0)
                return -1;
        container = backend_container(lifecycle, t->backend, t->dir, t->bundle, lifecycle->systemd_cgroup, runtime_dir);
        container.started = container_started;
        container.userdata = t->dir;
        if (t->backend->start(&container, err) == 0)
                return 0;

        /* Like a failing create: nobody asked for a container that is created only. */
        backend_failed(lifecycle, t->backend, err);
        error_phase(err, "publish");
        (void) container_remove_here(lifecycle, t->dir, 0, NULL);
        return -1;
}

int lifecycle_run(const Lifecycle *lifecycle, const CreateRequest *request, int *ret_exit_code, Error *err) {
        _cleanup_transaction_ Transaction t;
        int r;

        transaction_init(&t, lifecycle, request, create_steps, CREATE_STEPS);
        if (request->detach) {
                r = run_detached(&t, err);
                if (r == 0)
                        *ret_exit_code = 0;
        } else
                r = foreground_run(&t, request->keep, request->image ? request->remove : !request->keep, ret_exit_code, err);
        return r < 0 ? error_prefix(err, "run '%s'", request->id) : 0;
}
