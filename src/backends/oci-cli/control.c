/* state: by the processes and the runtime's files, without starting it; crun and runc read the same. */

#include <sys/stat.h>

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
        if (string_format(&fifo, err, "%s/%s/" START_FIFO, container->runtime_dir, container->id) < 0)
                return -1;
        *ret = frozen ? STATUS_PAUSED : lstat(fifo, &st) == 0 ? STATUS_CREATED : STATUS_RUNNING;
        return 0;
}
