/* kill: signal a container's first process, or all of them. */

#include <signal.h>
#include <string.h>

#include "base/signals.h"
#include "cli/command.h"

typedef struct KillArgs {
        bool all, regex;
        const char *signal;
        int number; /* what it means */
} KillArgs;

static const Option kill_options[] = {
        OPT_FLAG('a', "all", KillArgs, all, "signal every process of the container, not only the first"),
        OPT_FLAG('r', "regex", KillArgs, regex, "ID is an extended regular expression: every container that it matches"),
        OPT_STRING('s', "signal", KillArgs, signal, "SIGNAL", "name or number; TERM unless given"),
        OPT_END
};

static int kill_one(Cli *cli, const Call *call, const char *id, Error *err) {
        const KillArgs *args = call->args;

        return lifecycle_kill(&cli->lifecycle, id, args->number, args->all, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        KillArgs *args = call->args;
        const char *text = call->n_operands > 1 ? call->operands[1] : args->signal;
        const Call ids = { .args = args, .operands = (char *const[]) { call->operands[0], NULL }, .n_operands = 1 };

        if (call->n_operands > 1 && args->signal)
                return error_set(err, ERROR_INVALID_ARGUMENT, "two signals: '%s' and '%s'", args->signal, call->operands[1]);
        args->number = SIGTERM;
        if (text && !strcmp(text, "0"))
                args->number = 0;
        else if (text && signal_parse(text, &args->number, err) < 0)
                return -1;
        return (args->regex ? command_each_match : command_each)(cli, &ids, kill_one, err);
}

const Command cmd_kill = {
        .name = "kill",
        .group = COMMANDS_LIFE,
        .summary = "send a signal to a container",
        .operands = "ID [SIGNAL]",
        .description = "SIGNAL is a name with or without SIG, a number, or RTMIN+N. 0 sends nothing: it asks whether the process is there.",
        .examples = "proxmox-lxcri kill web            # TERM\nproxmox-lxcri kill web HUP\nproxmox-lxcri kill --all web KILL",
        .flags = COMMAND_EACH_CONTAINER,
        .min_operands = 1,
        .max_operands = 2,
        .options = (const Option *const[]) { kill_options, NULL },
        .args_size = sizeof(KillArgs),
        .run = run,
};
