/* stop: the container's stop signal, then SIGKILL; and restart. */

#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/signals.h"
#include "lifecycle/container.h"
#include "lifecycle/stored.h"
#include "lifecycle/transaction.h"
#include "lifecycle/wait.h"

#define KILL_TIMEOUT_MS   10000 /* for an end after SIGKILL */
#define SETTLE_TIMEOUT_MS 10000 /* for the monitor to write the exit status down and unmount */

static int stop_signal(const Lifecycle *lifecycle, const char *id, int *ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;

        *ret = SIGTERM;
        if (stored_load(lifecycle, id, NULL, &record, err) < 0)
                return -1;
        return record ? signal_parse(record->stop_signal, ret, err) : 0;
}

/* Asks the container to end, and waits. A paused one hears of it only when it is resumed. */
static int ask(const Lifecycle *lifecycle, const Container *c, const BackendContainer *container, int signal, int timeout_s,
               bool *ret_ended, Error *err) {
        if (c->backend->kill(container, c->state, signal, false, err) < 0)
                return -1;
        if (c->status == STATUS_PAUSED && c->backend->resume && c->backend->resume(container, c->state, err) < 0)
                return -1;
        return wait_process(lifecycle, &c->state->init, timeout_s * 1000, ret_ended, err);
}

static int stop(const Lifecycle *lifecycle, const char *id, int timeout, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        char runtime_dir[PATH_MAX];
        BackendContainer container;
        bool ended = false;
        int signal;

        if (container_find(lifecycle, id, 0, &c, err) < 0)
                return -1;
        if (c->status == STATUS_STOPPED && !c->dir)
                return 0;
        if (c->status != STATUS_STOPPED) {
                if (stop_signal(lifecycle, id, &signal, err) < 0 || container_backend(lifecycle, c, &container, runtime_dir, err) < 0)
                        return -1;
                if (timeout < 0)
                        timeout = (int) lifecycle->config->stop_timeout;

                /* A created container has no process yet that could hear a signal. */
                if (timeout > 0 && c->status != STATUS_CREATED && ask(lifecycle, c, &container, signal, timeout, &ended, err) < 0 &&
                    process_is_alive(&c->state->init))
                        return -1;
                if (!ended && process_is_alive(&c->state->init)) {
                        if (c->backend->kill(&container, c->state, SIGKILL, true, err) < 0 && process_is_alive(&c->state->init))
                                return -1;
                        if (wait_process(lifecycle, &c->state->init, KILL_TIMEOUT_MS, &ended, err) < 0)
                                return -1;
                        if (!ended)
                                return error_set(err, ERROR_TIMEOUT, "its init (process %d) does not end after SIGKILL",
                                                 (int) c->state->init.pid);
                }
        }
        if (c->state->monitor.pid > 0 && wait_process(lifecycle, &c->state->monitor, SETTLE_TIMEOUT_MS, &ended, err) < 0)
                return -1;
        /* A monitor that was killed leaves its part of the work to us. */
        return c->state->store ? container_ended(lifecycle, id, &c->state->init, false, 0, err) : 0;
}

int lifecycle_stop(const Lifecycle *lifecycle, const char *id, int timeout, Error *err) {
        return stop(lifecycle, id, timeout, err) < 0 ? error_prefix(err, "stop '%s'", id) : 0;
}

int lifecycle_restart(const Lifecycle *lifecycle, const char *id, int timeout, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        StartRequest request = { .id = id };
        int exit_code;

        if (container_find(lifecycle, id, 0, &c, err) < 0)
                return error_prefix(err, "restart '%s'", id);
        if (!c->state->store) {
                error_set(err, ERROR_NOT_SUPPORTED, "container '%s' is a bundle's: it runs once", id);
                error_hint(err, "delete it, and create it again");
                return error_prefix(err, "restart '%s'", id);
        }
        c = container_free(c);
        if (lifecycle_stop(lifecycle, id, timeout, err) < 0 || lifecycle_start(lifecycle, &request, &exit_code, err) < 0)
                return error_prefix(err, "restart");
        return 0;
}
