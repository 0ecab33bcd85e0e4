/* Whether crun or runc can be used here, told without starting them: a start costs 3 ms. */

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* crun's own rule: a cgroup2 file system at unified/ must have no controller. Source: crun's cgroup.c, libcrun_cgroup_enter() */
static bool is_refused_hybrid(void) {
        _cleanup_close_ int fd = -EBADF;
        struct statfs st;
        char byte;

        if (statfs(CGROUP_MOUNT "/unified", &st) < 0 || st.f_type != CGROUP2_SUPER_MAGIC)
                return false;
        fd = open(CGROUP_MOUNT "/unified/cgroup.controllers", O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, &byte, 1) == 1;
}

int oci_cli_probe(const Backend *backend, const char *program, Error *err) {
        const OciCliRow *row = backend->driver_data;
        _cleanup_free_ char *path = program_find(program ?: row->program);
        struct statfs st;

        if (!path && program) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "program '%s' is not there or not executable", program);
                return error_hint(err, "correct runtimes.%s.path in the configuration, or choose --runtime %s", backend->name, row->other);
        }
        if (!path) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "program '%s' is not installed", row->program);
                return error_hint(err, "install %s, or choose --runtime %s", row->program, row->other);
        }
        if (statfs(CGROUP_MOUNT, &st) < 0 || (st.f_type != CGROUP2_SUPER_MAGIC && st.f_type != TMPFS_MAGIC)) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "no cgroups at " CGROUP_MOUNT ", which %s needs", row->program);
                return error_hint(err, "mount cgroup2 at " CGROUP_MOUNT);
        }
        if (row->refuses_hybrid && st.f_type == TMPFS_MAGIC && is_refused_hybrid()) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "%s does not work with hybrid cgroups: version 2 has controllers at " CGROUP_MOUNT "/unified",
                          row->program);
                return error_hint(err, "choose --runtime %s, boot with systemd.unified_cgroup_hierarchy=1, or mount all controllers as version 1", row->other);
        }
        return 0;
}
