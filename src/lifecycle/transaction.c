/* Running the steps of a transaction, and undoing them from what is on disk. */

#include "lifecycle/transaction.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"

static uint64_t now_nanoseconds(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

void lifecycle_note(const Lifecycle *lifecycle, const char *fmt, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;

        if (!lifecycle->observer.note)
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        lifecycle->observer.note(lifecycle->observer.userdata, text);
}

bool lifecycle_interrupted(const Lifecycle *lifecycle, Error *err) {
        if (!lifecycle->interrupted || !*lifecycle->interrupted)
                return false;
        error_set_errno(err, ERROR_INTERRUPTED, EINTR, "a signal asked to stop");
        return true;
}

void transaction_init(Transaction *transaction, const Lifecycle *lifecycle, const CreateRequest *request, const Step *steps,
                      size_t n_steps) {
        *transaction = (Transaction) {
                .lifecycle = lifecycle,
                .request = request,
                .steps = steps,
                .n_steps = n_steps,
                .kind = steps == create_steps ? JOURNAL_CREATE : JOURNAL_START,
                .journal_fd = -EBADF,
                .gc_lock = -EBADF,
                .container_fd = -EBADF,
                .publish_as = STATUS_CREATED,
        };
}

void transaction_clear(Transaction *t) {
        close_keep_errno(t->journal_fd);
        close_keep_errno(t->gc_lock);
        close_keep_errno(t->container_fd);
        rundir_free(t->dir);
        free(t->bundle);
        free(t->rootfs);
        free(t->pid_file);
        free(t->oci_version);
        free(t->cgroups_path);
        json_decref(t->spec);
        json_decref(t->annotations);
        store_image_free(t->image);
        image_config_free(t->image_config);
        free(t->uid_map);
        free(t->gid_map);
        id_mapping_free(t->mapping);
        container_record_free(t->record);
        store_close(t->store);
        free(t->container_path);
        strv_free(t->cgroups);
}

/* A fault point "PHASE.place" around a step. */
static int step_fault(const char *step, const char *place, Error *err) {
        char name[64];

        snprintf(name, sizeof(name), "%s.%s", step, place);
        return fault_point(name, err);
}

int transaction_step_begin(Transaction *t, Error *err) {
        const LifecycleObserver *observer = &t->lifecycle->observer;
        const Step *step = &t->steps[t->current];

        t->in_step = true;
        t->skipped = false;
        t->step_began = now_nanoseconds();
        if (observer->phase_begin)
                observer->phase_begin(observer->userdata, step->name, (unsigned) t->current + 1, (unsigned) t->n_steps);
        if (lifecycle_interrupted(t->lifecycle, err))
                return -1;
        /* The first step makes the journal itself: before it there is nothing to undo. */
        if (t->journal_fd >= 0 && journal_append_phase(t->journal_fd, step->name, err) < 0)
                return -1;
        return step_fault(step->name, "start", err);
}

int transaction_step_end(Transaction *t, int result, Error *err) {
        const LifecycleObserver *observer = &t->lifecycle->observer;
        const Step *step = &t->steps[t->current];

        if (!t->in_step)
                return result;
        if (result == 0)
                result = step_fault(step->name, "end", err);
        if (result == 0 && lifecycle_interrupted(t->lifecycle, err))
                result = -1;
        if (result < 0)
                error_phase(err, step->name);
        if (observer->phase_end)
                observer->phase_end(observer->userdata, step->name, now_nanoseconds() - t->step_began, t->skipped, result < 0 ? err : NULL);
        t->in_step = false;
        if (result == 0)
                t->current++;
        return result;
}

/* A step that this container does not have: shown, but nothing else. */
static bool step_is_none(Transaction *t) {
        const LifecycleObserver *observer = &t->lifecycle->observer;
        const Step *step = &t->steps[t->current];

        if (!(step->flags & STEP_IMAGE) || t->request->image)
                return false;
        if (observer->phase_begin)
                observer->phase_begin(observer->userdata, step->name, (unsigned) t->current + 1, (unsigned) t->n_steps);
        if (observer->phase_end)
                observer->phase_end(observer->userdata, step->name, 0, true, NULL);
        t->current++;
        return true;
}

static int run_steps(Transaction *t, const char *until, Error *err) {
        while (t->current < t->n_steps && (!until || strcmp(t->steps[t->current].name, until))) {
                int r;

                if (step_is_none(t))
                        continue;
                r = transaction_step_begin(t, err);
                if (r == 0)
                        r = t->steps[t->current].run(t, err);
                if (transaction_step_end(t, r, err) < 0)
                        return -1;
        }
        return 0;
}

int transaction_run(Transaction *t, const char *until, Error *err) {
        Error e = ERROR_INIT;

        if (run_steps(t, until, &e) < 0) {
                transaction_fail(t, &e);
                if (err)
                        *err = e;
                return -1;
        }
        return 0;
}

int transaction_continue(Transaction *t, Error *err) {
        return run_steps(t, NULL, err);
}

int transaction_fail(Transaction *t, Error *err) {
        Error e = ERROR_INIT;

        (void) transaction_step_end(t, -1, err);
        close_keep_errno(TAKE_FD(t->journal_fd));
        close_keep_errno(TAKE_FD(t->gc_lock));
        if (!t->dir || t->dir->lock_fd < 0)
                return -1;

        /* It may have come as far as state.json: then it is taken back. */
        if (renameat(t->dir->fd, STATE_FILE, t->dir->fd, t->kind == JOURNAL_START ? STOPPING_FILE : DELETING_FILE) < 0 && errno != ENOENT)
                error_set_errno(&e, ERROR_FILE, errno, "take back '%s/" STATE_FILE "'", t->dir->path);
        else
                (void) transaction_undo(t->lifecycle, t->dir, 0, &e);
        if (error_is_set(&e))
                lifecycle_note(t->lifecycle, "undo: %s; the next command on '%s', or recover, tries again", e.text, t->dir->id);
        rundir_unlock(t->dir);
        return -1;
}

/* How much of a container an undo takes away. */
typedef enum Scope {
        SCOPE_BEGUN,  /* the phases that the journal says were begun */
        SCOPE_ALL,    /* every phase: it had been published */
} Scope;

static Scope undo_scope(Undo *undo) {
        if (faccessat(undo->dir->fd, DELETING_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                undo->whole = true;
                return SCOPE_ALL;
        }
        if (faccessat(undo->dir->fd, STOPPING_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return SCOPE_ALL;
        if (undo->journal) {
                undo->whole = undo->journal->header.kind == JOURNAL_CREATE;
                return SCOPE_BEGUN;
        }
        /* Nothing here knows of it, but the store may: a stopped container's delete, or a reboot that emptied /run, cut a transaction off.
         */
        undo->whole = true;
        return SCOPE_ALL;
}

/*
 * Empties the directory: the journal first. Alone it would say that a create was cut off, and the record and files of a container that only
 * was to stop would go with the next repair.
 */
static int release(RunDir *dir, unsigned flags, Error *err) {
        if (unlinkat(dir->fd, JOURNAL_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s/" JOURNAL_FILE "'", dir->path);
        if (fault_point("release.middle", err) < 0)
                return -1;
        /* Mostly the last file: there is nothing to look for then. */
        if (unlinkat(dir->fd, DELETING_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s/" DELETING_FILE "'", dir->path);
        return flags & UNDO_KEEP_ID ? rundir_clear(dir, err) : rundir_remove(dir, err);
}

int transaction_undo(const Lifecycle *lifecycle, RunDir *dir, unsigned flags, Error *err) {
        _cleanup_(journal_freep) Journal *journal = NULL;
        char boot_id[BOOT_ID_MAX];
        Undo undo = { .lifecycle = lifecycle, .dir = dir, .runtime_is_done = flags & UNDO_RUNTIME_IS_DONE };
        Scope scope;
        int r = 0;

        if (faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set(err, ERROR_INVALID_STATE, "container '%s' is published", dir->id);
        if (journal_load(dir->fd, &journal, err) < 0 || boot_id_read(boot_id, err) < 0)
                return -1;
        if (journal && !journal->has_header)
                journal = journal_free(journal);

        undo.journal = journal;
        undo.same_boot = !journal || !strcmp(journal->header.boot_id, boot_id);
        undo.store_path = journal ? journal->header.store : lifecycle->store;
        scope = undo_scope(&undo);

        for (size_t i = CREATE_STEPS; i-- > 0 && r == 0;) {
                const Step *step = &create_steps[i];

                if (!step->undo || (scope == SCOPE_BEGUN && !journal_has_phase(journal, step->name)))
                        continue;
                r = step->undo(&undo, err);
                if (r < 0)
                        error_prefix(err, "undo %s", step->name);
        }
        store_close(undo.store);
        if (r < 0)
                return -1;
        return release(dir, flags, err);
}

int undo_store(Undo *undo, Store **ret, Error *err) {
        if (!undo->store && undo->store_path && store_open(undo->store_path, STORE_READ, &undo->store, err) < 0)
                return -1;
        *ret = undo->store && store_containers_fd(undo->store) >= 0 ? undo->store : NULL;
        return 0;
}

int undo_record(Undo *undo, int *ret_fd, ContainerRecord **ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_close_ int fd = -EBADF;
        Error e = ERROR_INIT;
        Store *store;

        *ret = NULL;
        if (undo_store(undo, &store, err) < 0)
                return -1;
        if (!store)
                return 0;
        if (container_dir_open(store, undo->dir->id, &fd, &e) < 0 || container_record_load(fd, &record, &e) < 0) {
                if (e.kind == ERROR_CONTAINER_NOT_FOUND)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        /* A container of the same name that another root keeps in this store. */
        if (strcmp(record->root, undo->lifecycle->root))
                return 0;
        /* Without a journal only the record can say that it was cut off. */
        if (!undo->journal && record->complete)
                return 0;
        *ret_fd = TAKE_FD(fd);
        *ret = TAKE(record);
        return 0;
}
