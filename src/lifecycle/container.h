#pragma once

/*
 * Finding a container for a command, whichever of its two lives it is in, and repairing what a cut-off transaction left of it on the
 * way: only when its lock is free, and never by waiting.
 */

#include "lifecycle/lifecycle.h"
#include "lifecycle/rundir.h"
#include "oci/state.h"
#include "runtime/monitor.h"

typedef struct Container {
        RunDir *dir;            /* NULL: a stopped image container, of which only the store knows */
        State *state;           /* always; made up from the record when only the store knows */
        ContainerStatus status; /* what holds now */
        const Backend *backend; /* NULL: of the state's runtime there is no row any more */
} Container;

Container *container_free(Container *container);
static inline void container_freep(Container **container) {
        container_free(*container);
}

typedef enum FindFlags {
        FIND_LOCK      = 1 << 0, /* hold its lock; waits for another command that changes it, never for a creator */
        FIND_CREATING  = 1 << 1, /* one that is being created is found too; else it is InvalidState */
        FIND_NO_REPAIR = 1 << 2, /* leave a cut-off one as it is: InvalidState; and one that has ended unseen */
        FIND_UNSEEN    = 1 << 3, /* one that has ended unseen is found too; else it goes, as its --rm asked, and is ContainerNotFound */
} FindFlags;

/** container_find() - Errors: InvalidArgument (id), ContainerNotFound, InvalidState, and those of a repair */
int container_find(const Lifecycle *lifecycle, const char *id, unsigned flags, Container **ret, Error *err);

/** container_backend() - the BackendContainer of one that has a directory. Errors: InvalidState when its runtime is unknown */
int container_backend(const Lifecycle *lifecycle, const Container *container, BackendContainer *ret, char runtime_dir[PATH_MAX], Error *err);

/** container_need_running() - Errors: InvalidState, in runc's words, which containerd knows, unless it is created, running or paused */
int container_need_running(const Container *container, Error *err);

/** container_open_exit_dir() - where the monitor, or a foreground run, writes how it ended; negative when there is no such place */
int container_open_exit_dir(const Container *container);
/** container_exit() - the exit record of a stopped container; false when there is none */
bool container_exit(const Container *container, ExitRecord *ret);

/** container_save_exit() - record that it has ended now; after a power loss nobody asks for that of one that goes when it ends. Errors: FileError, OutOfMemory */
int container_save_exit(const Container *container, int exit_code, Error *err);

/** container_stop_here() - take an image container that has ended from published to stopped: its record and files stay. It is locked; its dir is gone after */
int container_stop_here(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, Error *err);

/** container_remove_here() - take all of a container away. It is locked; its dir is gone after */
int container_remove_here(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, Error *err);

/**
 * container_remove_unseen() - take a container away that was to go when it ends (--rm), but whose monitor or foreground run was gone by then
 * @dir:         locked; gone after, but with UNDO_KEEP_ID, if there was such a container
 * @ret_removed: whether there was
 */
int container_remove_unseen(const Lifecycle *lifecycle, RunDir *dir, unsigned undo_flags, bool *ret_removed, Error *err);

/**
 * container_ended() - what follows the end of a container that a process of ours waited for
 * @init:   which run of it: a container that was started anew meanwhile, or is gone, is left alone
 * @remove: delete it (--rm); else an image's container is stopped, and a bundle's stays as OCI has it
 */
int container_ended(const Lifecycle *lifecycle, const char *id, const ProcessRef *init, bool remove, unsigned undo_flags, Error *err);
