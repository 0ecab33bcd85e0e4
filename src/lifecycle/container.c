/* Looking containers up, and the ways out of the published state. */

#include "lifecycle/container.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "lifecycle/maker.h"
#include "lifecycle/phases.h"
#include "lifecycle/stored.h"
#include "oci/runtime-spec.h"
#include "runtime/monitor.h"

#define SETTLE_STEP_MS 2
#define SETTLE_LOOKS   50

Container *container_free(Container *container) {
        if (!container)
                return NULL;
        rundir_free(container->dir);
        state_free(container->state);
        free(container);
        return NULL;
}

static int not_found(const char *id, Error *err) {
        return error_set(err, ERROR_CONTAINER_NOT_FOUND, "container '%s' does not exist", id);
}

/* What a container's processes say of it now. */
static int status_now(const Lifecycle *lifecycle, const RunDir *dir, const State *state, const Backend *backend, ContainerStatus *ret,
                      Error *err) {
        char boot_id[BOOT_ID_MAX], runtime_dir[PATH_MAX];
        BackendContainer container;

        if (boot_id_read(boot_id, err) < 0)
                return -1;
        if (strcmp(boot_id, state->boot_id) || !process_is_alive(&state->init)) {
                *ret = STATUS_STOPPED;
                return 0;
        }
        if (!backend) {
                *ret = state->status;
                return 0;
        }
        container = backend_container(lifecycle, backend, dir, state->bundle, state->systemd_cgroup, runtime_dir);
        return backend->state(&container, state, ret, err);
}

/* One that is being made: what its journal says so far. */
static int state_of_journal(const RunDir *dir, State **ret, Error *err) {
        _cleanup_(state_freep) State *state = calloc(1, sizeof(*state));
        _cleanup_(journal_freep) Journal *journal = NULL;
        const JournalHeader *header;

        if (!state)
                return error_oom(err);
        if (journal_load(dir->fd, &journal, err) < 0)
                return -1;
        header = journal ? &journal->header : &(JournalHeader) {};
        state->exit_code = -1;
        state->status = STATUS_CREATING;
        if (journal)
                state->init = journal->init;
        if (string_copy(dir->id, &state->id, err) < 0 || string_copy(header->bundle ?: "", &state->bundle, err) < 0 ||
            string_copy(header->runtime ?: "", &state->runtime, err) < 0 || string_copy(header->store, &state->store, err) < 0 ||
            string_copy("1.0.2", &state->oci_version, err) < 0 || string_copy("", &state->created, err) < 0 ||
            string_copy("", &state->rootfs, err) < 0)
                return -1;
        *ret = TAKE(state);
        return 0;
}

/* One that is stopped and of which only the store knows. */
static int state_of_record(const Lifecycle *lifecycle, const ContainerRecord *record, int fd, State **ret, Error *err) {
        _cleanup_(state_freep) State *state = calloc(1, sizeof(*state));
        _cleanup_json_ json_t *spec = NULL;
        ExitRecord exit;

        if (!state)
                return error_oom(err);
        if (spec_load(fd, &spec, err) < 0)
                return error_prefix(err, "container '%s'", record->id);
        *state = (State) {
                .status = STATUS_STOPPED,
                .annotations = json_incref(json_object_get(spec, "annotations")),
                .systemd_cgroup = record->systemd_cgroup,
                .exit_code = -1,
        };
        if (string_copy(record->id, &state->id, err) < 0 || string_copy(record->runtime, &state->runtime, err) < 0 ||
            string_format(&state->bundle, err, "%s/containers/%s", lifecycle->store, record->id) < 0 ||
            string_format(&state->rootfs, err, "%s/rootfs", state->bundle) < 0 ||
            string_copy(json_string_value(json_object_get(spec, "ociVersion")), &state->oci_version, err) < 0 ||
            string_copy(record->created, &state->created, err) < 0 || owner_name(&state->owner, err) < 0 ||
            string_copy(record->image_name, &state->image, err) < 0 || string_copy(lifecycle->store, &state->store, err) < 0)
                return -1;
        if (exit_record_load(fd, &exit, NULL) == 0) {
                state->exit_code = exit.exit_code;
                if (string_copy(exit.exited, &state->exited, err) < 0)
                        return -1;
        }
        *ret = TAKE(state);
        return 0;
}

