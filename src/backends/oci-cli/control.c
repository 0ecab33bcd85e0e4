/* state: by the processes and the runtime's files, without starting it; crun and runc read the same. update: by the runtime. */

#include <sys/stat.h>

#include "backends/control.h"
#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "runtime/cgroup.h"

int oci_cli_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err) {
        _cleanup_free_ char *fifo = NULL;
        struct stat st;
        bool frozen;

        if (!process_is_alive(&state->init)) {
                *ret = STATUS_STOPPED;
                return 0;
        }
        if (cgroup_is_frozen(state->cgroups, &frozen, err) < 0)
                return -1;
        /* Init waits on this fifo; both runtimes remove it when they start the container. */
        if (string_format(&fifo, err, "%s/%s/exec.fifo", container->runtime_dir, container->id) < 0)
                return -1;
        *ret = frozen ? STATUS_PAUSED : lstat(fifo, &st) == 0 ? STATUS_CREATED : STATUS_RUNNING;
        return 0;
}

int oci_cli_update(const BackendContainer *container, const State *state, const json_t *resources, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;

        if (!process_is_alive(&state->init))
                return control_not_running(err);
        if (command_init(&command, container, "update", 0, err) < 0 || command_add_data(&command, "--resources", resources, err) < 0 ||
            command_add_container(&command, err) < 0)
                return -1;
        return command_run(&command, err);
}
