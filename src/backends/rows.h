#pragma once

/* Every row of the table in backend.c, each defined by its driver. Private to backends/. */

#include "backends/backend.h"

extern const Backend backend_crun; /* oci-cli/rows.c */
extern const Backend backend_runc; /* oci-cli/rows.c */
extern const Backend backend_native; /* native/native.c */
extern const Backend backend_lxc; /* lxc/lxc.c */
