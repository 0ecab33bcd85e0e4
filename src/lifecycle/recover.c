/*
 * recover: what cut-off transactions left is undone, whatever the id. Containers made from images that ended without anyone to see it (a
 * reboot, a killed monitor) become stopped ones. Nothing else is touched: a stopped container of a bundle waits for its delete.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lifecycle/container.h"
#include "lifecycle/ids.h"
#include "lifecycle/maker.h"
#include "lifecycle/stored.h"
#include "lifecycle/transaction.h"

typedef struct Results {
        RecoverResult *items;
        size_t n;
} Results;

RecoverResult *recover_results_free(RecoverResult *results, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(results[i].id);
                free(results[i].done);
        }
        free(results);
        return NULL;
}

static void results_clear(Results *results) {
        recover_results_free(results->items, results->n);
}

/* @done: what was done; NULL: it failed with @error */
static int results_add(Results *results, const char *id, const char *done, const Error *error, Error *err) {
        RecoverResult *items = realloc(results->items, (results->n + 1) * sizeof(*items));

        if (!items)
                return error_oom(err);
        results->items = items;
        items[results->n] = (RecoverResult) { .error = error ? *error : ERROR_INIT };
        results->n++;
        if (string_copy(id, &items[results->n - 1].id, err) < 0 || string_copy(done, &items[results->n - 1].done, err) < 0)
                return -1;
        return 0;
}

/* A published container: has an image's one ended with nobody left to say so? */
static int recover_published(const Lifecycle *lifecycle, const char *id, const char **ret_done, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        bool removed;

        if (container_find(lifecycle, id, FIND_LOCK | FIND_UNSEEN, &c, err) < 0)
                return -1;
        if (c->dir && container_remove_unseen(lifecycle, c->dir, 0, &removed, err) < 0)
                return -1;
        if (c->dir && removed) {
                *ret_done = "ended unseen: deleted, as --rm asked";
                return 0;
        }
        if (!c->dir || !c->state->store || c->status != STATUS_STOPPED || process_is_alive(&c->state->monitor))
                return 0;
        if (container_stop_here(lifecycle, c->dir, 0, err) < 0)
                return -1;
        *ret_done = "ended unseen: stopped, and can be started again";
        return 0;
}

/* @ret_done: NULL when there was nothing to do */
static int recover_one(const Lifecycle *lifecycle, const char *id, const char **ret_done, Error *err) {
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        StoredKind stored;
        bool gone;

        *ret_done = NULL;
        if (id_check(id, err) < 0 || rundir_open(lifecycle->root, id, &dir, err) < 0 || stored_kind(lifecycle, id, &stored, err) < 0)
                return -1;
        if (dir && faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return recover_published(lifecycle, id, ret_done, err);
        if (!dir && stored != STORED_CUT_OFF)
                return 0;

        if (dir) {
                Error e = ERROR_INIT;

                if (maker_lock(dir, &gone, &e) < 0) {
                        if (e.errnum == EWOULDBLOCK)
                                return 0; /* its maker lives */
                        if (err)
                                *err = e;
                        return -1;
                }
                if (gone || faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return 0;
        } else if (rundir_reserve(lifecycle->root, id, &dir, err) < 0)
                return -1;
        if (transaction_undo(lifecycle, dir, 0, err) < 0)
                return -1;
        *ret_done = "undone: a command on it was cut off";
        return 0;
}

static int recover_item(const Lifecycle *lifecycle, const char *id, Results *results, Error *err) {
        Error e = ERROR_INIT;
        const char *done;

        if (recover_one(lifecycle, id, &done, &e) < 0)
                return e.kind == ERROR_CONTAINER_NOT_FOUND ? 0 : results_add(results, id, NULL, &e, err);
        return done ? results_add(results, id, done, NULL, err) : 0;
}

static int clean_store(const Lifecycle *lifecycle, Results *results, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        Error e = ERROR_INIT;
        char done[64];
        unsigned n = 0;

        if (access(lifecycle->store, F_OK) < 0)
                return 0;
        if (store_open(lifecycle->store, STORE_READ, &store, &e) < 0 || (store_tmp_fd(store) >= 0 && store_tmp_clean(store, &n, &e) < 0))
                return results_add(results, "store", NULL, &e, err);
        snprintf(done, sizeof(done), "removed %u half-made thing%s", n, n == 1 ? "" : "s");
        return n > 0 ? results_add(results, "store", done, NULL, err) : 0;
}

int lifecycle_recover(const Lifecycle *lifecycle, const char *id, RecoverResult **ret, size_t *ret_n, Error *err) {
        _cleanup_(results_clear) Results results = {};
        _cleanup_strv_ char **ids = NULL;

        if (id ? strv_push(&ids, id, err) < 0 : ids_list(lifecycle, &ids, err) < 0)
                return -1;
        for (char **i = ids; i && *i; i++)
                if (recover_item(lifecycle, *i, &results, err) < 0)
                        return -1;
        if (!id && clean_store(lifecycle, &results, err) < 0)
                return -1;
        *ret = TAKE(results.items);
        *ret_n = results.n;
        results.n = 0;
        return 0;
}
