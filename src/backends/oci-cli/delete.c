/* delete: by the runtime while it knows the container and has more to do than we could, and by ourselves what it left. */

#include <fcntl.h>
#include <sys/stat.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"

/* Whether the runtime has a container of that id, which it keeps a directory for. 1, 0, or -1. */
static int is_known(const BackendContainer *container, int dir_fd, Error *err) {
        struct stat st;

        if (fstatat(dir_fd, container->id, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return 1;
        return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "stat '%s/%s'", container->runtime_dir, container->id);
}

static bool has_ended(const BackendContainer *container, int dir_fd) {
        ProcessRef init;
        Error e = ERROR_INIT;
        pid_t pid;

        if (pid_file_read(container, dir_fd, &pid, NULL) < 0)
                return false;
        return process_ref(pid, &init, &e) < 0 ? e.errnum == ESRCH : !process_is_alive(&init);
}

int delete_at(const BackendContainer *container, int dir_fd, bool force, Error *err) {
        int known;

        /* First, so that the runtime finds the container stopped: runc looks only every 100 ms whether what it killed is gone. */
        if (force) {
                if (leftovers_kill(dir_fd, err) < 0)
                        return -1;
                leftovers_await(dir_fd);
                if (leftovers_kill(dir_fd, err) < 0)
                        return -1;
        }
        known = is_known(container, dir_fd, err);
        if (known < 0)
                return -1;
        /* Its start would cost more than all else here. */
        if (known > 0 && !(leftovers_has_mark(dir_fd, PLAIN_DELETE) && has_ended(container, dir_fd))) {
                _cleanup_command_ Command command = COMMAND_INIT;

                if (command_init(&command, container, "delete", 0, 0, err) < 0 ||
                    (force && command_add(&command, "--force", NULL, err) < 0) ||
                    command_add_container(&command, err) < 0)
                        return -1;
                /* With force, its failure counts only if something is left that we cannot remove either. */
                if (command_run(&command, force ? NULL : err) < 0 && !force)
                        return -1;
        }
        return leftovers_remove(container, dir_fd, err);
}

int oci_cli_delete(const BackendContainer *container, bool force, Error *err) {
        _cleanup_close_ int dir_fd = open(container->runtime_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir_fd < 0 && errno == ENOENT)
                return 0;
        if (dir_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", container->runtime_dir);
        return delete_at(container, dir_fd, force, err);
}
