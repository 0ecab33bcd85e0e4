/* logs: what a detached container wrote. */

#include <unistd.h>

#include "cli/command.h"

typedef struct LogsArgs {
        bool follow, timestamps;
        int64_t tail;
        const char *since, *until;
} LogsArgs;

static const Option logs_options[] = {
        OPT_FLAG('f', "follow", LogsArgs, follow, "go on until the container has ended"),
        OPT_INTEGER('n', "tail", LogsArgs, tail, "N", 0, INT64_MAX, "only the last N lines"),
        OPT_STRING(0, "since", LogsArgs, since, "TIME", "only what is newer: RFC 3339, or a duration such as 10m"),
        OPT_STRING(0, "until", LogsArgs, until, "TIME", "only what is older"),
        OPT_FLAG('t', "timestamps", LogsArgs, timestamps, "show when each line was written"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const LogsArgs *args = call->args;
        LogRequest request = {
                .follow = args->follow,
                .timestamps = args->timestamps,
                .tail = args->tail,
                .since = args->since,
                .until = args->until,
        };

        if (cli->out.missing)
                return error_set_errno(err, ERROR_FILE, EBADF, "no standard output");
        return lifecycle_logs(&cli->lifecycle, call->operands[0], &request, STDOUT_FILENO, STDERR_FILENO, err);
}

const Command cmd_logs = {
        .name = "logs",
        .group = COMMANDS_LOOK,
        .summary = "print what a detached container wrote",
        .operands = "ID",
        .description = "Standard output goes to standard output, standard error to standard error, as it was.",
        .examples = "proxmox-lxcri logs -f web\nproxmox-lxcri logs --since 10m --tail 100 web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { logs_options, NULL },
        .args_size = sizeof(LogsArgs),
        .defaults = &(const LogsArgs) { .tail = -1 },
        .run = run,
};
