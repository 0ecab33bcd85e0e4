#pragma once

/* The functions of the module's table; see network.h. */

#include "network/network.h"

int network_create(const NetworkRequest *request, NetworkRecord **ret, Error *err);
int network_remove(int dir_fd, const char *dir_path, const NetworkRecord *record, Error *err);
