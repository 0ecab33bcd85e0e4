#pragma once

/* What a launcher's child does to its descriptors. Private to backends/. */

#include "engine/engine.h"

/** launch_fds() - standard streams in place, the socket and those to preserve kept over exec, no other. System calls only. Returns: 0, or -1 with errno */
int launch_fds(const EngineLaunch *launch);