static int new_container(State **state, RunDir **dir, ContainerStatus status, Container **ret, Error *err) {
        Container *c = malloc(sizeof(*c));

        if (!c)
                return error_oom(err);
        *c = (Container) { .state = TAKE(*state), .dir = dir ? TAKE(*dir) : NULL, .status = status };
        if (backend_find(c->state->runtime, &c->backend, NULL) < 0)
                c->backend = NULL;
        *ret = c;
        return 0;
}

static int cut_off(const char *id, Error *err) {
        error_set(err, ERROR_INVALID_STATE, "container '%s': a command on it was cut off", id);
        return error_hint(err, "'recover' cleans up");
}

static int find_stored(const Lifecycle *lifecycle, const char *id, unsigned flags, Container **ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_(state_freep) State *state = NULL;
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        _cleanup_close_ int fd = -EBADF;
        bool whole;

        if (stored_load(lifecycle, id, &fd, &record, err) < 0)
                return -1;
        if (!record && !stored_is_lost(lifecycle, id))
                return not_found(id, err);
        whole = record && record->complete;
        if (!whole && (flags & FIND_NO_REPAIR))
                return cut_off(id, err);
        if (!whole) {
                lifecycle_note(lifecycle, "container '%s': undoing what a command that was cut off left", id);
                if (rundir_reserve(lifecycle->root, id, &dir, err) < 0 || transaction_undo(lifecycle, dir, 0, err) < 0)
                        return -1;
                return not_found(id, err);
        }
        if (state_of_record(lifecycle, record, fd, &state, err) < 0)
                return -1;
        return new_container(&state, NULL, STATUS_STOPPED, ret, err);
}

/* What may come of a directory without state.json. */
typedef enum Unpublished {
        UNPUBLISHED_BUSY,     /* someone is working on it */
        UNPUBLISHED_CHANGED,  /* look again */
        UNPUBLISHED_CUT_OFF,  /* it was cut off, and is still there */
        UNPUBLISHED_REPAIRED, /* it was cut off, and is gone now */
} Unpublished;

static int look_at_unpublished(const Lifecycle *lifecycle, RunDir *dir, unsigned flags, Unpublished *ret, Error *err) {
        Error e = ERROR_INIT;
        bool gone;

        if (maker_lock(dir, &gone, &e) < 0) {
                if (e.errnum != EWOULDBLOCK) {
                        if (err)
                                *err = e;
                        return -1;
                }
                *ret = UNPUBLISHED_BUSY;
                return 0;
        }
        *ret = UNPUBLISHED_CHANGED;
        if (gone)
                return 0;
        if (faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                rundir_unlock(dir);
                return 0;
        }
        if (flags & FIND_NO_REPAIR) {
                rundir_unlock(dir);
                *ret = UNPUBLISHED_CUT_OFF;
                return 0;
        }
        lifecycle_note(lifecycle, "container '%s': undoing what a command that was cut off left", dir->id);
        if (transaction_undo(lifecycle, dir, 0, err) < 0)
                return error_prefix(err, "undo what an earlier command on '%s' left", dir->id);
        *ret = UNPUBLISHED_REPAIRED;
        return 0;
}

/* Locks a published container; *ret_again when it was not the same any more by then. */
static int lock_published(RunDir *dir, bool *ret_again, Error *err) {
        bool gone;

        if (rundir_lock(dir, true, &gone, err) < 0)
                return error_prefix(err, "container '%s'", dir->id);
        *ret_again = gone || faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
        if (*ret_again)
                rundir_unlock(dir);
        return 0;
}

