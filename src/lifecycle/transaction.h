#pragma once

/*
 * The runner of transactions. A transaction is a table of steps; each is journaled before it starts. When one fails it has cleaned up
 * its own partial work as far as it can, and the runner undoes what was begun, in reverse, by the same code that repairs after a
 * crash: undo functions see the disk (Undo) and nothing of the transaction's memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lifecycle/journal.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/rundir.h"
#include "oci/state.h"
#include "store/container.h"
#include "store/driver.h"
#include "store/store.h"

/** A transaction under way. Strings and objects are owned but for the first group. */
typedef struct Transaction {
        const Lifecycle *lifecycle;
        const CreateRequest *request;
        const struct Step *steps;
        size_t n_steps;

        size_t current;      /* step that is under way, or next */
        bool in_step;
        bool skipped;        /* set by a step that had nothing to do */
        uint64_t step_began; /* nanoseconds, CLOCK_MONOTONIC */

        JournalKind kind;
        RunDir *dir;     /* NULL until the id is reserved */
        int journal_fd;

        const Backend *backend;
        char *bundle;    /* absolute */
        char *rootfs;    /* absolute */
        char *pid_file;  /* absolute; NULL: none */
        char *oci_version;
        char *cgroups_path; /* linux.cgroupsPath of the configuration; NULL: none */
        json_t *spec;       /* a bundle's configuration, as it was checked; NULL: it is still to be made, or may have changed since */
        json_t *annotations;
        char boot_id[BOOT_ID_MAX];
        uint64_t mount_namespace;
        bool terminal;   /* the bundle's process.terminal */

        /* of a container made from an image */
        Store *store;
        int gc_lock;     /* "gc", shared, while the reference is made */
        StoreImage *image;
        ImageConfig *image_config;
        const Driver *driver;
        bool boots;         /* a system container */
        IdMapping *mapping; /* of its user namespace; NULL: none */
        char *uid_map, *gid_map; /* of the same, in the words of the options, when they are not the user's; NULL: they are */
        ContainerRecord *record;
        int container_fd;
        char *container_path;

        /* of the runtime phase */
        bool monitored;  /* a monitor of ours holds its stdio */
        ProcessRef monitor, init;
        ProcessRef waiter; /* this process, when it is a foreground run */
        char **cgroups;
        ContainerStatus publish_as; /* created, or running for a foreground run, which starts in the same breath */
} Transaction;

/** What an undo function works from */
typedef struct Undo {
        const Lifecycle *lifecycle;
        RunDir *dir;              /* locked by us */
        const Journal *journal;   /* NULL: there is none */
        bool whole;               /* everything goes; false: record and files of an image's container stay */
        bool same_boot;           /* false: its processes, mounts and cgroups are of an earlier boot */
        bool runtime_is_done;     /* the runtime itself has deleted the container */
        const char *store_path;   /* NULL: a bundle's container */
        Store *store;             /* opened on first use by undo_store() */
} Undo;

typedef enum StepFlags {
        STEP_IMAGE = 1 << 0, /* only for containers made from images */
} StepFlags;

typedef struct Step {
        const char *name;
        unsigned flags;
        int (*run)(Transaction *transaction, Error *err);
        int (*undo)(Undo *undo, Error *err); /* idempotent; NULL: nothing to undo */
} Step;

/** The nine phases; the undo functions of every transaction are these, found by name */
extern const Step create_steps[];
#define CREATE_STEPS 9
/** The phases of starting a stopped container again */
extern const Step start_steps[];
#define START_STEPS 6

void transaction_init(Transaction *transaction, const Lifecycle *lifecycle, const CreateRequest *request, const Step *steps, size_t n_steps);
void transaction_clear(Transaction *transaction);
#define _cleanup_transaction_ _cleanup_(transaction_clear)

/** transaction_run() - run the steps up to, not including, the one named @until (NULL: all). A failure is undone before it returns */
int transaction_run(Transaction *transaction, const char *until, Error *err);

/** transaction_step_begin(), transaction_step_end() - for a step whose work is done by the caller; end passes on the step's own @result */
int transaction_step_begin(Transaction *transaction, Error *err);
int transaction_step_end(Transaction *transaction, int result, Error *err);

/** transaction_fail() - the current step failed with @err: undo, release the id. Always -1; @err stays what it was */
int transaction_fail(Transaction *transaction, Error *err);

/** transaction_continue() - as transaction_run() to the end, but a failure is not undone: for a callback within a step of the caller */
int transaction_continue(Transaction *transaction, Error *err);

typedef enum UndoFlags {
        UNDO_RUNTIME_IS_DONE = 1 << 0,
        UNDO_KEEP_ID         = 1 << 1, /* leave the empty, locked directory: another transaction follows */
} UndoFlags;

/**
 * transaction_undo() - undo what the directory says was begun, and release the id
 * @dir: locked; by default gone afterwards
 *
 * What is undone: a directory without state.json is a cut-off transaction; with "deleting.json" all of the container goes, with
 * "stopping.json" all but an image container's record and files. A directory with state.json is nobody's to undo (InvalidState).
 */
int transaction_undo(const Lifecycle *lifecycle, RunDir *dir, unsigned flags, Error *err);

/** The marks state.json is renamed to: one atomic step from published to to-be-undone */
#define DELETING_FILE "deleting.json"
#define STOPPING_FILE "stopping.json"

/** undo_store() - the store of the container, opened once; *ret is NULL when it is not there. Errors: as store_open() */
int undo_store(Undo *undo, Store **ret, Error *err);

/**
 * undo_record() - the store's record of this container, and its directory
 * @ret: NULL when there is none that is this root's, and this undo's business; container_record_free()
 */
int undo_record(Undo *undo, int *ret_fd, ContainerRecord **ret, Error *err);

/** lifecycle_note() - tell the observer */
void lifecycle_note(const Lifecycle *lifecycle, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** lifecycle_interrupted() - whether a signal asked to stop; @err is set then */
bool lifecycle_interrupted(const Lifecycle *lifecycle, Error *err);
