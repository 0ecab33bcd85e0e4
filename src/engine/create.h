#pragma once

/* A container being made: what create and run share. Private to engine/. */

#include "base/cleanup.h"
#include "engine/builder.h"
#include "engine/session.h"
#include "network/network.h"
#include "runtime/cgroup-create.h"

typedef struct Creation {
        const EngineContainer *container;
        const EngineCreate *request;
        bool at_once;      /* run: nobody else will start it */
        int dir_fd;        /* runtime_dir */
        json_t *spec;
        json_t *record;    /* as it is on disk */
        Cgroup *cgroup;
        MovedDevices *devices; /* of the host, that the container got; NULL: none */
        Session session;
} Creation;

void creation_end(Creation *creation);
#define _cleanup_creation_ _cleanup_(creation_end)

/** creation_make() - up to READY. On failure the init is gone, but not what is on disk: engine_delete() */
int creation_make(Creation *creation, Error *err);


/** creation_load_spec() - of the request, or the bundle's. creation_make_cgroups() - note them down, and make them */
int creation_load_spec(Creation *creation, Error *err);
int creation_make_cgroups(Creation *creation, Error *err);

/** creation_tell_who_it_is() - the init and its cgroups, to who asked; nobody here needs those any more */
void creation_tell_who_it_is(Creation *creation);

/** creation_outer_hooks() - prestart and createRuntime: the container's namespaces are there */
int creation_outer_hooks(const Creation *creation, pid_t init, Error *err);

/** console_connect() - to who holds the other end of a container's terminal */
int console_connect(const char *path, int *ret, Error *err);

/** session_finish() - from "go on" to exec: delivers a seccomp listener on the way. Errors: the init's */
int session_finish(Session *session, const json_t *record, Error *err);
