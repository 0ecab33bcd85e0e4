/* create and start. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/runtime-spec.h"

#define PID_TEXT_MAX 32 /* bytes */

int pid_file_read(const BackendContainer *container, int dir_fd, pid_t *ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        char *end;
        long pid;

        if (file_read_at(dir_fd, PID_FILE, PID_TEXT_MAX, &text, NULL, err) < 0)
                return -1;
        /* crun opens, then writes it: empty is not there yet. */
        pid = strtol(text, &end, 10);
        if (end == text)
                return error_set_errno(err, ERROR_FILE, ENOENT, "'%s/%s' is empty", container->runtime_dir, PID_FILE);
        if (pid <= 0 || pid > INT32_MAX)
                return error_set(err, ERROR_RUNTIME, "%s wrote '%s' as the pid of the container", container->backend->name, text);
        *ret = (pid_t) pid;
        return 0;
}

static int add_config(Command *command, Error *err) {
        const BackendContainer *container = command->container;
        _cleanup_free_ char *path = NULL;

        if (!strcmp(container->config_dir, container->bundle))
                return 0;
        return string_format(&path, err, "%s/" SPEC_FILE, container->config_dir) < 0 ? -1 : command_add(command, "--config", path, err);
}

int create_add_options(Command *command, const BackendCreate *request, Error *err) {
        _cleanup_free_ char *pid_file = NULL;
        char preserve_fds[16];

        if (string_format(&pid_file, err, "%s/%s", command->container->runtime_dir, PID_FILE) < 0 ||
            command_add(command, "--bundle", command->container->bundle, err) < 0 || add_config(command, err) < 0 ||
            command_add(command, "--pid-file", pid_file, err) < 0)
                return -1;
        if ((request->console_socket && command_add(command, "--console-socket", request->console_socket, err) < 0) ||
            (request->no_pivot && command_add(command, "--no-pivot", NULL, err) < 0) ||
            (request->no_new_keyring && command_add(command, "--no-new-keyring", NULL, err) < 0) ||
            (request->restore && restore_add_options(command, request->restore, err) < 0))
                return -1;
        if (request->preserve_fds > 0) {
                snprintf(preserve_fds, sizeof(preserve_fds), "%d", request->preserve_fds);
                if (command_add(command, "--preserve-fds", preserve_fds, err) < 0)
                        return -1;
        }
        return command_add_container(command, err);
}

/* create, or a restore that leaves the container running */
static int create(const BackendContainer *container, int dir_fd, const BackendCreate *request, pid_t *ret_init, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;
        int status, work_fd;
        const char *verb = request->restore ? "restore" : "create";

        if (command_init(&command, container, verb, request->preserve_fds, request->listen_fds, err) < 0 ||
            leftovers_note(container, request, dir_fd, &work_fd, err) < 0 || command_hold(&command, work_fd, err) < 0 ||
            (request->restore && command_add(&command, "--detach", NULL, err) < 0) || create_add_options(&command, request, err) < 0 ||
            command_spawn(&command, request->stdin_fd, request->stdout_fd, request->stderr_fd, err) < 0 ||
            process_wait(command.pid, &status, err) < 0)
                return -1;
        if (status != 0)
                return command_failed(&command, status, err);
        return pid_file_read(container, dir_fd, ret_init, err);
}

int oci_cli_create(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err) {
        _cleanup_close_ int dir_fd = -EBADF;

        if (request->restore && criu_check(container, err) < 0)
                return -1;
        if (dir_open_at(AT_FDCWD, container->runtime_dir, &dir_fd, err) < 0)
                return -1;
        if (create(container, dir_fd, request, ret_init, err) < 0) {
                (void) delete_at(container, dir_fd, true, NULL);
                return -1;
        }
        return 0;
}

/*
 * What crun's `start` comes to when there is no hook to run and nobody to notify: its own start costs several times as much. False when it
 * did not go so: nobody reads the fifo, say, because this crun does it otherwise. Source: crun's status.c, libcrun_status_write_exec_fifo()
 */
static bool start_by_fifo(const BackendContainer *container) {
        _cleanup_close_ int dir_fd = open(container->runtime_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -EBADF;
        char path[PATH_MAX];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/" START_FIFO, container->id);
        if (dir_fd < 0 || getenv("NOTIFY_SOCKET") || !leftovers_has_mark(dir_fd, PLAIN_START))
                return false;
        fd = openat(dir_fd, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) || unlinkat(dir_fd, path, 0) < 0)
                return false;
        return write(fd, "", 1) == 1;
}

int oci_cli_start(const BackendContainer *container, Error *err) {
        const OciCliRow *row = container->backend->driver_data;
        _cleanup_command_ Command command = COMMAND_INIT;

        if (row->start_writes_fifo && start_by_fifo(container))
                return 0;
        if (command_init(&command, container, "start", 0, 0, err) < 0 || command_add_container(&command, err) < 0)
                return -1;
        return command_run(&command, err);
}
