/* run: create (or restore), start, wait and delete in this one process, in the foreground. */

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "engine/console.h"
#include "engine/create.h"
#include "engine/notify.h"
#include "engine/poststart.h"
#include "engine/record.h"

typedef int (*Published)(void *userdata, pid_t init, Error *err);

/* Restored processes run already. */
static int start(Creation *c, Notify *notify, Error *err) {
        if (c->request->restore)
                return 0;
        if (notify_begin(notify, c->dir_fd, c->request->notify_socket, err) < 0 || session_go_on(&c->session, err) < 0 ||
            session_finish(&c->session, c->record, err) < 0)
                return -1;
        return poststart_run(c->container, c->record, c->session.pid, err);
}

static int run(Creation *c, const Foreground *foreground, Published published, void *userdata, int *ret_status, Error *err) {
        _cleanup_console_ Console console = CONSOLE_INIT;
        _cleanup_notify_ Notify notify = NOTIFY_INIT;
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid;

        if (creation_make(c, err) < 0)
                return -1;
        pid = c->session.pid;
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a descriptor of process %d", (int) pid);
        if (published(userdata, pid, err) < 0 || start(c, &notify, err) < 0 ||
            console_begin(&console, TAKE_FD(c->session.console), err) < 0 ||
            console_supervise(&console, foreground, &notify, pid, pidfd, ret_status, err) < 0)
                return -1;
        c->session.pid = 0;
        return 0;
}

int engine_run(const EngineContainer *container, const EngineCreate *request, Published published, void *userdata, int *ret_status,
               Error *err) {
        _cleanup_creation_ Creation creation = {
                .container = container,
                .request = request,
                .at_once = true,
                .dir_fd = -EBADF,
                .session = SESSION_INIT,
        };
        _cleanup_foreground_ Foreground foreground = FOREGROUND_INIT;

        if (foreground_begin(&foreground, err) < 0)
                return -1;
        if (run(&creation, &foreground, published, userdata, ret_status, err) < 0) {
                session_abort(&creation.session);
                (void) engine_delete(container, true, NULL);
                return -1;
        }
        return engine_delete(container, true, err);
}
