#pragma once

/* Processes: identity that survives pid reuse and reboots, and starting programs without a shell. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** A process named so that a reused pid is not mistaken for it. */
typedef struct ProcessRef {
        pid_t pid;           /* 0: none */
        uint64_t start_time; /* field 22 of /proc/PID/stat, in clock ticks since boot */
} ProcessRef;

/** process_ref() - identify the process that has @pid now. Errors: FileError with ESRCH when there is none */
int process_ref(pid_t pid, ProcessRef *ret, Error *err);

/**
 * process_is_alive() - whether that very process still runs
 *
 * A zombie is not alive: its exit status is settled, and a container whose init is a zombie is stopped.
 */
bool process_is_alive(const ProcessRef *process);

/** process_open() - a pidfd for that very process; -ESRCH when it is gone, or another negative errno */
int process_open(const ProcessRef *process);

/** process_signal() - signal that very process through a pidfd; 0 or a negative errno (-ESRCH: gone) */
int process_signal(const ProcessRef *process, int signal);

/** process_mount_namespace() - inode of a process's mount namespace (0: self). Errors: FileError */
int process_mount_namespace(pid_t pid, uint64_t *ret, Error *err);

#define BOOT_ID_MAX 37 /* bytes with the NUL */

/** boot_id_read() - the kernel's id of this boot. A test build takes $PROXMOX_LXCRI_BOOT_ID in its place. Errors: FileError */
int boot_id_read(char ret[BOOT_ID_MAX], Error *err);

/** How to start a program. Descriptors are borrowed; -1 for a standard stream means /dev/null, SPAWN_INHERIT the caller's own. */
#define SPAWN_INHERIT (-2)
typedef struct Spawn {
        const char *const *argv; /* argv[0] is looked up in PATH unless it has a slash */
        const char *program;     /* what is run when argv[0] says something else; NULL: argv[0] */
        const char *const *envp; /* NULL: the caller's */
        int stdin_fd, stdout_fd, stderr_fd;
        const int *keep_fds; /* kept open across exec under their own numbers, close-on-exec cleared */
        size_t n_keep_fds;
        int n_preserve_fds;  /* descriptors 3 … 3+N-1 are kept too (--preserve-fds, socket activation) */
        int listen_fds;      /* how many of them are socket activation's: $LISTEN_FDS and $LISTEN_PID are for it; 0: it has neither variable */
        bool new_session;
        int parent_death_signal; /* 0: none */
} Spawn;

/**
 * process_listen_fds() - how many descriptors, from 3 on, socket activation handed to this program
 *
 * 0 when $LISTEN_PID names another process: those were not for us. 1 is a caller's word for the container's own process, and none is right
 * too: both are what podman and conmon say. Source: sd_listen_fds(3); crun, run_create.c
 */
int process_listen_fds(void);

/**
 * process_spawn() - start a program; every descriptor that is not named is closed in it, signal mask and handlers are reset
 * @ret_pid:   the child; the caller waits for it
 * @ret_pidfd: may be NULL
 *
 * Errors: RuntimeNotAvailable when the program is not found, FileError for other failures of exec (reported here, not in the child)
 */
int process_spawn(const Spawn *spawn, pid_t *ret_pid, int *ret_pidfd, Error *err);

/**
 * streams_place() - put descriptors (as in Spawn) at the standard streams' numbers, in a child that is to become another program
 * @above: what is below this number stays as it is
 *
 * Async-signal-safe. Returns -1 with errno
 */
int streams_place(int stdin_fd, int stdout_fd, int stderr_fd, int above);

/** process_wait() - wait for a child, over EINTR; *ret is waitpid()'s status. Errors: FileError */
int process_wait(pid_t pid, int *ret, Error *err);

/** exit_code_of() - the shell's number for a wait status: the exit code, or 128 + signal */
int exit_code_of(int status);

/** program_find() - the absolute path of a program by PATH (or of a path with a slash, when executable); NULL when not found; free() */
char *program_find(const char *name);

/** descriptors_close_but() - close every descriptor from @first on but those given, negative ones aside; @keep is sorted */
void descriptors_close_but(unsigned first, int *keep, size_t n);

/**
 * process_call() - call a function in a child process, and wait for it
 *
 * What the child changes of itself (its namespaces, its directory) is gone with it; its error comes back whole.
 *
 * Errors: those of @function; FileError, InvalidState (the child was killed)
 */
int process_call(int (*function)(void *userdata, Error *err), void *userdata, Error *err);
