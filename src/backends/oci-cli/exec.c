/* exec: one more process in a running container. */

#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

/* "@option VALUE" for each value of a list. */
static int add_list(Command *command, const char *option, char *const *values, Error *err) {
        for (; values && *values; values++)
                if (command_add(command, option, *values, err) < 0)
                        return -1;
        return 0;
}

/* What runc does by itself: --env adds to the container's own environment; a later value of a name wins. */
static int add_container_env(Command *command, Error *err) {
        _cleanup_json_ json_t *config = NULL;
        json_t *env, *one;
        size_t i;

        if (spec_load_bundle(command->container->config_dir, &config, err) < 0)
                return -1;
        env = json_object_get(json_object_get(config, "process"), "env");
        json_array_foreach(env, i, one)
                if (command_add(command, "--env", json_string_value(one), err) < 0)
                        return -1;
        return 0;
}

static int add_options(Command *command, const BackendExec *request, Error *err) {
        const struct {
                const char *option, *value;
        } values[] = {
                { "--cwd", request->cwd },
                { "--user", request->user },
                { "--console-socket", request->console_socket },
                { "--pid-file", request->pid_file },
                { "--apparmor", request->apparmor },
                { "--process-label", request->process_label },
                { "--cgroup", request->cgroup },
                { "--process", request->process ? NULL : request->process_file },
        };
        const struct {
                const char *option;
                bool wanted;
        } flags[] = {
                { "--tty", request->tty },
                { "--detach", request->detach },
                { "--no-new-privs", request->no_new_privs },
                { "--ignore-paused", request->ignore_paused },
        };
        const OciCliRow *row = command->container->backend->driver_data;
        char preserve_fds[16];

        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                if (values[i].value && command_add(command, values[i].option, values[i].value, err) < 0)
                        return -1;
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (flags[i].wanted && command_add(command, flags[i].option, NULL, err) < 0)
                        return -1;
        if (request->preserve_fds > 0) {
                snprintf(preserve_fds, sizeof(preserve_fds), "%d", request->preserve_fds);
                if (command_add(command, "--preserve-fds", preserve_fds, err) < 0)
                        return -1;
        }
        if (request->process && command_add_data(command, "--process", request->process, err) < 0)
                return -1;
        if (request->env && request->env[0] && row->exec_env_replaces && add_container_env(command, err) < 0)
                return -1;
        if (add_list(command, "--env", request->env, err) < 0 || add_list(command, "--cap", request->caps, err) < 0 ||
            add_list(command, "--additional-gids", request->additional_gids, err) < 0 || command_add_container(command, err) < 0)
                return -1;
        for (char *const *arg = request->process || request->process_file ? NULL : request->args; arg && *arg; arg++)
                if (command_add(command, *arg, NULL, err) < 0)
                        return -1;
        return 0;
}

int oci_cli_exec(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err) {
        const OciCliRow *row = container->backend->driver_data;
        _cleanup_command_ Command command = COMMAND_INIT;
        _cleanup_foreground_ Foreground foreground = FOREGROUND_INIT;
        int status;

        if (request->additional_gids && request->additional_gids[0] && !row->exec_additional_gids) {
                error_set(err, ERROR_NOT_SUPPORTED, "exec of %s has no --additional-gids", container->backend->name);
                return error_hint(err, "name the groups in user.additionalGids of a process file: exec --process FILE");
        }
        if (request->ignore_paused && !row->exec_ignore_paused)
                return error_set(err, ERROR_NOT_SUPPORTED, "exec of %s has no --ignore-paused", container->backend->name);
        if (!process_is_alive(&state->init))
                return error_set(err, ERROR_INVALID_STATE, "cannot exec in a container that is not running");
        if (command_init(&command, container, "exec", request->preserve_fds, request->listen_fds, err) < 0 ||
            add_options(&command, request, err) < 0 ||
            foreground_begin(&foreground, err) < 0 || command_spawn(&command, SPAWN_INHERIT, SPAWN_INHERIT, SPAWN_INHERIT, err) < 0)
                return -1;
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = command.pidfd, .events = POLLIN },
                        { .fd = foreground.signal_fd, .events = POLLIN },
                };

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for %s", container->backend->name);
                if (fds[1].revents)
                        (void) foreground_forward(&foreground, command.pidfd);
                if (fds[0].revents)
                        break;
        }
        if (process_wait(command.pid, &status, err) < 0)
                return -1;
        if (WIFSIGNALED(status) || (status != 0 && command_said_error(&command)))
                return command_failed(&command, status, err);
        *ret_status = exit_code_of(status);
        return 0;
}
