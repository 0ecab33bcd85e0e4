/* Changing the limits of a running container, and the end of its cgroups. */

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/cleanup.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-settings.h"
#include "runtime/cgroup-systemd.h"
#include "runtime/cgroup.h"

int cgroup_update(char *const *directories, const CgroupRequest *request, Error *err) {
        const json_t *devices = json_object_get(request->resources, "devices");
        _cleanup_settings_ CgroupSettings settings = {};
        _cleanup_filter_ DeviceFilter filter = {};
        _cleanup_target_ CgroupTarget target;

        cgroup_target_init(&target);
        target.update = true;
        if (cgroup_target_open(directories, &target, err) < 0 || cgroup_settings_build(request->resources, &target, &settings, err) < 0)
                return -1;
        if (json_array_size(devices) > 0 &&
            device_filter_build(devices, request->device_rules, request->n_device_rules, &filter, err) < 0)
                return -1;
        if (cgroup_settings_apply(&settings, &target, err) < 0)
                return -1;
        if (json_array_size(devices) > 0 && device_filter_apply(&filter, &target, err) < 0) {
                cgroup_settings_undo(&settings, &target, err);
                return -1;
        }
        if (!request->systemd)
                return 0;
        if (cgroup_scope_set(request, &settings, &target, json_array_size(devices) > 0 ? &filter : NULL, err) < 0) {
                if (json_array_size(devices) > 0)
                        error_prefix(err, "the device rules stay changed");
                cgroup_settings_undo(&settings, &target, err);
                return -1;
        }
        /* systemd has written what it knows, rounded to its own steps */
        target.update = false;
        return cgroup_settings_apply(&settings, &target, err);
}

/* Whether what is left of @path's way lies in no hierarchy. */
static bool is_hidden(const char *path) {
        char above[PATH_MAX];
        struct statfs st;
        int r, n = snprintf(above, sizeof(above), "%s", path);

        if (n < 0 || (size_t) n >= sizeof(above))
                return false;
        while ((r = statfs(above, &st)) < 0 && errno == ENOENT && strrchr(above, '/') > above)
                *strrchr(above, '/') = '\0';
        return r == 0 && st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC;
}

const char *cgroup_hidden(char *const *directories) {
        for (; *directories; directories++)
                if (is_hidden(*directories))
                        return *directories;
        return NULL;
}

int cgroup_release(char *const *directories, const CgroupRequest *request, int timeout_ms, Error *err) {
        Error scope = ERROR_INIT;
        int r = 0;

        /* The processes are killed by us in any case: the manager gives them time to end, which a removal does not. */
        if (request->systemd && directories && cgroup_kill_all(directories, timeout_ms, err) < 0)
                return -1;
        if (request->systemd)
                r = cgroup_scope_stop(request, timeout_ms, &scope);
        if (directories && cgroup_remove_all(directories, timeout_ms, err) < 0)
                return -1;
        if (r < 0 && err)
                *err = scope;
        return r;
}
