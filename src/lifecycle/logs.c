/* logs: of containers that a monitor of ours holds the output of. */

#include <fcntl.h>

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "runtime/monitor.h"

/* The monitor writes until the pipes are drained; without one there is nothing to wait for. */
static bool has_ended(void *userdata) {
        const Container *c = userdata;

        return c->status == STATUS_STOPPED || !process_is_alive(&c->state->monitor);
}

int lifecycle_logs(const Lifecycle *lifecycle, const char *id, LogRequest *request, int out_fd, int err_fd, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (container_find(lifecycle, id, 0, &c, err) < 0)
                return error_prefix(err, "logs of '%s'", id);
        fd = c->state->store ? open(c->state->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : fcntl(c->dir->fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
                error_set_errno(err, ERROR_FILE, errno, "open the directory of the log");
                return error_prefix(err, "logs of '%s'", id);
        }
        if (faccessat(fd, LOG_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && c->state->monitor.pid == 0) {
                error_set(err, ERROR_INVALID_STATE, "container '%s' has no log: its output went to whoever created or ran it", id);
                error_hint(err, "run it with --detach");
                return -1;
        }
        request->ended = has_ended;
        request->userdata = c;
        return log_print(fd, request, out_fd, err_fd, err) < 0 ? error_prefix(err, "logs of '%s'", id) : 0;
}
