#pragma once

/* Which containers there are: by the root's directories and the store's records. */

#include "lifecycle/lifecycle.h"

/** ids_list() - of every container of this root, sorted, each once; a store's containers of other roots are not ours. strv_free() */
int ids_list(const Lifecycle *lifecycle, char ***ret, Error *err);
