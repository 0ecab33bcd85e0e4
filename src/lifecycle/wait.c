/*
 * wait: until a container has ended. Its exit status is known to its parent: a monitor, or a foreground run, which writes it down. The
 * parent of a bundle's container that was made by `create` is whoever called that: what it learns, nobody else can.
 */

#include "lifecycle/wait.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/transaction.h"
#include "runtime/monitor.h"

#define RECORD_STEP_MS 2    /* between looks for the exit record */
#define RECORD_MAX_MS  5000 /* for a parent to write it once the container has ended */

int wait_process(const Lifecycle *lifecycle, const ProcessRef *process, int timeout_ms, bool *ret_ended, Error *err) {
        _cleanup_close_ int fd = process_open(process);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int r;

        *ret_ended = true;
        if (fd < 0)
                return 0;
        r = poll(&p, 1, timeout_ms);
        if (r < 0 && errno == EINTR)
                return lifecycle_interrupted(lifecycle, err) ? -1 : wait_process(lifecycle, process, timeout_ms, ret_ended, err);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, errno, "wait for process %d", (int) process->pid);
        *ret_ended = r > 0;
        return 0;
}

/* The record of the end that has just come. @may_come: someone is going to write it. */
static bool await_record(int dir_fd, const ProcessRef *monitor, bool may_come, ExitRecord *ret) {
        const struct timespec step = { .tv_nsec = RECORD_STEP_MS * 1000000L };

        for (int waited = 0; dir_fd >= 0; waited += RECORD_STEP_MS) {
                /* Asked before looking: a monitor that is gone has written it by then. */
                bool more = may_come && waited < RECORD_MAX_MS && (monitor->pid == 0 || process_is_alive(monitor));

                if (exit_record_load(dir_fd, ret, NULL) == 0)
                        return true;
                if (!more)
                        return false;
                (void) nanosleep(&step, NULL);
        }
        return false;
}

static int wait_container(const Lifecycle *lifecycle, const char *id, int *ret_exit_code, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        ExitRecord record;
        bool ended;

        if (container_find(lifecycle, id, 0, &c, err) < 0)
                return -1;
        dir_fd = container_open_exit_dir(c);
        if (c->status != STATUS_STOPPED && wait_process(lifecycle, &c->state->init, -1, &ended, err) < 0)
                return -1;
        if (await_record(dir_fd, &c->state->monitor, c->state->store || c->state->monitor.pid > 0, &record)) {
                *ret_exit_code = record.exit_code;
                return 0;
        }
        error_set(err, ERROR_INVALID_STATE, "container '%s' has ended, but its exit status is not known here", id);
        if (!c->state->store)
                error_hint(err, "the status of a bundle's container goes to the process that created it");
        return -1;
}

bool wait_exit(const Container *c, ExitRecord *ret) {
        _cleanup_close_ int dir_fd = container_open_exit_dir(c);

        return await_record(dir_fd, &c->state->monitor, c->state->monitor.pid > 0, ret);
}

int lifecycle_wait(const Lifecycle *lifecycle, const char *id, int *ret_exit_code, Error *err) {
        return wait_container(lifecycle, id, ret_exit_code, err) < 0 ? error_prefix(err, "wait for '%s'", id) : 0;
}

int wait_attached(const Lifecycle *lifecycle, const char *id, int *ret_exit_code, Error *err) {
        LogRequest request = { .follow = true, .tail = -1 };

        if (lifecycle_logs(lifecycle, id, &request, STDOUT_FILENO, STDERR_FILENO, err) < 0)
                return -1;
        return wait_container(lifecycle, id, ret_exit_code, err);
}
