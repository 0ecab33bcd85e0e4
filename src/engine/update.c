/* update: a running container's limits. */

#include <fcntl.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/create.h"
#include "engine/record.h"

int engine_update(const EngineContainer *container, char *const *cgroups, const json_t *resources, Error *err) {
        _cleanup_json_ json_t *record = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        CgroupRequest request = {
                .id = container->id,
                .systemd = container->systemd_cgroup,
                .resources = resources,
                .device_rules = cgroup_default_devices,
                .n_device_rules = cgroup_n_default_devices,
        };

        if (dir_open_at(AT_FDCWD, container->runtime_dir, &dir_fd, err) < 0 || record_load(dir_fd, &record, err) < 0)
                return -1;
        request.path = record_path(record);
        return cgroup_update(cgroups, &request, err);
}
