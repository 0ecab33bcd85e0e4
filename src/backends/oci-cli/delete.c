/* delete: by the runtime while it knows the container, and by ourselves what it left. */

#include <sys/stat.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"

/* Whether the runtime has a container of that id, which it keeps a directory for. 1, 0, or -1. */
static int is_known(const BackendContainer *container, Error *err) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (string_format(&path, err, "%s/%s", container->runtime_dir, container->id) < 0)
                return -1;
        if (lstat(path, &st) == 0)
                return 1;
        return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "stat '%s'", path);
}

int oci_cli_delete(const BackendContainer *container, bool force, Error *err) {
        Error runtime_err = ERROR_INIT;
        int known;

        /* First, so that the runtime finds the container stopped: runc looks only every 100 ms whether what it killed is gone. */
        if (force && leftovers_kill(container, err) < 0)
                return -1;
        known = is_known(container, err);
        if (known < 0)
                return -1;
        if (known > 0) {
                _cleanup_command_ Command command = COMMAND_INIT;

                if (command_init(&command, container, "delete", 0, err) < 0 || (force && command_add(&command, "--force", NULL, err) < 0) ||
                    command_add_container(&command, err) < 0)
                        return -1;
                /* With force, its failure counts only if something is left that we cannot remove either. */
                if (command_run(&command, &runtime_err) < 0 && !force) {
                        if (err)
                                *err = runtime_err;
                        return -1;
                }
        }
        return leftovers_remove(container, err);
}
