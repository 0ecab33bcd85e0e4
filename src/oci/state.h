#pragma once

/* A container's state as this program keeps it, and as OCI shows it. Source: runtime-spec, runtime.md "State" */

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/process.h"

typedef enum ContainerStatus {
        STATUS_CREATING,
        STATUS_CREATED,
        STATUS_RUNNING,
        STATUS_PAUSED,
        STATUS_STOPPED,
} ContainerStatus;

const char *status_name(ContainerStatus status);
int status_parse(const char *text, ContainerStatus *ret, Error *err);

/** What state.json holds. Strings are owned. */
typedef struct State {
        char *id;
        char *runtime;           /* backend name */
        char *bundle;            /* absolute path */
        char *rootfs;            /* absolute path of the root */
        char *oci_version;       /* of the bundle's config */
        char *created;           /* RFC 3339, UTC, nanoseconds */
        char *owner;             /* user name of who created it */
        char *image;             /* reference; NULL for a bundle's container */
        char *store;             /* absolute path of the store; NULL for a bundle's container */
        json_t *annotations;     /* of strings; NULL when none */
        ContainerStatus status;  /* as of when it was written; what holds now also depends on the processes */
        ProcessRef init;         /* the process the pid file names */
        ProcessRef monitor;      /* ours, of a detached container; pid 0 when none */
        ProcessRef waiter;       /* the foreground run that waits for it; pid 0 when none */
        bool remove;             /* --rm: whoever waits for its end deletes it then, or the next command, when that one is gone */
        char boot_id[BOOT_ID_MAX];
        uint64_t mount_namespace; /* inode of the namespace that has the rootfs mount */
        bool systemd_cgroup;
        int exit_code;           /* -1 until known; 128 + signal when killed */
        char *exited;            /* RFC 3339; NULL until known */
        char **cgroups;          /* cgroup directories of the container, absolute; what undo removes when the runtime left them */
} State;

/** state_free() - returns NULL */
State *state_free(State *state);
static inline void state_freep(State **state) {
        state_free(*state);
}

#define STATE_FILE     "state.json"
#define STATE_SIZE_MAX (4u << 20) /* bytes */

/** state_load() - read state.json of an id's directory. Errors: FileError (ENOENT: not published), InvalidJson, InvalidState */
int state_load(int dir_fd, State **ret, Error *err);
/** state_load_as() - the same, of a state.json that was renamed */
int state_load_as(int dir_fd, const char *name, State **ret, Error *err);

/** state_save() - write it atomically; no fsync. Errors: FileError, OutOfMemory */
int state_save(int dir_fd, const State *state, Error *err);

/**
 * state_oci_json() - the document that `state` prints: ociVersion, id, pid, status, bundle, rootfs, created, owner, annotations; field names and
 * order of runc. Where systemd made a scope, systemd-scope names it, as crun's does
 * @status: what holds now
 */
int state_oci_json(const State *state, ContainerStatus status, json_t **ret, Error *err);

/** id_check() - whether an id is legal: 1…255 bytes of [A-Za-z0-9_+.-], neither "." nor "..", not starting with "." (as runc, stricter). Errors: InvalidArgument */
int id_check(const char *id, Error *err);
#define ID_MAX 255 /* bytes: NAME_MAX, an id names directories */