/*
 * A locked directory that holds nothing: a creator has not begun its journal yet, or someone who took the container away is about to remove
 * it. Either is over in a moment.
 */
static bool settles(const RunDir *dir, unsigned *looks) {
        const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };

        if (faccessat(dir->fd, JOURNAL_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || (*looks)++ >= SETTLE_LOOKS)
                return false;
        (void) nanosleep(&step, NULL);
        return true;
}

static bool ended_unseen(const State *state, ContainerStatus status) {
        return state->remove && status == STATUS_STOPPED && !process_is_alive(&state->monitor) && !process_is_alive(&state->waiter);
}

int container_remove_unseen(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, bool *ret_removed, Error *err) {
        _cleanup_(state_freep) State *state = NULL;
        const Backend *backend = NULL;
        ContainerStatus status;

        *ret_removed = false;
        if (state_load(dir->fd, &state, err) < 0)
                return -1;
        (void) backend_find(state->runtime, &backend, NULL);
        if (status_now(lifecycle, dir, state, backend, &status, err) < 0)
                return -1;
        if (!ended_unseen(state, status))
                return 0;
        if (container_remove_here(lifecycle, dir, undo_flags, err) < 0)
                return error_prefix(err, "delete '%s', which has ended unseen", dir->id);
        *ret_removed = true;
        return 0;
}

