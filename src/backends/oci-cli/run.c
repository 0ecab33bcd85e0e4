/* run in the foreground: create, start, wait and delete by one process of the runtime. */

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/fs.h"

/*
 * The pid file is looked for at this pace until it is there, in the ten or so milliseconds that a runtime needs. Not by inotify: closing
 * a watch waits for a grace period of the kernel, which costs as much as the container's whole start.
 */
#define PID_FILE_POLL_MS 2

typedef int (*Published)(void *userdata, pid_t init, Error *err);

/* A runtime at work, and what is to be done meanwhile. */
typedef struct Supervision {
        const Command *command;
        const Foreground *foreground;
        int dir_fd;   /* runtime_dir */
        Published published;
        void *userdata;
} Supervision;

/* Calls @published once the pid file is there. 1: called; 0: not yet; -1: it failed. */
static int try_publish(const Supervision *s, Error *err) {
        Error local = ERROR_INIT;
        pid_t init;

        if (pid_file_read(s->command->container, s->dir_fd, &init, &local) < 0) {
                if (local.errnum == ENOENT)
                        return 0;
                if (err)
                        *err = local;
                return -1;
        }
        return s->published(s->userdata, init, err) < 0 ? -1 : 1;
}

/* Waits for the runtime, publishing and passing signals on meanwhile. */
static int supervise(const Supervision *s, int *ret_status, Error *err) {
        int state = 0; /* of try_publish() */

        for (;;) {
                struct pollfd fds[] = {
                        { .fd = s->command->pidfd, .events = POLLIN },
                        /* A signal that comes too early waits: before it has made the container a runtime would just die of it. */
                        { .fd = state == 0 ? -EBADF : s->foreground->signal_fd, .events = POLLIN },
                };
                bool ended;

                if (poll(fds, ARRAY_SIZE(fds), state == 0 ? PID_FILE_POLL_MS : -1) < 0 && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for %s", s->command->container->backend->name);
                ended = fds[0].revents != 0;
                if (state == 0) {
                        state = try_publish(s, err);
                        /* The runtime then sees its container killed, and deletes it; if even that fails, the caller deletes. */
                        if (state < 0 && !ended && leftovers_kill(s->dir_fd, NULL) < 0)
                                (void) kill(s->command->pid, SIGKILL);
                }
                if (fds[1].revents)
                        (void) foreground_forward(s->foreground, s->command->pidfd);
                if (ended)
                        break;
        }
        if (process_wait(s->command->pid, ret_status, state < 0 ? NULL : err) < 0)
                return -1;
        return state < 0 ? -1 : 0;
}

static int run(const BackendContainer *container, int dir_fd, const BackendCreate *request, Published published, void *userdata,
               int *ret_status, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;
        _cleanup_foreground_ Foreground foreground = FOREGROUND_INIT;
        Supervision supervision;
        int status, work_fd;

        if (command_init(&command, container, request->restore ? "restore" : "run", request->preserve_fds, request->listen_fds, err) < 0 ||
            leftovers_note(container, request, dir_fd, &work_fd, err) < 0 || command_hold(&command, work_fd, err) < 0 ||
            (request->no_subreaper && command_add(&command, "--no-subreaper", NULL, err) < 0) ||
            create_add_options(&command, request, err) < 0)
                return -1;
        if (foreground_begin(&foreground, err) < 0 ||
            command_spawn(&command, request->stdin_fd, request->stdout_fd, request->stderr_fd, err) < 0)
                return -1;
        supervision = (Supervision) {
                .command = &command,
                .foreground = &foreground,
                .dir_fd = dir_fd,
                .published = published,
                .userdata = userdata,
        };
        if (supervise(&supervision, &status, err) < 0)
                return -1;
        if (WIFSIGNALED(status) || (status != 0 && command_said_error(&command)))
                return command_failed(&command, status, err);
        *ret_status = exit_code_of(status);
        return 0;
}

int oci_cli_run(const BackendContainer *container, const BackendCreate *request, Published published, void *userdata, int *ret_status,
                Error *err) {
        _cleanup_close_ int dir_fd = -EBADF;

        if (request->restore && criu_check(container, err) < 0)
                return -1;
        if (dir_open_at(AT_FDCWD, container->runtime_dir, &dir_fd, err) < 0)
                return -1;
        if (run(container, dir_fd, request, published, userdata, ret_status, err) < 0) {
                (void) delete_at(container, dir_fd, true, NULL);
                return -1;
        }
        return leftovers_remove(container, dir_fd, err);
}
