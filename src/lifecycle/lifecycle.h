#pragma once

/*
 * The transactions behind the commands. Nothing here prints: progress goes to the observer, results come back as values.
 *
 * ROOT/ID/ (--root) holds: lock (held by who changes the container), journal (one line per phase, no fsync), state.json, runtime/ (the
 * backend's own), cgroups (directories found so far, for undo). See docs/ARCHITECTURE.md for the protocol.
 */

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "base/config.h"
#include "base/error.h"
#include "image/image.h"
#include "network/network.h"
#include "oci/runtime-spec.h"
#include "oci/state.h"
#include "registry/registry.h"
#include "runtime/log.h"

typedef struct LifecycleObserver {
        /** a phase begins; @index counts from 1, of @count */
        void (*phase_begin)(void *userdata, const char *phase, unsigned index, unsigned count);
        /** a phase ended after @nanoseconds; @skipped: it had nothing to do for this container */
        void (*phase_end)(void *userdata, const char *phase, uint64_t nanoseconds, bool skipped, const Error *err);
        /** something worth knowing at --log-level info (a repair of a cut-off transaction, …) */
        void (*note)(void *userdata, const char *text);
        /** something that went wrong, and that the runtime spec wants to be told but not failed for */
        void (*warn)(void *userdata, const char *text);
        void *userdata;
        ImageProgress image_progress;
} LifecycleObserver;

/** What every command has: borrowed, filled by cli/ */
typedef struct Lifecycle {
        const char *root;         /* absolute */
        const char *store;        /* absolute */
        const char *runtime;      /* --runtime; NULL: not given */
        const char *program_name; /* argv[0]'s last component: "proxmox-lxcri-crun" chooses crun */
        const Config *config;
        const char *criu, *rootless; /* --criu, --rootless as given; NULL: not given */
        bool systemd_cgroup, no_cgroups, debug;
        bool rootless_user;          /* we are root of a user's own namespaces, by lifecycle_enter() */
        const volatile sig_atomic_t *interrupted; /* a signal asked to stop: phases end with Interrupted and are undone */
        LifecycleObserver observer;
} Lifecycle;

/**
 * lifecycle_enter() - as a user without privileges, become root of a user namespace of that user's; as root: nothing
 * @id: join the one that this container was made in, when it is one of an image and still has it; a bundle's, or an unknown one: nothing
 *      happens. NULL: a new one is made
 *
 * There is no way back: what is to be done in several of them is done in child processes. The lifecycle is the caller's own, and is told.
 *
 * Errors: NotSupported (no ranges of ids, no user namespaces), RuntimeNotAvailable (no newuidmap), FileError, InvalidState
 */
int lifecycle_enter(Lifecycle *lifecycle, const char *id, Error *err);

/** When an image is fetched from its registry */
typedef enum PullPolicy {
        PULL_MISSING, /* when the store does not have it, or not for the wanted platform */
        PULL_ALWAYS,
        PULL_NEVER,
} PullPolicy;

typedef struct CreateRequest {
        const char *id;
        const char *bundle;     /* --bundle; NULL with image */
        const char *config;     /* --config: in place of the bundle's config.json; NULL: that one */
        const char *image;      /* --image; NULL with bundle */
        PullPolicy pull;        /* with image */
        const Platform *platform;          /* --platform; NULL: this machine's */
        const RegistryOptions *registry;   /* with image, unless pull is PULL_NEVER */
        const char *signature_policy; /* --signature-policy; NULL: the user's, else the system's */
        const char *storage_driver; /* --storage-driver; NULL: config */
        SpecOptions *options;   /* with image */
        NetworkOptions *network; /* with image; NULL: none */
        const char *pid_file, *console_socket;
        const BackendRestore *restore; /* restore: the processes come from a checkpoint; NULL: they are started */
        bool no_pivot, no_new_keyring, no_subreaper;
        int preserve_fds, listen_fds; /* as in BackendCreate */
        bool detach;            /* run -d */
        bool remove;            /* run --rm */
        bool keep;              /* run --keep of a bundle: not deleted at exit */
        bool on_boot;           /* with image: `start --on-boot` starts it */
} CreateRequest;

/** lifecycle_create() - the nine phases; returns when the container is created. Errors: any kind, with phase */
int lifecycle_create(const Lifecycle *lifecycle, const CreateRequest *request, Error *err);

/** lifecycle_run() - create + start; in the foreground also wait, and delete when the request or OCI says so. @ret_exit_code: of the container (0 when detached) */
int lifecycle_run(const Lifecycle *lifecycle, const CreateRequest *request, int *ret_exit_code, Error *err);

typedef struct StartRequest {
        const char *id;
        bool attach; /* image containers, start -a: stay in the foreground, with our stdio */
} StartRequest;

/** lifecycle_start() - start a created container; an image's container that is stopped is mounted and created again first */
int lifecycle_start(const Lifecycle *lifecycle, const StartRequest *request, int *ret_exit_code, Error *err);

/** lifecycle_state() - the OCI state document; never waits for a lock. Errors: ContainerNotFound */
int lifecycle_state(const Lifecycle *lifecycle, const char *id, json_t **ret, Error *err);

