/* linux.netDevices: devices of the host in the container's network. */

#include "engine/net-devices.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/spec-schema.h"

int net_devices_move(const json_t *linux_part, pid_t init, MovedDevices **ret, Error *err) {
        json_t *object = (json_t *) schema_field(linux_part, "netDevices"), *value;
        size_t n = 0, size = json_object_size(object);
        _cleanup_free_ NetworkDevice *devices = calloc(size + 1, sizeof(*devices));
        _cleanup_close_ int netns = -EBADF;
        const NetworkModule *module;
        const char *name;
        char path[48];

        *ret = NULL;
        if (size == 0)
                return 0;
        if (!devices)
                return error_oom(err);
        json_object_foreach(object, name, value)
                devices[n++] = (NetworkDevice) { .name = name, .new_name = json_string_value(schema_field(value, "name")) };
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) init);
        netns = open(path, O_RDONLY | O_CLOEXEC);
        if (netns < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open '%s'", path);
        module = network_module(err);
        if (!module || module->devices_move(devices, n, netns, ret, err) < 0)
                return error_prefix(err, "config.json: linux.netDevices");
        return 0;
}

void net_devices_return(MovedDevices *devices) {
        const NetworkModule *module = devices ? network_module(NULL) : NULL;

        if (module)
                (void) module->devices_return(devices, NULL);
}

MovedDevices *net_devices_free(MovedDevices *devices) {
        const NetworkModule *module = devices ? network_module(NULL) : NULL;

        return module ? module->devices_free(devices) : NULL;
}
