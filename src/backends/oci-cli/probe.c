/* Whether crun or runc can be used here, told without starting them: a start costs 3 ms. */

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/user.h"

#define CGROUP_MOUNT    "/sys/fs/cgroup"
#define PROC_CGROUP_MAX (1u << 20) /* bytes */

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

/*
 * crun takes any directory named like a v1 controller for that controller's hierarchy: in one where nothing is mounted it makes plain
 * directories and files, which nothing removes. Source: crun's cgroup-setup.c, enter_cgroup_v1()
 */
static bool has_false_hierarchy(char *ret_path, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (file_read_at(AT_FDCWD, "/proc/self/cgroup", PROC_CGROUP_MAX, &text, NULL, NULL) < 0)
                return false;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                char *controllers = strchr(line, ':'), *end = controllers ? strchr(++controllers, ':') : NULL;
                struct statfs st;

                if (!end || end == controllers)
                        continue;
                *end = '\0';
                if (!strncmp(controllers, "name=", 5))
                        controllers += 5;
                (void) snprintf(ret_path, size, CGROUP_MOUNT "/%s", controllers);
                if (statfs(ret_path, &st) == 0 && st.f_type != CGROUP_SUPER_MAGIC)
                        return true;
        }
        return false;
}

int oci_cli_probe(const Backend *backend, const char *program, Error *err) {
        const OciCliRow *row = backend->driver_data;
        _cleanup_free_ char *path = program_find(program ?: row->program);
        char directory[PATH_MAX];
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
        if (geteuid() != 0 || user_is_nested()) /* it may do without cgroups, and then does not look at them */
                return 0;
        if (row->refuses_hybrid && st.f_type == TMPFS_MAGIC && is_refused_hybrid()) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE,
                          "%s does not work with hybrid cgroups: version 2 has controllers at " CGROUP_MOUNT "/unified", row->program);
                return error_hint(err,
                                  "choose --runtime %s, boot with systemd.unified_cgroup_hierarchy=1, "
                                  "or mount all controllers as version 1",
                                  row->other);
        }
        if (row->refuses_hybrid && st.f_type == TMPFS_MAGIC && has_false_hierarchy(directory, sizeof(directory))) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "%s would take the plain directory '%s' for a cgroup hierarchy", row->program,
                          directory);
                return error_hint(err, "mount that hierarchy there, or remove the directory, or choose --runtime %s", row->other);
        }
        return 0;
}