int lifecycle_kill(const Lifecycle *lifecycle, const char *id, int signal, bool all, Error *err);
/** lifecycle_delete() - @force: kill it first; a missing id is then success, as in runc */
int lifecycle_delete(const Lifecycle *lifecycle, const char *id, bool force, Error *err);
int lifecycle_exec(const Lifecycle *lifecycle, const char *id, const BackendExec *request, int *ret_exit_code, Error *err);
int lifecycle_pause(const Lifecycle *lifecycle, const char *id, Error *err);
int lifecycle_resume(const Lifecycle *lifecycle, const char *id, Error *err);
int lifecycle_update(const Lifecycle *lifecycle, const char *id, const BackendUpdate *request, Error *err);

/** lifecycle_checkpoint() - write a running container to files. Unless it is left running it is deleted, as by runc and crun; an image's must be left running */
int lifecycle_checkpoint(const Lifecycle *lifecycle, const char *id, const BackendCheckpoint *request, Error *err);

/** lifecycle_restore() - make a bundle's container anew from a checkpoint; @request->restore is set. @ret_exit_code: as of lifecycle_run() */
int lifecycle_restore(const Lifecycle *lifecycle, const CreateRequest *request, int *ret_exit_code, Error *err);

typedef struct EventsRequest {
        int64_t interval_ns; /* between statistics; 0: once, then it ends */
        /** event() - {"type": "stats", "id": …, "data": …} or {"type": "oom", "id": …}; -1 ends it with that error */
        int (*event)(void *userdata, const json_t *event, Error *err);
        void *userdata;
} EventsRequest;

/** lifecycle_events() - until the container's cgroups are gone. Errors: ContainerNotFound, InvalidState, NotSupported, Interrupted */
int lifecycle_events(const Lifecycle *lifecycle, const char *id, const EventsRequest *request, Error *err);

/** lifecycle_features() - the runtime-spec's features document of the runtime that would be chosen for a bundle */
int lifecycle_features(const Lifecycle *lifecycle, json_t **ret, Error *err);

/** lifecycle_stop() - stop signal, then SIGKILL after @timeout seconds (-1: config); 0 exit when already stopped */
int lifecycle_stop(const Lifecycle *lifecycle, const char *id, int timeout, Error *err);
int lifecycle_restart(const Lifecycle *lifecycle, const char *id, int timeout, Error *err);
/** lifecycle_wait() - until it has ended; its exit code */
int lifecycle_wait(const Lifecycle *lifecycle, const char *id, int *ret_exit_code, Error *err);

/**
 * lifecycle_ended() - the last act of a monitor: record how its container ended; then stop it, if it was made from an image, or delete it (--rm)
 * @init: which run of it; another one is left alone
 */
int lifecycle_ended(const Lifecycle *lifecycle, const char *id, const ProcessRef *init, int exit_code, Error *err);

/** lifecycle_ps() - pids of every process in it; free() */
int lifecycle_ps(const Lifecycle *lifecycle, const char *id, pid_t **ret, size_t *ret_n, Error *err);
/** lifecycle_inspect() - everything known: state, record, image, mounts, limits, log, exit */
int lifecycle_inspect(const Lifecycle *lifecycle, const char *id, json_t **ret, Error *err);
int lifecycle_logs(const Lifecycle *lifecycle, const char *id, LogRequest *request, int out_fd, int err_fd, Error *err);

/** One row of `list`: every container of this root and store, cut-off transactions included (as "creating" while their maker lives, "broken" after) */
typedef struct ListEntry {
        char *id, *status, *bundle, *created, *owner, *runtime, *image;
        json_t *document; /* as lifecycle_state() has it; NULL: broken */
        pid_t pid;     /* 0 when not running */
        int exit_code; /* -1: not known */
} ListEntry;
ListEntry *list_entries_free(ListEntry *entries, size_t n);
int lifecycle_list(const Lifecycle *lifecycle, ListEntry **ret, size_t *ret_n, Error *err);

typedef enum Selection {
        SELECT_ON_BOOT, /* wanted at boot, and not running */
        SELECT_RUNNING, /* or paused: those that stop */
} Selection;

/** lifecycle_select() - ids of containers made from images, sorted; what is broken is of both kinds, so that who asked meets its error. strv_free() */
int lifecycle_select(const Lifecycle *lifecycle, Selection which, char ***ret, Error *err);

/** lifecycle_match() - the ids of all containers that a POSIX extended regular expression matches; strv_free(). Errors: InvalidArgument */
int lifecycle_match(const Lifecycle *lifecycle, const char *pattern, char ***ret, Error *err);

/** lifecycle_recover() - undo what cut-off transactions left (@id NULL: of every id), and clean the store's tmp/; one result per item */
typedef struct RecoverResult {
        char *id;
        char *done; /* what was undone, for people; NULL when it failed */
        Error error;
} RecoverResult;
RecoverResult *recover_results_free(RecoverResult *results, size_t n);
int lifecycle_recover(const Lifecycle *lifecycle, const char *id, RecoverResult **ret, size_t *ret_n, Error *err);

/** The annotation of a bundle that names its runtime */
#define RUNTIME_ANNOTATION "org.proxmox-lxcri.runtime"

/** lifecycle_route() - which backend, and why ("--runtime", "the program's name", "annotation …", "rule 2: id crun-*", "default_runtime auto: …") */
int lifecycle_route(const Lifecycle *lifecycle, const char *id, const char *image, const json_t *annotations, const Backend **ret, char **ret_why, Error *err);
