/* delete: all of a container goes, by the undo of its creation. */

#include <string.h>

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/transaction.h"

/* A stopped container of which only the store knows: its id is reserved meanwhile, as for any change. */
static int delete_stored(const Lifecycle *lifecycle, const char *id, Error *err) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;

        if (rundir_reserve(lifecycle->root, id, &dir, err) < 0)
                return -1;
        return container_remove_here(lifecycle, dir, 0, err);
}

static int delete(const Lifecycle *lifecycle, const char *id, bool force, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        Error e = ERROR_INIT;

        if (container_find(lifecycle, id, FIND_LOCK | FIND_UNSEEN, &c, &e) < 0) {
                if (force && e.kind == ERROR_CONTAINER_NOT_FOUND)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        /* The specification lets only stopped ones go. Nothing of a created one has run yet: runc and crun delete it, and so do we. */
        if (!force && c->status != STATUS_STOPPED && c->status != STATUS_CREATED) {
                error_set(err, ERROR_INVALID_STATE, "cannot delete container '%s' that is not stopped: %s", id, status_name(c->status));
                return error_hint(err, "stop it first, or use --force");
        }
        return c->dir ? container_remove_here(lifecycle, c->dir, 0, err) : delete_stored(lifecycle, id, err);
}

int lifecycle_delete(const Lifecycle *lifecycle, const char *id, bool force, Error *err) {
        return delete(lifecycle, id, force, err) < 0 ? error_prefix(err, "delete '%s'", id) : 0;
}
