/* Starting crun and runc: their command line, descriptors, and the place for their words. */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

/* @fd, which is closed here when it must move, above the descriptors that go on to the container. */
static int move_up(const Command *command, int fd, int *ret_fd, Error *err) {
        int moved;

        if (fd < 3 + command->n_preserve_fds) {
                moved = fcntl(fd, F_DUPFD_CLOEXEC, 3 + command->n_preserve_fds);
                close_keep_errno(fd);
                if (moved < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "duplicate a descriptor");
                fd = moved;
        }
        *ret_fd = fd;
        return 0;
}

static int open_memory(const Command *command, const char *name, int *ret_fd, Error *err) {
        int fd = memfd_create(name, MFD_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a memory file");
        return move_up(command, fd, ret_fd, err);
}

/* With --debug the log is a file that stays, for people; else it lives in memory. */
static int open_log(Command *command, Error *err) {
        _cleanup_free_ char *path = NULL;
        int fd;

        if (!command->container->debug)
                return open_memory(command, "runtime-log", &command->log_fd, err);
        if (string_format(&path, err, "%s/%s", command->container->runtime_dir, LOG_FILE) < 0)
                return -1;
        fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        if (move_up(command, fd, &command->log_fd, err) < 0)
                return -1;
        command->log_start = lseek(command->log_fd, 0, SEEK_END);
        return 0;
}

/* Of the other commands no runtime needs to know CRIU: those that find it themselves have no such option. */
static bool is_about_criu(const char *verb) {
        return !strcmp(verb, "checkpoint") || !strcmp(verb, "restore");
}

int command_init(Command *command, const BackendContainer *container, const char *verb, int preserve_fds, int listen_fds, Error *err) {
        const OciCliRow *row = container->backend->driver_data;
        char path[FD_PATH_MAX];

        command->container = container;
        command->verb = verb;
        command->n_preserve_fds = preserve_fds + listen_fds;
        command->n_listen_fds = listen_fds;
        if (container->no_cgroups && !row->cgroup_manager) {
                error_set(err, ERROR_NOT_SUPPORTED, "%s has no --cgroup-manager disabled", container->backend->name);
                return error_hint(err, "choose --runtime %s, or another --cgroup-manager", row->other);
        }
        /* crun 1.8.1 that is given --rootless, whatever the value, leaves nothing in its --root: the container would not be found. */
        if (container->rootless && !strcmp(container->rootless, "true") && row->cgroup_manager)
                return error_set(err, ERROR_NOT_SUPPORTED, "--rootless true: %s finds out by itself", container->backend->name);
        if (open_log(command, err) < 0)
                return -1;
        if (command_add(command, container->program ?: row->program, NULL, err) < 0 ||
            command_add(command, "--root", container->runtime_dir, err) < 0 ||
            command_add(command, "--log", fd_path(command->log_fd, path), err) < 0 ||
            command_add(command, "--log-format", "json", err) < 0)
                return -1;
        if ((container->systemd_cgroup && command_add(command, "--systemd-cgroup", NULL, err) < 0) ||
            (container->debug && command_add(command, "--debug", NULL, err) < 0) ||
            (container->rootless && !row->cgroup_manager && command_add(command, "--rootless", container->rootless, err) < 0) ||
            (container->no_cgroups && command_add(command, "--cgroup-manager", "disabled", err) < 0) ||
            (container->criu && is_about_criu(verb) && command_add(command, "--criu", container->criu, err) < 0))
                return -1;
        return command_add(command, verb, NULL, err);
}

void command_free(Command *command) {
        close_keep_errno(command->log_fd);
        close_keep_errno(command->output_fd);
        close_keep_errno(command->extra_fd);
        close_keep_errno(command->work_fd);
        close_keep_errno(command->pidfd);
        strv_free(command->argv);
        *command = COMMAND_INIT;
}

int command_add(Command *command, const char *argument, const char *value, Error *err) {
        if (strv_push(&command->argv, argument, err) < 0 || (value && strv_push(&command->argv, value, err) < 0))
                return -1;
        return 0;
}

int command_add_container(Command *command, Error *err) {
        /* "--": an id may begin with a dash */
        return command_add(command, "--", command->container->id, err);
}

int command_add_data(Command *command, const char *option, const json_t *json, Error *err) {
        _cleanup_free_ char *text = NULL;
        char path[FD_PATH_MAX];

        if (json_print(json, &text, err) < 0 || open_memory(command, "runtime-data", &command->extra_fd, err) < 0)
                return -1;
        if (fd_write_all(command->extra_fd, text, strlen(text), err) < 0)
                return error_prefix(err, "memory file");
        return command_add(command, option, fd_path(command->extra_fd, path), err);
}

int command_hold(Command *command, int work_fd, Error *err) {
        return move_up(command, work_fd, &command->work_fd, err);
}

int command_spawn(Command *command, int stdin_fd, int stdout_fd, int stderr_fd, Error *err) {
        int keep[4] = { command->log_fd };
        size_t n_keep = 1;

        if (command->extra_fd >= 0)
                keep[n_keep++] = command->extra_fd;
        if (command->status_fd >= 0)
                keep[n_keep++] = command->status_fd;
        if (command->work_fd >= 0)
                keep[n_keep++] = command->work_fd;

        const Spawn spawn = {
                .argv = (const char *const *) command->argv,
                .stdin_fd = stdin_fd,
                .stdout_fd = stdout_fd,
                .stderr_fd = stderr_fd,
                .keep_fds = keep,
                .n_keep_fds = n_keep,
                .n_preserve_fds = command->n_preserve_fds,
                .listen_fds = command->n_listen_fds,
                .parent_death_signal = SIGKILL,
        };

        if (process_spawn(&spawn, &command->pid, &command->pidfd, err) == 0) {
                /* From now on it is held by who is at work, alone. */
                close_keep_errno(command->work_fd);
                command->work_fd = -EBADF;
                return 0;
        }
        if (err && err->kind == ERROR_RUNTIME_NOT_AVAILABLE) {
                const OciCliRow *row = command->container->backend->driver_data;

                return error_hint(err, "install %s, or choose --runtime %s", row->program, row->other);
        }
        return -1;
}

int command_run(Command *command, Error *err) {
        int status;

        if (open_memory(command, "runtime-output", &command->output_fd, err) < 0 ||
            command_spawn(command, -1, command->output_fd, command->output_fd, err) < 0 || process_wait(command->pid, &status, err) < 0)
                return -1;
        return status == 0 ? 0 : command_failed(command, status, err);
}
