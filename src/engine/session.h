#pragma once

/* One init under way: its start, the plan that it gets, what it says. Private to engine/. */

#include "engine/builder.h"
#include "engine/engine.h"

typedef struct Session {
        int socket;
        pid_t pid;     /* our child, as the container's pid it may become another one; 0: none */
        ProcessRef noted; /* what was noted down of it */
        int console;   /* the terminal's master that came; -EBADF: none */
        int dir_fd;    /* of a container's init: where its pid is noted down before it goes on; borrowed, or -EBADF */
        const EngineLauncher *launcher; /* between session_begin() and session_settle() */
        EngineLaunch launch;
} Session;

#define SESSION_INIT ((Session) { .socket = -EBADF, .console = -EBADF, .dir_fd = -EBADF })

/**
 * session_begin() - have the init started. It dies with this process, until it is ready
 * @launch: its first group
 * @early:  clone flags of namespaces that the init makes while its plan is still being made
 */
int session_begin(Session *session, const EngineLauncher *launcher, const EngineLaunch *launch, PlanKind kind, uint64_t early, Error *err);

/** session_settle() - now it is there, and noted down. To be called before its plan is sent */
int session_settle(Session *session, Error *err);

/** announce_begin() - let messages bring their sender's credentials, or no more */
int announce_begin(int socket, bool on);

/** session_send_plan() - the plan, with its descriptors */
int session_send_plan(Session *session, const Builder *builder, Error *err);

/** session_go_on() - what the init waits for has happened */
int session_go_on(const Session *session, Error *err);

/**
 * session_next() - what the init says next: INIT_MOUNTED, INIT_READY, INIT_LISTENER; INIT_EXECUTED when it is the user's process now
 * @ret_fd: what came with it; -EBADF
 *
 * Errors: the init's own; RuntimeError when it died without a word
 */
int session_next(Session *session, InitMessage *ret, int *ret_fd, Error *err);

/** session_abort() - kill the init and wait for it */
void session_abort(Session *session);

/** session_end() - let go of the init */
void session_end(Session *session);
#define _cleanup_session_ _cleanup_(session_end)

/** listener_deliver() - take the seccomp listener out of the process and hand it to who listens; @page: the memory in which to say so */
int listener_deliver(pid_t pid, int number, int page, const json_t *record, Error *err);
