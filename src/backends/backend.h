#pragma once

/*
 * Backends: what makes a container from a bundle. A new backend is one file (or folder) here and one line in meson.build; the table is in
 * backend.c. Generic code never compares names: differences are optional functions (NULL: NotSupported, said plainly) or capabilities.
 *
 * A backend keeps what it needs below `runtime_dir` and nowhere else, so that removing that directory (after its processes, cgroups and
 * mounts) forgets the container.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/process.h"
#include "oci/state.h"
#include "runtime/criu.h"

typedef enum BackendCapability {
        BACKEND_RUNS_HOOKS   = 1 << 0, /* runs the bundle's OCI hooks itself, inside create, start and delete */
        BACKEND_UNPRIVILEGED = 1 << 1, /* containers made from images get a user namespace, unless the user says otherwise */
        BACKEND_SHIELDS_HOST = 1 << 2, /* a user namespace's root need not get to the path of its root filesystem, nor is given host's devices */
        BACKEND_OWN_CGROUPS  = 1 << 3, /* makes its cgroups by runtime/cgroup-create.h, which refuses limits that it cannot set */
        BACKEND_ENDS_CGROUPS = 1 << 4, /* a run or delete that succeeded has left none of the container's cgroups */
        BACKEND_BOOTS        = 1 << 5, /* an init in it gets a cgroup to divide, on v1, too: system containers */
        BACKEND_PAUSES_AGAIN = 1 << 6, /* to pause what is paused, or resume what runs, changes nothing and is no error */
        BACKEND_OTHER_CONFIG = 1 << 7, /* makes a container of a bundle from another file than its config.json */
} BackendCapability;

typedef struct Backend Backend;

/** The container a call is about, and the options every call has. All borrowed. */
typedef struct BackendContainer {
        const Backend *backend;  /* the row whose function is called: one driver may have several */
        const char *id;
        const char *bundle;      /* absolute */
        const char *config_dir;  /* absolute, has its config.json: the bundle, unless the container was made from another file */
        const char *runtime_dir; /* absolute, exists, ours alone: ROOT/ID/runtime */
        const char *program;     /* path or name of the runtime's program from the config; NULL: the backend's default */
        const char *criu;        /* --criu: the CRIU program; NULL: the backend's default */
        const char *rootless;    /* --rootless: "auto", "true" or "false"; NULL: not said */
        bool systemd_cgroup;
        bool no_cgroups;         /* --cgroup-manager disabled: the container stays in the caller's cgroups */
        bool debug;
        /** started() - of a start: the process runs, and the call goes on only until that says that it is ready. NULL: not asked for */
        void (*started)(void *userdata);
        void *userdata;
        /** what the spec wants said, and nothing failed for; NULL: to nobody */
        void (*warn)(void *userdata, const char *text);
        void *warn_data;
} BackendContainer;

/** The options of checkpoint and restore */
typedef CriuOptions BackendCriu;
typedef CriuDump BackendCheckpoint;
typedef CriuRestore BackendRestore;

typedef struct BackendCreate {
        const BackendRestore *restore; /* the container comes from a checkpoint, running at once; NULL: from its bundle */
        const char *console_socket; /* NULL: none */
        json_t *spec;               /* the bundle's config.json as spec_load() gave it, which may be added to; NULL: to be read */
        const char *cgroups_path;   /* linux.cgroupsPath of the bundle's config.json, which the caller has read; NULL: it has none */
        bool no_pivot, no_new_keyring, no_subreaper;
        int preserve_fds; /* --preserve-fds: of the caller's descriptors, after those of socket activation */
        int listen_fds;   /* of socket activation, from 3 on */
        int stdin_fd, stdout_fd, stderr_fd; /* as in Spawn */
        char ***ret_cgroups; /* by a backend that knows them: the container's cgroups, before it says who the init is; strv_free(). May be NULL */
        ProcessRef *ret_init; /* by a backend that has looked: who the init is, before it says so. May be NULL */
} BackendCreate;

