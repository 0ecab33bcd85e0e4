/* Changing the limits of a running container. */

#include "base/cleanup.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-settings.h"

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
        return 0;
}
