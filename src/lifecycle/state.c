/* state: the OCI document. Starts no program and waits for no lock: hooks call it while their container is being created. */

#include "base/cleanup.h"
#include "lifecycle/container.h"

int lifecycle_state(const Lifecycle *lifecycle, const char *id, json_t **ret, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;

        if (container_find(lifecycle, id, FIND_CREATING, &c, err) < 0)
                return -1;
        return state_oci_json(c->state, c->status, ret, err);
}
