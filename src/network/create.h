#pragma once

/* The functions of the module's table; see network.h. */

#include "network/network.h"

int network_create(const NetworkRequest *request, NetworkRecord **ret, Error *err);
int network_remove(int dir_fd, const char *dir_path, const NetworkRecord *record, Error *err);

int devices_move(const NetworkDevice *devices, size_t n, int netns_fd, MovedDevices **ret, Error *err);
int devices_return(MovedDevices *devices, Error *err);
MovedDevices *devices_free(MovedDevices *devices);
