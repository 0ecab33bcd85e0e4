#pragma once

/*
 * CRIU, which writes the processes of a container to files and makes them again. It is a program of its own, talked to over a socket
 * (`criu swrk`), as runc does. Source: CRIU, images/rpc.proto
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/** What checkpoint and restore have in common. All optional: NULL and false are "not said" */
typedef struct CriuOptions {
        const char *image_path; /* absolute; of a restore: exists */
        const char *work_path;
        const char *manage_cgroups_mode, *network_lock;
        char *const *empty_ns;
        bool tcp_established, ext_unix_sk, shell_job, file_locks, lazy_pages, auto_dedup;
} CriuOptions;

typedef struct CriuDump {
        CriuOptions criu;
        const char *parent_path, *page_server;
        int status_fd; /* inherited; -1: none */
        bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
} CriuDump;

typedef struct CriuRestore {
        CriuOptions criu;
        const char *lsm_profile, *lsm_mount_context;
        bool tcp_close;
} CriuRestore;

#define CRIU_INHERITED_MAX 4 /* descriptors that CRIU gets besides the standard streams */
#define CRIU_INHERITED     4 /* number of the first of them in CRIU: its socket is 3 */

/** One call of CRIU: its process, and the options of the request that is being put together */
typedef struct Criu {
        pid_t pid;
        int socket;
        int image_fd, work_fd; /* directories; work_fd -EBADF: none */
        bool dump, pre_dump;
        Buf options;           /* of the request */
} Criu;

#define CRIU_INIT ((Criu) { .socket = -EBADF, .image_fd = -EBADF, .work_fd = -EBADF, .options = BUF_INIT(131072) })

/** How CRIU is started. Descriptors are borrowed */
typedef struct CriuStart {
        const char *program; /* path or name; NULL: "criu" */
        int stdio[3];        /* as in Spawn */
        int inherited[CRIU_INHERITED_MAX]; /* become numbers CRIU_INHERITED … */
        size_t n_inherited;
        /** prepare() - called in CRIU's process before it is CRIU: cgroups, a mount namespace. NULL: nothing */
        int (*prepare)(void *userdata, Error *err);
        void *userdata;
} CriuStart;

/** What CRIU tells on the way */
typedef struct CriuEvents {
        /** namespaces() - of a restore: they are there, and nobody runs in them. @root: the container's init */
        int (*namespaces)(void *userdata, pid_t root, Error *err);
        /** terminal() - @master: the other end of the container's terminal, taken */
        int (*terminal)(void *userdata, int master, Error *err);
        void *userdata;
        int status_fd; /* gets a NUL when memory pages can be asked for; -1: none */
} CriuEvents;

/**
 * criu_begin() - open (of a dump: make) the directories and start CRIU, which then waits for its request
 * @criu: CRIU_INIT; criu_end()
 *
 * Errors: NotSupported (not root), RuntimeNotAvailable (no such program), FileError, those of prepare()
 */
int criu_begin(Criu *criu, const CriuStart *start, const CriuOptions *options, bool dump, Error *err);

/** criu_add_dump(), criu_add_restore() - the user's options. Errors: InvalidArgument */
int criu_add_dump(Criu *criu, const CriuDump *dump, pid_t root, Error *err);
int criu_add_restore(Criu *criu, const CriuRestore *restore, Error *err);

/** criu_add_external() - what the container does not own: "mnt[NAME]:SOURCE", "net[INODE]:NAME" */
int criu_add_external(Criu *criu, Error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** criu_add_inherited() - a descriptor of CRIU's that takes the place of what was called @key */
int criu_add_inherited(Criu *criu, const char *key, int number, Error *err);

/** criu_add_join() - an existing namespace in place of a new one. @type: "ipc", "uts", … */
int criu_add_join(Criu *criu, const char *type, const char *path, Error *err);

/** criu_add_own_cgroups() - CRIU's own cgroups, which it was put into, are those of the container */
int criu_add_own_cgroups(Criu *criu, Error *err);

/** criu_add_freezer() - the cgroup of the container that can be frozen. criu_add_config() - a file of options that override ours; NULL: none */
int criu_add_freezer(Criu *criu, const char *path, Error *err);
int criu_add_config(Criu *criu, const char *path, Error *err);

/** criu_add_root() - the container's root filesystem, a mount point in CRIU's mount namespace */
int criu_add_root(Criu *criu, const char *path, Error *err);

/**
 * criu_call() - send the request, and go along with what CRIU does until it is done and gone
 * @ret_root: of a restore: the container's init, a child of this process; NULL for a dump
 *
 * Errors: RuntimeError with the first error of CRIU's log, those of the events
 */
int criu_call(Criu *criu, const CriuEvents *events, pid_t *ret_root, Error *err);

/** criu_end() - end CRIU if it still runs, by closing its socket: it then undoes what it did to the processes */
void criu_end(Criu *criu);
#define _cleanup_criu_ _cleanup_(criu_end)
