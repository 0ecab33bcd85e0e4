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

/** session_finish() - from "go on" to exec: delivers a seccomp listener on the way. Errors: the init's */
int session_finish(Session *session, const json_t *record, Error *err);
