/* recover: undo what cut-off transactions left. */

#include "cli/command.h"

static int run(Cli *cli, const Call *call, Error *err) {
        RecoverResult *results;
        bool failed = false;
        size_t n;
        int r = 0;

        if (lifecycle_recover(&cli->lifecycle, call->n_operands ? call->operands[0] : NULL, &results, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                if (results[i].done) {
                        r |= output_printf(&cli->out, NULL, "%s: %s\n", results[i].id, results[i].done);
                        continue;
                }
                /* The last one is reported by who called us. */
                if (failed)
                        report_error(&cli->report, err);
                failed = true;
                *err = results[i].error;
        }
        recover_results_free(results, n);
        if (r < 0)
                return error_oom(err);
        return failed ? -1 : 0;
}

const Command cmd_recover = {
        .name = "recover",
        .group = COMMANDS_SETUP,
        .summary = "undo what interrupted commands left behind",
        .operands = "[ID]",
        .description = "A command that was killed in the middle is undone by the next command on that container, or for all of them by "
                       "this one. What is complete, and what somebody is just working on, is left alone.",
        .examples = "proxmox-lxcri recover",
        .max_operands = 1,
        .run = run,
};