/* *ret_again: the container is gone, or was changed. Not when another command is at work on it. */
static int repair_unseen(const Lifecycle *lifecycle, RunDir *dir, bool *ret_again, Error *err) {
        bool gone = false, removed;
        Error e = ERROR_INIT;

        if (dir->lock_fd < 0 && rundir_lock(dir, false, &gone, &e) < 0) {
                *ret_again = false;
                if (e.errnum == EWOULDBLOCK)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        *ret_again = true;
        if (gone || faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        lifecycle_note(lifecycle, "container '%s' has ended unseen: deleting it, as --rm asked", dir->id);
        return container_remove_unseen(lifecycle, dir, 0, &removed, err);
}

int container_find(const Lifecycle *lifecycle, const char *id, unsigned flags, Container **ret, Error *err) {
        unsigned looks = 0;

        if (id_check(id, err) < 0)
                return -1;
        for (;;) {
                _cleanup_(rundir_freep) RunDir *dir = NULL;
                _cleanup_(state_freep) State *state = NULL;
                Error e = ERROR_INIT;
                ContainerStatus status;
                const Backend *backend = NULL;
                Unpublished unpublished;
                bool again;

                if (rundir_open(lifecycle->root, id, &dir, err) < 0)
                        return -1;
                if (!dir)
                        return find_stored(lifecycle, id, flags, ret, err);

                if (faccessat(dir->fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && (flags & FIND_LOCK)) {
                        if (lock_published(dir, &again, err) < 0)
                                return -1;
                        if (again)
                                continue;
                }
                if (state_load(dir->fd, &state, &e) == 0) {
                        (void) backend_find(state->runtime, &backend, NULL);
                        if (status_now(lifecycle, dir, state, backend, &status, err) < 0)
                                return error_prefix(err, "container '%s'", id);
                        if (ended_unseen(state, status) && !(flags & (FIND_NO_REPAIR | FIND_UNSEEN))) {
                                if (repair_unseen(lifecycle, dir, &again, err) < 0)
                                        return -1;
                                if (again)
                                        continue;
                        }
                        return new_container(&state, &dir, status, ret, err);
                }
                if (e.errnum != ENOENT) {
                        if (err)
                                *err = e;
                        return error_prefix(err, "container '%s'", id);
                }

                if (look_at_unpublished(lifecycle, dir, flags, &unpublished, err) < 0)
                        return -1;
                if (unpublished == UNPUBLISHED_REPAIRED)
                        return find_stored(lifecycle, id, flags, ret, err);
                if (unpublished == UNPUBLISHED_CUT_OFF)
                        return cut_off(id, err);
                if (unpublished == UNPUBLISHED_BUSY) {
                        bool ending = state_load_as(dir->fd, DELETING_FILE, &state, NULL) == 0 ||
                                      state_load_as(dir->fd, STOPPING_FILE, &state, NULL) == 0;

                        if (!ending && settles(dir, &looks))
                                continue;
                        if (flags & FIND_CREATING) {
                                if (!ending && state_of_journal(dir, &state, err) < 0)
                                        return -1;
                                return new_container(&state, &dir, ending ? STATUS_STOPPED : STATUS_CREATING, ret, err);
                        }
                        if (!ending)
                                return error_set(err, ERROR_INVALID_STATE, "container '%s' is being created", id);
                        /* On its way out: wait for that, then look again. */
                        if (lock_published(dir, &again, err) < 0)
                                return -1;
                }
        }
}

int container_backend(const Lifecycle *lifecycle, const Container *c, BackendContainer *ret, char runtime_dir[PATH_MAX], Error *err) {
        if (!c->backend)
                return error_set(err, ERROR_INVALID_STATE, "container '%s': no runtime '%s' is known any more", c->state->id,
                                 c->state->runtime);
        *ret = backend_container(lifecycle, c->backend, c->dir, c->state->bundle, c->state->systemd_cgroup, runtime_dir);
        return 0;
}

int container_need_running(const Container *c, Error *err) {
        if (c->dir && c->status != STATUS_STOPPED)
                return 0;
        return error_set(err, ERROR_INVALID_STATE, "container not running: '%s' is %s", c->state->id, status_name(c->status));
}

int container_open_exit_dir(const Container *c) {
        if (c->state->store)
                return open(c->state->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return c->dir ? fcntl(c->dir->fd, F_DUPFD_CLOEXEC, 3) : -1;
}

bool container_exit(const Container *c, ExitRecord *ret) {
        _cleanup_close_ int fd = container_open_exit_dir(c);

        return fd >= 0 && exit_record_load(fd, ret, NULL) == 0;
}

int container_save_exit(const Container *c, int exit_code, Error *err) {
        _cleanup_close_ int fd = container_open_exit_dir(c);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open where the end of container '%s' is recorded", c->state->id);
        return exit_record_now(fd, exit_code, c->state->cgroups, c->state->remove ? 0 : WRITE_DURABLE, err);
}

static int unpublish_as(RunDir *dir, const char *mark, Error *err) {
        if (renameat(dir->fd, STATE_FILE, dir->fd, mark) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "unpublish container '%s'", dir->id);
        return 0;
}

int container_stop_here(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, Error *err) {
        if (unpublish_as(dir, STOPPING_FILE, err) < 0)
                return -1;
        return transaction_undo(lifecycle, dir, undo_flags, err);
}

int container_remove_here(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (unpublish_as(dir, DELETING_FILE, err) < 0)
                return -1;
        /* After a power loss nothing but the record says that it was to go. */
        if (stored_load(lifecycle, dir->id, &fd, &record, err) < 0)
                return -1;
        if (record && record->complete) {
                record->complete = false;
                if (container_record_save(fd, record, true, err) < 0)
                        return -1;
        }
        return transaction_undo(lifecycle, dir, undo_flags, err);
}

int container_ended(const Lifecycle *lifecycle, const char *id, const ProcessRef *init, bool remove, unsigned undo_flags, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        Error e = ERROR_INIT;

        if (container_find(lifecycle, id, FIND_LOCK, &c, &e) < 0) {
                if (e.kind == ERROR_CONTAINER_NOT_FOUND || e.kind == ERROR_INVALID_STATE)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        if (!c->dir || c->state->init.pid != init->pid || c->state->init.start_time != init->start_time)
                return 0;
        if (remove || c->state->remove)
                return container_remove_here(lifecycle, c->dir, undo_flags, err);
        return c->state->store ? container_stop_here(lifecycle, c->dir, undo_flags, err) : 0;
}
