#pragma once

/* A user namespace for a mount's owners alone: no process stays in it. */

#include "oci/id-mapping.h"

/** userns_open() - a user namespace with that mapping. Errors: NotSupported, InvalidArgument (ranges overlap), FileError */
int userns_open(const IdMapping *mapping, int *ret_fd, Error *err);
