#pragma once

/* What the spec wants said, and nothing fails for. Private to engine/. */

#include "engine/engine.h"

/** container_warn() - one line for the container's log; to nobody when it has none */
void container_warn(const EngineContainer *container, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
