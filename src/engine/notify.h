#pragma once

/*
 * Telling a service manager that the container is ready. The container gets a socket of its own, and nothing of what it says there is passed
 * on but that it is ready, as with runc and crun: the rest (pids, descriptors, the watchdog) is between the manager and who it started.
 * Source: sd_notify(3). Private to engine/.
 */

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"
#include "engine/engine.h"

#define NOTIFY_DIR "notify" /* in runtime_dir; what is mounted into the container */

typedef struct Notify {
        int listener; /* the container's socket; -EBADF: nobody waits for it */
        int manager;  /* connected to the manager's */
} Notify;

#define NOTIFY_INIT ((Notify) { .listener = -EBADF, .manager = -EBADF })

/** notify_prepare() - at create: the directory, its mount and the variable in @spec. Errors: FileError, OutOfMemory */
int notify_prepare(const EngineContainer *container, int dir_fd, json_t *spec, Error *err);

/**
 * notify_begin() - at start: listen, and connect to the manager
 * @manager: $NOTIFY_SOCKET; NULL, or a container that was created without one: nothing to do
 *
 * Errors: FileError, InvalidArgument (no address of a socket)
 */
int notify_begin(Notify *notify, int dir_fd, const char *manager, Error *err);
void notify_end(Notify *notify);
#define _cleanup_notify_ _cleanup_(notify_end)

/**
 * notify_relay() - take one message, and pass it on when it is the one; then nothing more will come
 * @main_pid: who is the service from now on; 0: whoever the manager started
 */
void notify_relay(Notify *notify, pid_t main_pid);

/** notify_await() - relay until the container is ready, has ended, or a signal comes. @init: its pidfd */
void notify_await(Notify *notify, int init_fd, pid_t main_pid);

/** notify_forget() - remove what notify_prepare() made */
int notify_forget(int dir_fd, Error *err);
