/* exec: one more process in a running container. */

#include "base/cleanup.h"
#include "base/process.h"
#include "cli/container-options.h"

typedef struct ExecArgs {
        const char *cwd, *user, *process, *console_socket, *pid_file, *apparmor, *process_label, *cgroup;
        char **env, **caps, **groups;
        bool tty, detach, no_new_privs, ignore_paused;
        int64_t preserve_fds;
} ExecArgs;

static const Option exec_options[] = {
        OPT_STRING(0, "cwd", ExecArgs, cwd, "PATH", "working directory, a path in the container"),
        OPT_LIST('e', "env", ExecArgs, env, "NAME=VALUE", "set a variable"),
        OPT_FLAG('t', "tty", ExecArgs, tty, "give the process a terminal"),
        OPT_STRING('u', "user", ExecArgs, user, "UID[:GID]", "who it runs as"),
        OPT_LIST('g', "additional-gids", ExecArgs, groups, "GID", "a further group"),
        OPT_STRING('p', "process", ExecArgs, process, "FILE", "take all of it from FILE, a process object of the runtime spec"),
        OPT_FLAG('d', "detach", ExecArgs, detach, "do not wait for it"),
        OPT_STRING(0, "pid-file", ExecArgs, pid_file, "FILE", "write its pid to FILE"),
        OPT_STRING(0, "console-socket", ExecArgs, console_socket, "SOCKET", "hand the terminal's other end to who listens at SOCKET"),
        OPT_STRING(0, "process-label", ExecArgs, process_label, "LABEL", "its SELinux label"),
        OPT_STRING(0, "apparmor", ExecArgs, apparmor, "PROFILE", "its AppArmor profile"),
        OPT_FLAG(0, "no-new-privs", ExecArgs, no_new_privs, "it can't gain privileges"),
        OPT_FLAG(0, "ignore-paused", ExecArgs, ignore_paused, "in a paused container too: it waits until that is resumed (runc)"),
        OPT_LIST('c', "cap", ExecArgs, caps, "CAPABILITY", "give it a capability"),
        OPT_INTEGER(0, "preserve-fds", ExecArgs, preserve_fds, "N", 0, PRESERVE_FDS_MAX, "hand N descriptors, from 3 on, to it"),
        OPT_STRING(0, "cgroup", ExecArgs, cgroup, "PATH", "run it in this cgroup below the container's"),
        OPT_END
};

static void clear(void *arguments) {
        ExecArgs *args = arguments;

        strv_free(args->env);
        strv_free(args->caps);
        strv_free(args->groups);
}

static int exec(Cli *cli, const Call *call, Error *err) {
        const ExecArgs *args = call->args;

        if (args->process && call->n_operands > 1)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--process and a command ('%s') exclude each other", call->operands[1]);
        if (!args->process && call->n_operands < 2) {
                error_set(err, ERROR_INVALID_ARGUMENT, "no command for '%s'", call->operands[0]);
                return error_hint(err, "for example 'proxmox-lxcri exec %s sh'", call->operands[0]);
        }
        if (descriptors_check(args->preserve_fds, err) < 0)
                return -1;

        const BackendExec request = {
                .process_file = args->process,
                .args = args->process ? NULL : call->operands + 1,
                .cwd = args->cwd,
                .user = args->user,
                .console_socket = args->console_socket,
                .pid_file = args->pid_file,
                .apparmor = args->apparmor,
                .process_label = args->process_label,
                .cgroup = args->cgroup,
                .env = args->env,
                .caps = args->caps,
                .additional_gids = args->groups,
                .tty = args->tty,
                .detach = args->detach,
                .no_new_privs = args->no_new_privs,
                .ignore_paused = args->ignore_paused,
                .preserve_fds = (int) args->preserve_fds,
                .listen_fds = process_listen_fds(),
        };
        return lifecycle_exec(&cli->lifecycle, call->operands[0], &request, &cli->exit_code, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        if (exec(cli, call, err) == 0)
                return 0;
        /* A process that ran may well have ended with 1. */
        err->exit_code = err->exit_code ?: EXIT_CODE_NOT_EXECUTED;
        return -1;
}

const Command cmd_exec = {
        .name = "exec",
        .group = COMMANDS_LIFE,
        .summary = "run one more process in a container",
        .operands = "ID COMMAND [ARG...]",
        .description = "It exits with the exit code of that process. Options stand before the ID: what follows it is the command.",
        .examples = "proxmox-lxcri exec web cat /etc/hostname\n"
                    "proxmox-lxcri exec -t web sh                 # with a terminal\n"
                    "proxmox-lxcri exec --process process.json web",
        .flags = COMMAND_OPERANDS_END | COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { exec_options, NULL },
        .args_size = sizeof(ExecArgs),
        .clear = clear,
        .run = run,
};
