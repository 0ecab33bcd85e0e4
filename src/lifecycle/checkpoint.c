/*
 * checkpoint and restore. A checkpoint ends the container's processes, unless it is left running; the files it wrote are the caller's. A
 * restore is a create whose processes come from such files: the same phases, the same undo.
 */

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "lifecycle/container.h"
#include "lifecycle/foreground.h"
#include "lifecycle/phases.h"
#include "lifecycle/wait.h"

#define END_TIMEOUT_MS 10000 /* for processes that CRIU has killed to be gone */

/*
 * Holds the container's lock: nobody starts or deletes it meanwhile. When we are killed in here it is found as it then is: running, or
 * ended.
 */
static int checkpoint(const Lifecycle *lifecycle, const char *id, const CriuDump *request, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        char runtime_dir[PATH_MAX];
        BackendContainer container;
        bool ended;

        if (container_find(lifecycle, id, FIND_LOCK, &c, err) < 0 || container_need_running(c, err) < 0 ||
            container_backend(lifecycle, c, &container, runtime_dir, err) < 0)
                return -1;
        if (c->status == STATUS_CREATED)
                return error_set(err, ERROR_INVALID_STATE, "container '%s' is created: nothing of it has run yet", id);
        if (!c->backend->checkpoint)
                return error_set(err, ERROR_NOT_SUPPORTED, "runtime '%s' cannot checkpoint a container", c->backend->name);
        if (c->state->store && !request->leave_running && !request->pre_dump) {
                error_set(err, ERROR_NOT_SUPPORTED, "container '%s' is an image's: it could not be restored in its root", id);
                return error_hint(err, "use --leave-running, or make the container from a bundle");
        }
        if (c->backend->checkpoint(&container, c->state, request, err) < 0 || fault_point("checkpoint.middle", err) < 0)
                return -1;
        if (request->leave_running || request->pre_dump)
                return 0;
        if (wait_process(lifecycle, &c->state->init, END_TIMEOUT_MS, &ended, err) < 0)
                return -1;
        if (!ended)
                return error_set(err, ERROR_TIMEOUT, "its init (process %d) runs on after the checkpoint", (int) c->state->init.pid);
        return container_remove_here(lifecycle, c->dir, 0, err);
}

int lifecycle_checkpoint(const Lifecycle *lifecycle, const char *id, const CriuDump *request, Error *err) {
        return checkpoint(lifecycle, id, request, err) < 0 ? error_prefix(err, "checkpoint '%s'", id) : 0;
}

static int check_files(const char *path, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                return 0;
        error_set_errno(err, ERROR_FILE, errno, "checkpoint '%s'", path);
        return error_hint(err, "--image-path names the directory that 'checkpoint' wrote");
}

int lifecycle_restore(const Lifecycle *lifecycle, const CreateRequest *request, int *ret_exit_code, Error *err) {
        _cleanup_transaction_ Transaction t;
        int r;

        transaction_init(&t, lifecycle, request, create_steps, CREATE_STEPS);
        t.publish_as = STATUS_RUNNING;
        r = check_files(request->restore->criu.image_path, err);
        if (r == 0 && request->detach) {
                *ret_exit_code = 0;
                r = transaction_run(&t, NULL, err);
        } else if (r == 0)
                r = foreground_run(&t, request->keep, !request->keep, ret_exit_code, err);
        return r < 0 ? error_prefix(err, "restore '%s'", request->id) : 0;
}
