#pragma once

/* The rows of driver.c's table. */

#include "store/driver.h"

extern const Driver driver_overlay;
extern const Driver driver_dir;
