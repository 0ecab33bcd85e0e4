/* list: every container of this root and of its store. */

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/ids.h"
#include "lifecycle/stored.h"
#include "lifecycle/transaction.h"

ListEntry *list_entries_free(ListEntry *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(entries[i].id);
                free(entries[i].status);
                free(entries[i].bundle);
                free(entries[i].created);
                free(entries[i].owner);
                free(entries[i].runtime);
                free(entries[i].image);
                json_decref(entries[i].document);
        }
        free(entries);
        return NULL;
}

static int fill_entry(const Container *c, ListEntry *ret, Error *err) {
        const State *state = c->state;
        ExitRecord exit;

        ret->exit_code = -1;
        if (c->status == STATUS_STOPPED && container_exit(c, &exit))
                ret->exit_code = exit.exit_code;
        ret->pid = c->status == STATUS_STOPPED ? 0 : state->init.pid;
        if (string_copy(state->id, &ret->id, err) < 0 || string_copy(status_name(c->status), &ret->status, err) < 0 ||
            string_copy(state->bundle, &ret->bundle, err) < 0 || string_copy(state->created ?: "", &ret->created, err) < 0 ||
            string_copy(state->owner ?: "", &ret->owner, err) < 0 || string_copy(state->runtime, &ret->runtime, err) < 0 ||
            string_copy(state->image, &ret->image, err) < 0)
                return -1;
        return state_oci_json(state, c->status, &ret->document, err);
}

/* One that was cut off, or cannot be read: it is listed, not repaired; that is for recover, or for a command on it. */
static int fill_broken(const char *id, ListEntry *ret, Error *err) {
        ret->exit_code = -1;
        if (string_copy(id, &ret->id, err) < 0 || string_copy("broken", &ret->status, err) < 0 || string_copy("", &ret->bundle, err) < 0 ||
            string_copy("", &ret->created, err) < 0 || string_copy("", &ret->owner, err) < 0 || string_copy("", &ret->runtime, err) < 0)
                return -1;
        return 0;
}

int lifecycle_list(const Lifecycle *lifecycle, ListEntry **ret, size_t *ret_n, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        ListEntry *entries;
        size_t n = 0;

        if (ids_list(lifecycle, &ids, err) < 0)
                return -1;
        entries = calloc(strv_length(ids) + 1, sizeof(*entries));
        if (!entries)
                return error_oom(err);
        for (char **id = ids; id && *id; id++) {
                _cleanup_(container_freep) Container *c = NULL;
                Error e = ERROR_INIT;
                int r;

                if (container_find(lifecycle, *id, FIND_CREATING | FIND_NO_REPAIR, &c, &e) == 0)
                        r = fill_entry(c, &entries[n], err);
                else if (e.kind == ERROR_CONTAINER_NOT_FOUND)
                        continue; /* deleted meanwhile */
                else
                        r = fill_broken(*id, &entries[n], err);
                n++;
                if (r < 0) {
                        list_entries_free(entries, n);
                        return -1;
                }
        }
        *ret = entries;
        *ret_n = n;
        return 0;
}
