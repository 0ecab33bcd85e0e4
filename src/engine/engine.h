#pragma once

/*
 * The container engine, the parent's half: from a bundle's configuration to a running container, whatever launcher starts its init. It keeps
 * all it must know below the container's runtime_dir, written before it has an effect, so that a repair needs nothing but the disk.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/process.h"
#include "runtime/criu.h"

/** One start of the init. Descriptors are borrowed */
typedef struct EngineLaunch {
        const char *init;      /* path of the init program */
        int socket;            /* its end of the socket, passed as its only argument by number */
        int answers;           /* our end; a launcher that announces reads INIT_ANNOUNCED from it, and nothing more */
        int cgroup_fd;         /* of cgroup v2, to be born into; -EBADF: it enters by itself */
        uint64_t namespaces;   /* clone flags: to be made by the launcher */
        int stdin_fd, stdout_fd, stderr_fd; /* as in Spawn */
        int preserve_fds;
        /* between launch() and settle(), the launcher's own */
        pid_t helper;
        int report, reaps;
} EngineLaunch;

typedef struct EngineLauncher {
        const char *name;
        uint64_t namespaces; /* clone flags that it can make; the init makes the rest */
        bool announces;      /* the init says that it runs, before it reads its plan: how a launcher learns of it whose child it is not */
        bool own_stdio;      /* its child must not hold the container's standard streams: they come with the plan */
        bool own_mounts;     /* the init starts in a mount namespace of the launcher's, and has to come back to ours */
        bool two_processes;  /* there is a second process in the cgroup until the init runs */
        /** check() - refuse what this launcher cannot do, before anything is made; NULL: it can do all */
        int (*check)(const json_t *spec, Error *err);
        /** launch() - start the init. @ret_pid: it, a child of this process; not yet where there is a settle() */
        int (*launch)(EngineLaunch *launch, pid_t *ret_pid, Error *err);
        /** settle() - wait until the init is a child of this process, whoever bore it. NULL: it always is */
        int (*settle)(EngineLaunch *launch, pid_t *ret_pid, Error *err);
        /** abandon() - in place of settle(): nothing of it is to be left. NULL where settle() is */
        void (*abandon)(EngineLaunch *launch);
} EngineLauncher;

/** engine_announced() - read the announcement that waits in @answers; @ret: the init. Errors: RuntimeError */
int engine_announced(int answers, pid_t *ret, Error *err);

/** The container a call is about. Borrowed */
typedef struct EngineContainer {
        const EngineLauncher *launcher;
        const char *id;
        const char *bundle;      /* absolute */
        const char *config_dir;  /* absolute, has its config.json: the bundle, unless the container was made from another file */
        const char *runtime_dir; /* absolute, exists: ROOT/ID/runtime */
        bool systemd_cgroup;
        void (*warn)(void *userdata, const char *text); /* what the spec wants said, and nothing failed for; NULL: to nobody */
        void *warn_data;
} EngineContainer;

typedef struct EngineCreate {
        json_t *spec;               /* the bundle's configuration as spec_load() gave it, which may be added to; NULL: to be read */
        const char *console_socket; /* NULL: none */
        bool no_pivot, no_new_keyring;
        int preserve_fds;
        const char *notify_socket; /* $NOTIFY_SOCKET, of the service manager; NULL: none */
        int listen_fds; /* how many of the preserved ones are of socket activation, from 3 on */
        int stdin_fd, stdout_fd, stderr_fd; /* as in Spawn */
        char ***ret_cgroups;        /* the container's cgroups, set before anybody hears who the init is; strv_free(). NULL: not asked for */
        const CriuRestore *restore; /* its processes come from a checkpoint, and run at once; NULL: from the configuration */
        const char *criu;           /* program of CRIU; NULL: the one in PATH */
        ProcessRef *ret_init;       /* the init, set at that time, too. NULL: not asked for */
} EngineCreate;

typedef struct EngineExec {
        const json_t *process;    /* a process object of the runtime spec, complete */
        const json_t *linux_part; /* `linux` of the container's configuration: its seccomp profile holds for every process */
        const char *console_socket, *pid_file;
        const char *cgroup;       /* below each of the container's cgroups; NULL: those themselves */
        bool detach;
        int preserve_fds;
} EngineExec;

/** engine_features() - the runtime-spec's features document of the engine, whatever its launcher. @ret: json_decref() */
int engine_features(json_t **ret, Error *err);

/** engine_probe() - whether this kernel has what the init needs. Errors: RuntimeNotAvailable */
int engine_probe(Error *err);

/** engine_create() - everything up to where the init waits for start. A failure leaves nothing */
int engine_create(const EngineContainer *container, const EngineCreate *request, pid_t *ret_init, Error *err);

/**
 * engine_start() - let the init become the user's process; its failure to do so is ours
 * @notify_socket: $NOTIFY_SOCKET; a container that was created with one is waited for then, until it says that it is ready, or ends
 * @started:       called once the process runs, before that wait; may be NULL
 *
 * Errors: InvalidState, RuntimeError, …
 */
int engine_start(const EngineContainer *container, const char *notify_socket, void (*started)(void *userdata), void *userdata, Error *err);

/** engine_run() - create, start, wait, delete; see Backend.run */
int engine_run(const EngineContainer *container, const EngineCreate *request, int (*published)(void *userdata, pid_t init, Error *err),
               void *userdata, int *ret_status, Error *err);

/** engine_restore() - engine_create() of a request with `restore`: the container runs when it returns; @run as engine_run() */
int engine_restore(const EngineContainer *container, const EngineCreate *request, pid_t *ret_init, Error *err);
int engine_restore_run(const EngineContainer *container, const EngineCreate *request, int (*published)(void *userdata, pid_t init, Error *err),
                       void *userdata, int *ret_status, Error *err);

/**
 * engine_checkpoint() - write the container's processes to files. Unless they are left running they are killed by that
 * @criu: program of CRIU; NULL: the one in PATH
 *
 * Errors: NotSupported (what cannot be restored afterwards), RuntimeNotAvailable, RuntimeError, …; the container runs on then
 */
int engine_checkpoint(const EngineContainer *container, const ProcessRef *init, char *const *cgroups, const CriuDump *request,
                      const char *criu, Error *err);

/** engine_is_waiting() - whether the init still waits for start */
bool engine_is_waiting(const EngineContainer *container);

/** engine_delete() - kill what is left (@force: what runs), remove, run the poststop hooks; idempotent, from disk alone */
int engine_delete(const EngineContainer *container, bool force, Error *err);

/** engine_exec() - one more process in the container whose init is @init. @ret_status: its exit code; 0 when detached */
int engine_exec(const EngineContainer *container, const ProcessRef *init, char *const *cgroups, const EngineExec *request, int *ret_status,
                Error *err);

/** engine_update() - @resources: a LinuxResources object */
int engine_update(const EngineContainer *container, char *const *cgroups, const json_t *resources, Error *err);