typedef struct BackendExec {
        const json_t *process;     /* a process object of the runtime spec; NULL: use the members below */
        const char *process_file;  /* --process FILE as the user gave it; NULL: none */
        char *const *args;         /* NULL-terminated */
        const char *cwd, *user, *console_socket, *pid_file, *apparmor, *process_label, *cgroup;
        char *const *env, *const *caps, *const *additional_gids;
        bool tty, detach, no_new_privs;
        bool ignore_paused; /* the container may be paused: the process waits until it is resumed */
        int preserve_fds, listen_fds; /* as in BackendCreate */
} BackendExec;

typedef struct BackendUpdate {
        const json_t *resources; /* a LinuxResources object of the runtime spec */
        const char *l3_cache_schema, *mem_bw_schema; /* of linux.intelRdt; NULL: unchanged */
} BackendUpdate;

struct Backend {
        const char *name;
        const char *summary; /* one line for --help and docs */
        unsigned capabilities;
        const void *driver_data; /* what tells rows of one driver apart; the driver's own */

        /**
         * probe() - 0 when it can be used here; else -1 with RuntimeNotAvailable, why, and a hint how to make it so
         * @program: from the config; NULL: the backend's default
         *
         * Cheap, starts no program: `auto` asks each in turn.
         */
        int (*probe)(const Backend *backend, const char *program, Error *err);

        /**
         * create() - make the container, its init waiting before the user's process
         * @ret_init: the process the pid file will name
         *
         * A failure cleans up its own partial work. The runtime's own words are the cause of the error (RuntimeError unless a better kind is known).
         */
        int (*create)(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err);

        int (*start)(const BackendContainer *container, Error *err);

        /** kill() - @all: every process of the container. Errors: InvalidState when it is not running */
        int (*kill)(const BackendContainer *container, const State *state, int signal, bool all, Error *err);

        /**
         * delete() - remove what create() made, however far it came, processes and cgroups included; idempotent
         * @force: kill what still runs; without it a running container is InvalidState and stays as it is
         *
         * Needs only what is on disk in @runtime_dir, so it also repairs after a crash in create(). The runtime's own claim of success is not
         * trusted, it is checked.
         */
        int (*delete)(const BackendContainer *container, bool force, Error *err);

        /** state() - created, running, paused or stopped, as processes, cgroups and @runtime_dir tell; starts no program */
        int (*state)(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err);

        /* ---- optional from here: NULL is NotSupported ---- */

        /**
         * run() - create, start and wait in one process of the runtime, in the foreground; it deletes the container itself at the end
         * @published: called once, as soon as init is known (it may have ended already); -1 from it kills the container and fails run()
         * @ret_status: exit code as the runtime gave it (128 + signal); set on success only, and what the container did is success
         *
         * Signals that a process sends to this one go on to the container; those of the terminal reach it anyway.
         */
        int (*run)(const BackendContainer *container, const BackendCreate *request, int (*published)(void *userdata, pid_t init, Error *err),
                   void *userdata, int *ret_status, Error *err);

        /** exec() - @ret_status: exit code of the process; 0 when detached */
        int (*exec)(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err);

        int (*pause)(const BackendContainer *container, const State *state, Error *err);
        int (*resume)(const BackendContainer *container, const State *state, Error *err);

        /** update() - change limits. What cannot be changed, or would be passed over, is NotSupported, and nothing is changed then */
        int (*update)(const BackendContainer *container, const State *state, const BackendUpdate *request, Error *err);

        /** stats() - what runc's `events --stats` prints as "data" */
        int (*stats)(const BackendContainer *container, const State *state, json_t **ret, Error *err);

        /** features() - the runtime-spec's features document of what is behind this backend; @program as for probe() */
        int (*features)(const Backend *backend, const char *program, json_t **ret, Error *err);

        /** checkpoint() - write the container's processes to files; unless it is left running, its processes are gone after success */
        int (*checkpoint)(const BackendContainer *container, const State *state, const BackendCheckpoint *request, Error *err);

        /** restore() - create() for a request with `restore` set: the container runs when it returns. run() takes such a request, too */
        int (*restore)(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err);
};

/** backend_find() - by name. Errors: InvalidArgument, naming the backends there are */
int backend_find(const char *name, const Backend **ret, Error *err);

/** backend_at() - rows of the table in the order `auto` tries them; NULL past the end */
const Backend *backend_at(size_t index);
