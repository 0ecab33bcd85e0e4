/* crun and runc as backends. */

#include "backends/control.h"
#include "backends/oci-cli/oci-cli.h"
#include "backends/rows.h"

#define OCI_CLI_FUNCTIONS                   \
        .probe = oci_cli_probe,             \
        .create = oci_cli_create,           \
        .start = oci_cli_start,             \
        .kill = control_kill,               \
        .delete = oci_cli_delete,           \
        .state = oci_cli_state,             \
        .run = oci_cli_run,                 \
        .exec = oci_cli_exec,               \
        .pause = control_pause,             \
        .resume = control_resume,           \
        .update = oci_cli_update,           \
        .stats = control_stats,             \
        .features = oci_cli_features,       \
        .checkpoint = oci_cli_checkpoint,   \
        .restore = oci_cli_create

const Backend backend_crun = {
        .name = "crun",
        .summary = "hand the bundle to the crun program",
        .capabilities = BACKEND_RUNS_HOOKS | BACKEND_PAUSES_AGAIN | BACKEND_OTHER_CONFIG,
        .driver_data =
                &(const OciCliRow) {
                        .program = "crun",
                        .other = "runc",
                        .refuses_hybrid = true,
                        .cgroup_manager = true,
                        .update_takes_all = true,
                        .start_writes_fifo = true,
                        .exec_env_replaces = true,
                },
        OCI_CLI_FUNCTIONS,
};

const Backend backend_runc = {
        .name = "runc",
        .summary = "hand the bundle to the runc program",
        .capabilities = BACKEND_RUNS_HOOKS,
        .driver_data =
                &(const OciCliRow) {
                        .program = "runc",
                        .other = "crun",
                        .exec_additional_gids = true,
                        .exec_ignore_paused = true,
                },
        OCI_CLI_FUNCTIONS,
};
