/* start: the init hears that it may become the user's process. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/create.h"
#include "engine/notify.h"
#include "engine/poststart.h"
#include "engine/record.h"
#include "engine/warn.h"

/* 0 and *ret; -1 with errno: ECONNREFUSED when nobody waits any more, ENOENT when nobody ever did. */
static int connect_start(int dir_fd, int *ret) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" START_FILE, dir_fd);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -1;
        *ret = TAKE_FD(fd);
        return 0;
}

bool engine_is_waiting(const EngineContainer *container) {
        _cleanup_close_ int dir_fd = open(container->runtime_dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;

        if (dir_fd < 0 || faccessat(dir_fd, START_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        /* A file that a start which was cut off left: the init does not listen to it any more. */
        return connect_start(dir_fd, &fd) == 0 || errno == EAGAIN;
}

int engine_start(const EngineContainer *container, const char *notify_socket, void (*started)(void *userdata), void *userdata, Error *err) {
        _cleanup_close_ int dir_fd = -EBADF, init_fd = -EBADF;
        _cleanup_notify_ Notify notify = NOTIFY_INIT;
        _cleanup_session_ Session session = SESSION_INIT;
        _cleanup_json_ json_t *record = NULL;
        Error missing = ERROR_INIT;
        ProcessRef init;
        bool empty;

        if (dir_open_at(AT_FDCWD, container->runtime_dir, &dir_fd, err) < 0 || record_load(dir_fd, &record, err) < 0 ||
            record_load_init(dir_fd, &init, err) < 0)
                return -1;
        empty = json_is_false(json_object_get(record, "process"));
        if (notify_begin(&notify, dir_fd, notify_socket, err) < 0)
                return -1;
        init_fd = process_open(&init);
        session.pid = init.pid;
        if (connect_start(dir_fd, &session.socket) < 0)
                return error_set_errno(err, errno == ENOENT || errno == ECONNREFUSED ? ERROR_INVALID_STATE : ERROR_FILE, errno,
                                       "nothing waits to be started");
        if (session_go_on(&session, err) < 0)
                return -1;
        if (session_finish(&session, record, empty ? &missing : err) < 0 && !empty) {
                (void) process_signal(&init, SIGKILL);
                return -1;
        }
        if (unlinkat(dir_fd, START_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '" START_FILE "'");
        /* The specification has it as an error, crun and the validation suite as a start: the container ends at once. */
        if (empty) {
                container_warn(container, "%s: there was nothing to start", missing.text);
                return 0;
        }
        if (poststart_run(container, record, init.pid, err) < 0) {
                (void) process_signal(&init, SIGKILL);
                return -1;
        }
        if (started)
                started(userdata);
        notify_await(&notify, init_fd, init.pid);
        return 0;
}
