#pragma once

/* linux.netDevices: devices of the host in the container's network. Private to engine/. */

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"
#include "network/network.h"

/**
 * net_devices_move() - move those of a configuration to the network namespace of the container's init; all, or none
 * @ret: NULL when there are none; net_devices_free()
 *
 * Once the container is made nobody takes them back: the kernel does with the namespace, those that are no virtual ones. Source:
 * runtime-spec 1.3 config-linux.md, "Namespace Lifecycle and Container Termination"
 *
 * Errors: FileError, NotSupported, RuntimeError
 */
int net_devices_move(const json_t *linux_part, pid_t init, MovedDevices **ret, Error *err);

/** net_devices_return() - of a container that could not be made */
void net_devices_return(MovedDevices *devices);

MovedDevices *net_devices_free(MovedDevices *devices);
