/* ps: a container's processes: their pids, or what ps(1) says of them. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/process.h"
#include "cli/command.h"

#define PS_OUTPUT_MAX (64u << 20) /* bytes ps may print; this program's own cap: every process of the host is listed */

typedef struct PsArgs {
        const char *format;
} PsArgs;

static const Option ps_options[] = {
        OPT_STRING('f', "format", PsArgs, format, "table|json", "what ps(1) prints, or an array of pids"),
        OPT_END
};

static int print_pids(Cli *cli, const pid_t *pids, size_t n, Error *err) {
        _cleanup_json_ json_t *array = json_array();
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(array, json_integer(pids[i])) < 0)
                        return error_oom(err);
        if (json_print(array, &text, err) < 0)
                return -1;
        return output_printf(&cli->out, err, "%s\n", text);
}

/* What ps prints, with the options of the user. */
static int run_ps(char *const *options, char **ret, Error *err) {
        static const char *const usual[] = { "ps", "-ef", NULL };
        _cleanup_free_ const char **argv = NULL;
        _cleanup_close_ int pipe_read = -EBADF;
        int ends[2], status;
        pid_t pid;
        char *text;

        if (*options) {
                size_t n = strv_length(options);

                argv = calloc(n + 2, sizeof(char *));
                if (!argv)
                        return error_oom(err);
                argv[0] = "ps";
                memcpy(argv + 1, options, n * sizeof(char *));
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        pipe_read = ends[0];

        const Spawn spawn = { .argv = argv ?: usual, .stdin_fd = -1, .stdout_fd = ends[1], .stderr_fd = SPAWN_INHERIT };
        int r = process_spawn(&spawn, &pid, NULL, err);

        close_keep_errno(ends[1]);
        if (r < 0)
                return error_hint(err, "install procps, or use --format json");
        r = file_read_fd(pipe_read, "output of ps", PS_OUTPUT_MAX, &text, NULL, err);
        close_keep_errno(TAKE_FD(pipe_read));
        if (process_wait(pid, &status, r < 0 ? NULL : err) < 0 || r < 0)
                return -1;
        if (exit_code_of(status) != 0) {
                free(text);
                return error_set(err, ERROR_INVALID_ARGUMENT, "ps failed with exit code %d", exit_code_of(status));
        }
        *ret = text;
        return 0;
}

/* Which column of ps's heading is PID, counted from 0; -1 for none. */
static int pid_column(const char *heading) {
        int column = 0;

        for (heading += strspn(heading, " "); *heading && *heading != '\n'; column++) {
                size_t len = strcspn(heading, " \n");

                if (len == 3 && !strncmp(heading, "PID", 3))
                        return column;
                heading += len;
                heading += strspn(heading, " ");
        }
        return -1;
}

static pid_t pid_of_line(const char *line, int column) {
        for (line += strspn(line, " "); column > 0; column--) {
                line += strcspn(line, " \n");
                line += strspn(line, " ");
        }
        return (pid_t) strtol(line, NULL, 10);
}

static bool contains(const pid_t *pids, size_t n, pid_t pid) {
        for (size_t i = 0; i < n; i++)
                if (pids[i] == pid)
                        return true;
        return false;
}

static int print_table(Cli *cli, const pid_t *pids, size_t n, char *const *options, Error *err) {
        _cleanup_free_ char *text = NULL;
        int column;

        if (run_ps(options, &text, err) < 0)
                return -1;
        column = pid_column(text);
        if (column < 0) {
                error_set(err, ERROR_INVALID_ARGUMENT, "what ps printed has no column PID");
                return error_hint(err, "with -o, name pid too");
        }
        for (const char *line = text; *line;) {
                size_t len = strcspn(line, "\n");

                if ((line == text || contains(pids, n, pid_of_line(line, column))) &&
                    output_printf(&cli->out, err, "%.*s\n", (int) len, line) < 0)
                        return -1;
                line += len + (line[len] == '\n');
        }
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        const PsArgs *args = call->args;
        _cleanup_free_ pid_t *pids = NULL;
        size_t n;

        if (lifecycle_ps(&cli->lifecycle, call->operands[0], &pids, &n, err) < 0)
                return -1;
        if (args->format && args->format[0] == 'j')
                return print_pids(cli, pids, n, err);
        return print_table(cli, pids, n, call->operands + 1, err);
}

const Command cmd_ps = {
        .name = "ps",
        .group = COMMANDS_LOOK,
        .summary = "show the processes of a container",
        .operands = "ID [PS-OPTION...]",
        .description = "What follows the ID goes to ps(1); -ef when nothing does.",
        .examples = "proxmox-lxcri ps web\nproxmox-lxcri ps --format json web\nproxmox-lxcri ps web -o pid,rss,args -A",
        .flags = COMMAND_OPERANDS_END | COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { ps_options, NULL },
        .args_size = sizeof(PsArgs),
        .run = run,
};
