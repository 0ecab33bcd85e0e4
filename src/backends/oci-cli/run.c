/* run in the foreground: create, start, wait and delete by one process of the runtime. */

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"

#define PID_FILE_POLL_MS 2 /* where there is no inotify instance left (128 a user by default) */

typedef int (*Published)(void *userdata, pid_t init, Error *err);

/* Calls @published once the pid file is there. 1: called; 0: not yet; -1: it failed. */
static int try_publish(const BackendContainer *container, Published published, void *userdata, Error *err) {
        Error local = ERROR_INIT;
        pid_t init;

        if (pid_file_read(container, &init, &local) < 0) {
                if (local.errnum == ENOENT)
                        return 0;
                if (err)
                        *err = local;
                return -1;
        }
        return published(userdata, init, err) < 0 ? -1 : 1;
}

/* Kills the container of a runtime that runs, and lets the runtime delete it. */
static void abandon(const BackendContainer *container, const Command *command) {
        if (leftovers_kill(container, NULL) < 0)
                (void) kill(command->pid, SIGKILL);
}

/* Waits for the runtime, publishing and passing signals on meanwhile. Its wait status in any case but -1. */
static int supervise(const Command *command, const Foreground *foreground, int watch_fd, Published published, void *userdata, int *ret_status,
                     Error *err) {
        int state = 0; /* of try_publish() */

        for (;;) {
                struct pollfd fds[] = {
                        { .fd = command->pidfd, .events = POLLIN },
                        { .fd = state == 0 ? watch_fd : -EBADF, .events = POLLIN },
                        /* A signal that comes too early waits: before it has made the container a runtime would just die of it. */
                        { .fd = state == 0 ? -EBADF : foreground->signal_fd, .events = POLLIN },
                };
                bool ended;

                if (poll(fds, ARRAY_SIZE(fds), state == 0 && watch_fd < 0 ? PID_FILE_POLL_MS : -1) < 0 && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for %s", command->container->backend->name);
                ended = fds[0].revents != 0;
                if (state == 0) {
                        char events[4096];

                        if (fds[1].revents)
                                (void) !read(watch_fd, events, sizeof(events));
                        state = try_publish(command->container, published, userdata, err);
                        if (state < 0 && !ended)
                                abandon(command->container, command);
                }
                if (fds[2].revents)
                        foreground_forward(foreground, command);
                if (ended)
                        break;
        }
        if (process_wait(command->pid, ret_status, state < 0 ? NULL : err) < 0)
                return -1;
        return state < 0 ? -1 : 0;
}

static int run(const BackendContainer *container, const BackendCreate *request, Published published, void *userdata, int *ret_status, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;
        _cleanup_foreground_ Foreground foreground = { .signal_fd = -EBADF };
        _cleanup_close_ int watch_fd = -EBADF;
        int status;

        if (command_init(&command, container, "run", request->preserve_fds, err) < 0 || create_add_options(&command, request, err) < 0)
                return -1;
        /* crun writes the pid file in place, runc renames it into place. */
        watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch_fd >= 0 && inotify_add_watch(watch_fd, container->runtime_dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
                close_keep_errno(watch_fd);
                watch_fd = -EBADF;
        }
        if (foreground_begin(&foreground, err) < 0 || command_spawn(&command, request->stdin_fd, request->stdout_fd, request->stderr_fd, err) < 0)
                return -1;
        if (supervise(&command, &foreground, watch_fd, published, userdata, &status, err) < 0)
                return -1;
        if (WIFSIGNALED(status) || (status != 0 && command_said_error(&command)))
                return command_failed(&command, status, err);
        *ret_status = exit_code_of(status);
        return 0;
}

int oci_cli_run(const BackendContainer *container, const BackendCreate *request, Published published, void *userdata, int *ret_status, Error *err) {
        if (leftovers_note(container, err) < 0)
                return -1;
        if (run(container, request, published, userdata, ret_status, err) < 0) {
                (void) oci_cli_delete(container, true, NULL);
                return -1;
        }
        return leftovers_remove(container, err);
}
