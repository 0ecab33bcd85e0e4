#pragma once

/* One run of the program: from the command line to an exit code. */

#include <signal.h>
#include <stdbool.h>

#include "base/config.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lifecycle/lifecycle.h"

/** Values of the global options; borrowed from argv */
typedef struct GlobalArgs {
        const char *root, *store, *config, *runtime;
        const char *log, *log_format, *log_level;
        const char *cgroup_manager, *rootless, *criu;
        bool debug, systemd_cgroup, timings, help, usage, version;
} GlobalArgs;

typedef struct Cli {
        GlobalArgs global;
        Report report;
        Output out;
        Progress progress;
        Config *config;      /* NULL for plain commands */
        Lifecycle lifecycle; /* filled except for plain commands */
        char *root, *store;  /* what lifecycle points to */
        const char *program_name;
        const volatile sig_atomic_t *interrupted; /* the signal that asked us to stop; 0: none */
        int exit_code;       /* of a success */
        bool each_container; /* the operands are containers, each of which may have namespaces of its own */
} Cli;

#define EXIT_CODE_FAILURE 1 /* of the program's own failures, as runc and crun; containers' codes pass through */
#define EXIT_CODE_NOT_EXECUTED 255 /* `exec` did not get as far as its process: runc's, and mostly crun's */

/**
 * cli_run() - run a command line
 * @argv: as main() got it, NULL-terminated, argv[0] included
 *
 * Returns: the exit code; every error has been reported
 */
int cli_run(Cli *cli, char *const *argv);

/** cli_setup() - load the configuration and fill cli->lifecycle from it and the global options. Errors: ConfigError, InvalidConfig, … */
int cli_setup(Cli *cli, Error *err);

/** cli_open_store() - the store this run is about */
int cli_open_store(Cli *cli, StoreMode mode, Store **ret, Error *err);
