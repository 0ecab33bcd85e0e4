#pragma once

/* Launching the engine's init by liblxc. Private to backends/lxc/. */

#include "backends/lxc/module.h"
#include "engine/engine.h"

/** lxc_module() - load it. Errors: RuntimeNotAvailable */
const LxcModule *lxc_module(Error *err);

extern const EngineLauncher lxc_launcher;

/** monitor_main() - what the process does that becomes liblxc's monitor: it ends with an Error on @report, or is ended */
_Noreturn void monitor_main(const EngineLaunch *launch, pid_t parent, int report);
