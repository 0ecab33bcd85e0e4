/* recover: undo what cut-off transactions left. */

#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "cli/command.h"

static int recover_and_print(Cli *cli, const char *id, Error *err) {
        RecoverResult *results;
        bool failed = false;
        size_t n;
        int r = 0;

        if (lifecycle_recover(&cli->lifecycle, id, &results, &n, err) < 0)
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

typedef struct RecoverOne {
        Cli *cli;
        const char *id;
} RecoverOne;

static int recover_one(void *userdata, Error *err) {
        RecoverOne *one = userdata;

        if (lifecycle_enter(&one->cli->lifecycle, one->id, err) < 0 || recover_and_print(one->cli, one->id, err) < 0)
                return -1;
        return output_flush(&one->cli->out, err);
}

/* A container of a user without privileges has namespaces of its own. What is left then is the store's: any that are the user's will do. */
static int recover_as_user(Cli *cli, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        bool failed = false;

        if (lifecycle_match(&cli->lifecycle, "", &ids, err) < 0)
                return -1;
        for (char **id = ids; id && *id; id++) {
                Error mine = ERROR_INIT;

                if (process_call(recover_one, &(RecoverOne) { cli, *id }, &mine) == 0)
                        continue;
                failed = true;
                report_error(&cli->report, &mine);
        }
        if (failed)
                return error_set(err, ERROR_INVALID_STATE, "not all could be recovered");
        if (access(cli->store, F_OK) < 0)
                return 0;
        return lifecycle_enter(&cli->lifecycle, NULL, err) < 0 ? -1 : recover_and_print(cli, NULL, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        if (geteuid() == 0)
                return recover_and_print(cli, call->n_operands ? call->operands[0] : NULL, err);
        return call->n_operands ? recover_one(&(RecoverOne) { cli, call->operands[0] }, err) : recover_as_user(cli, err);
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
