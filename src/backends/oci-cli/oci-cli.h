#pragma once

/*
 * The driver for crun and runc: both take the same command line, so one driver has two rows. Private to this folder.
 *
 * In the container's runtime_dir: the runtime's own --root, thus ID/, and files of ours whose names no id can have (an id never starts
 * with a dot).
 */

#include "backends/backend.h"
#include "base/error.h"
#include "base/process.h"
#include "runtime/foreground.h"

#define PID_FILE         ".pid"  /* written by the runtime */
#define PID_FILE_NEW     "..pid" /* where runc writes it, to rename it then */
#define CGROUPS_FILE     ".cgroups" /* cgroups that the runtime may make, noted before it starts; one a line. Locked while it is at work */
#define START_FIFO       "exec.fifo"       /* below ID/: there until `start` */
#define START_FIFO_TAKEN "exec.fifo.taken" /* what it is called when we have started the container */
#define LOG_FILE         ".log" /* the runtime's own words, kept with --debug only */

typedef struct OciCliRow {
        const char *program;       /* looked up in PATH unless the config names another */
        const char *other;         /* what to choose instead when this one cannot be had */
        bool refuses_hybrid;       /* takes cgroup v2 with controllers beside v1 for an error, and directories for v1 hierarchies */
        bool cgroup_manager;       /* it has --cgroup-manager */
        bool exec_additional_gids; /* its exec has --additional-gids */
        bool exec_ignore_paused;   /* its exec has --ignore-paused */
        bool update_takes_all;     /* its update applies a whole resources file; else see update.c */
        bool start_writes_fifo;    /* its start writes a byte to exec.fifo, which its init reads */
        bool exec_env_replaces;    /* --env of its exec drops the container's own environment instead of adding to it */
} OciCliRow;

/* ---- command.c: one start of the runtime program ---- */

typedef struct Command {
        const BackendContainer *container;
        const char *verb;
        char **argv;
        int n_preserve_fds; /* --preserve-fds and $LISTEN_FDS together */
        int n_listen_fds;   /* $LISTEN_FDS of them */
        int log_fd;         /* what the runtime logs */
        off_t log_start;
        int output_fd;      /* its stdout and stderr, where the container does not have them; else -EBADF */
        int extra_fd;       /* one more that it inherits, see command_add_data(); else -EBADF */
        int status_fd;      /* and one of the caller's; borrowed; else -EBADF */
        int work_fd;        /* of leftovers_note(), until the runtime has it; else -EBADF */
        pid_t pid;
        int pidfd;
} Command;

#define COMMAND_INIT ((Command) { .log_fd = -EBADF, .output_fd = -EBADF, .extra_fd = -EBADF, .status_fd = -EBADF, .work_fd = -EBADF, .pidfd = -EBADF })

/**
 * command_init() - "PROGRAM --root … --log … VERB"
 * @command:      COMMAND_INIT before; command_free() after, even when this failed
 * @preserve_fds: descriptors of the caller that go on to the container, after the @listen_fds of socket activation
 */
int command_init(Command *command, const BackendContainer *container, const char *verb, int preserve_fds, int listen_fds, Error *err);
void command_free(Command *command);
#define _cleanup_command_ _cleanup_(command_free)

/** command_add() - append an argument and, unless NULL, the next one. Errors: OutOfMemory */
int command_add(Command *command, const char *argument, const char *value, Error *err);

/** command_add_container() - append the container's id, which ends the options */
int command_add_container(Command *command, Error *err);

/** command_add_data() - append @option and the name of a memory file that holds @json; once a command */
int command_add_data(Command *command, const char *option, const json_t *json, Error *err);

/** command_hold() - let the runtime have @work_fd, which is closed here, whatever happens. Errors: FileError */
int command_hold(Command *command, int work_fd, Error *err);

/** command_spawn() - start it; streams as in Spawn. It dies with this program: a runtime must not go on making what is being undone */
int command_spawn(Command *command, int stdin_fd, int stdout_fd, int stderr_fd, Error *err);

/** command_run() - start it and wait; nothing it prints is shown. Other exit codes than 0 are errors in the runtime's words */
int command_run(Command *command, Error *err);

/* ---- words.c: what the runtime said ---- */

/** command_said_error() - whether the runtime logged an error: what tells its failure from the exit code of a container */
bool command_said_error(const Command *command);

/** command_failed() - the runtime's words as an error, with its exit code; always -1 */
int command_failed(const Command *command, int status, Error *err);

/* ---- leftovers.c: what a runtime may leave behind; @dir_fd is the open runtime_dir ---- */

/**
 * leftovers_note() - before create: note which cgroups the runtime may make
 * @ret_work_fd: for command_hold(); whoever has it open is at work, see leftovers_await()
 *
 * Errors: FileError, InvalidSpec, OutOfMemory
 */
int leftovers_note(const BackendContainer *container, const BackendCreate *request, int dir_fd, int *ret_work_fd, Error *err);

/* What was noted with them, of a container for which the runtime itself would do no more in a command than we can. */
#define PLAIN_START  "plain-start"  /* let its init go on */
#define PLAIN_DELETE "plain-delete" /* remove its cgroups and files once it has ended */

/** leftovers_has_mark() - whether @mark was noted */
bool leftovers_has_mark(int dir_fd, const char *mark);

/**
 * leftovers_await() - until no process of the runtime's is at work any more (bounded)
 *
 * One that was killed may be in the middle of a system call that makes a cgroup yet.
 */
void leftovers_await(int dir_fd);

/** leftovers_kill() - kill every process in the noted cgroups and wait for their end (bounded). Errors: FileError, Timeout */
int leftovers_kill(int dir_fd, Error *err);

/** leftovers_remove() - remove noted cgroups, the runtime's own directory with the mounts in it, and our files; idempotent */
int leftovers_remove(const BackendContainer *container, int dir_fd, Error *err);

/* ---- delete.c ---- */

/**
 * delete_at() - oci_cli_delete() by the open runtime_dir
 *
 * Whoever opened it before the container was made deletes that container and no later one of the same id.
 */
int delete_at(const BackendContainer *container, int dir_fd, bool force, Error *err);

/* ---- the functions of the two rows ---- */

int oci_cli_probe(const Backend *backend, const char *program, Error *err);

/** pid_file_read() - the init's pid; -1 with ENOENT while the runtime has not written it whole */
int pid_file_read(const BackendContainer *container, int dir_fd, pid_t *ret, Error *err);

/** create_add_options() - what create and run have in common */
int create_add_options(Command *command, const BackendCreate *request, Error *err);

/** criu_check() - that the program can checkpoint and restore. Errors: NotSupported, RuntimeNotAvailable */
int criu_check(const BackendContainer *container, Error *err);

/** restore_add_options() - what a restore has beyond them */
int restore_add_options(Command *command, const CriuRestore *restore, Error *err);

int oci_cli_create(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err);
int oci_cli_start(const BackendContainer *container, Error *err);
int oci_cli_delete(const BackendContainer *container, bool force, Error *err);
int oci_cli_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err);
int oci_cli_run(const BackendContainer *container, const BackendCreate *request, int (*published)(void *userdata, pid_t init, Error *err),
                void *userdata, int *ret_status, Error *err);
int oci_cli_exec(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err);
int oci_cli_update(const BackendContainer *container, const State *state, const BackendUpdate *request, Error *err);
int oci_cli_features(const Backend *backend, const char *program, json_t **ret, Error *err);
int oci_cli_checkpoint(const BackendContainer *container, const State *state, const CriuDump *request, Error *err);
