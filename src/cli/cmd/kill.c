/* kill: signal a container's first process, or all of them. */

#include <signal.h>
#include <string.h>

#include "base/signals.h"
#include "cli/command.h"

typedef struct KillArgs {
        bool all;
        const char *signal;
} KillArgs;

static const Option kill_options[] = {
        OPT_FLAG('a', "all", KillArgs, all, "signal every process of the container, not only the first"),
        OPT_STRING('s', "signal", KillArgs, signal, "SIGNAL", "name or number; TERM unless given"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        const KillArgs *args = call->args;
        const char *text = call->n_operands > 1 ? call->operands[1] : args->signal;
        int signal = SIGTERM;

        if (call->n_operands > 1 && args->signal)
                return error_set(err, ERROR_INVALID_ARGUMENT, "two signals: '%s' and '%s'", args->signal, call->operands[1]);
        if (text && !strcmp(text, "0"))
                signal = 0;
        else if (text && signal_parse(text, &signal, err) < 0)
                return -1;
        return lifecycle_kill(&cli->lifecycle, call->operands[0], signal, args->all, err);
}

const Command cmd_kill = {
        .name = "kill",
        .group = COMMANDS_LIFE,
        .summary = "send a signal to a container",
        .operands = "ID [SIGNAL]",
        .description = "SIGNAL is a name with or without SIG, a number, or RTMIN+N. 0 sends nothing: it asks whether the process is there.",
        .examples = "proxmox-lxcri kill web            # TERM\nproxmox-lxcri kill web HUP\nproxmox-lxcri kill --all web KILL",
        .min_operands = 1,
        .max_operands = 2,
        .options = (const Option *const[]) { kill_options, NULL },
        .args_size = sizeof(KillArgs),
        .run = run,
};
