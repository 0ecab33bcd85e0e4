/* Which containers made from images a boot or a shutdown of the host is about. */

#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/ids.h"
#include "lifecycle/stored.h"

static bool is_stopped(const Lifecycle *lifecycle, const char *id, bool otherwise) {
        _cleanup_(container_freep) Container *c = NULL;

        if (container_find(lifecycle, id, 0, &c, NULL) < 0)
                return otherwise;
        return c->status == STATUS_STOPPED || c->status == STATUS_CREATED;
}

static bool is_selected(const Lifecycle *lifecycle, const char *id, Selection which) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;

        if (stored_load(lifecycle, id, NULL, &record, NULL) < 0)
                return true;
        if (!record || !record->complete)
                return false;
        return which == SELECT_ON_BOOT ? record->on_boot && is_stopped(lifecycle, id, true) : !is_stopped(lifecycle, id, false);
}

int lifecycle_select(const Lifecycle *lifecycle, Selection which, char ***ret, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        char **kept;

        if (ids_list(lifecycle, &ids, err) < 0)
                return -1;
        kept = ids;
        for (char **id = ids; id && *id; id++) {
                char *one = *id;

                *id = NULL;
                if (is_selected(lifecycle, one, which))
                        *kept++ = one;
                else
                        free(one);
        }
        *ret = TAKE(ids);
        return 0;
}
