/* restore: make a container again from what checkpoint wrote. */

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/criu-options.h"

typedef struct RestoreArgs {
        CriuArgs criu;
        const char *bundle, *pid_file, *console_socket, *lsm_profile, *lsm_mount_context;
        bool detach, keep, no_subreaper, no_pivot, tcp_close;
} RestoreArgs;

static const Option restore_options[] = {
        OPT_STRING('b', "bundle", RestoreArgs, bundle, "DIR", "the bundle it was made from; the working directory unless given"),
        OPT_FLAG('d', "detach", RestoreArgs, detach, "leave the container running in the background"),
        OPT_FLAG(0, "keep", RestoreArgs, keep, "do not delete the container when it has ended"),
        OPT_STRING(0, "pid-file", RestoreArgs, pid_file, "FILE", "write the pid of the container's first process to FILE"),
        OPT_STRING(0, "console-socket", RestoreArgs, console_socket, "SOCKET", "hand the terminal's other end to who listens at SOCKET"),
        OPT_FLAG(0, "no-subreaper", RestoreArgs, no_subreaper, "in the foreground: leave processes without a parent to others"),
        OPT_FLAG(0, "no-pivot", RestoreArgs, no_pivot, "do not use pivot_root (for a root on a ramdisk)"),
        CRIU_OPTIONS(RestoreArgs, "where the files are; ./checkpoint unless given"),
        OPT_FLAG(0, "tcp-close", RestoreArgs, tcp_close, "bring connections back as closed ones (crun)"),
        OPT_STRING(0, "lsm-profile", RestoreArgs, lsm_profile, "TYPE:NAME", "another profile of the security module"),
        OPT_STRING(0, "lsm-mount-context", RestoreArgs, lsm_mount_context, "CONTEXT", "another label for its mounts"),
        OPT_END
};

static void clear(void *arguments) {
        strv_free(((RestoreArgs *) arguments)->criu.empty_ns);
}

/** Paths of the request, made absolute */
typedef struct Paths {
        char *bundle, *pid_file, *console_socket;
} Paths;

static void paths_clear(Paths *paths) {
        free(paths->bundle);
        free(paths->pid_file);
        free(paths->console_socket);
}

static int paths_make(const RestoreArgs *args, Paths *ret, Error *err) {
        if (path_absolute(args->bundle ?: ".", &ret->bundle, err) < 0 ||
            (args->pid_file && path_absolute(args->pid_file, &ret->pid_file, err) < 0) ||
            (args->console_socket && path_absolute(args->console_socket, &ret->console_socket, err) < 0))
                return -1;
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(criu_request_clear) CriuRequest criu = {};
        _cleanup_(paths_clear) Paths paths = {};
        const RestoreArgs *args = call->args;

        if (criu_request(&args->criu, &criu, err) < 0 || paths_make(args, &paths, err) < 0)
                return -1;

        const CriuRestore restore = {
                .criu = criu.criu,
                .lsm_profile = args->lsm_profile,
                .lsm_mount_context = args->lsm_mount_context,
                .tcp_close = args->tcp_close,
        };
        const CreateRequest request = {
                .id = call->operands[0],
                .bundle = paths.bundle,
                .pid_file = paths.pid_file,
                .console_socket = paths.console_socket,
                .restore = &restore,
                .no_pivot = args->no_pivot,
                .no_subreaper = args->no_subreaper,
                .detach = args->detach,
                .keep = args->keep,
        };
        return lifecycle_restore(&cli->lifecycle, &request, &cli->exit_code, err);
}

const Command cmd_restore = {
        .name = "restore",
        .group = COMMANDS_LIFE,
        .summary = "make a container again from what 'checkpoint' wrote, running where it was",
        .operands = "ID",
        .description = "It needs the bundle that the container was made from, and the runtime that wrote the files. As with 'run' it "
                       "waits in the foreground, unless --detach is given. Either all of it succeeds, or what was done is undone.",
        .examples = "proxmox-lxcri restore --detach --bundle /srv/web --image-path /srv/web.checkpoint web",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { restore_options, NULL },
        .args_size = sizeof(RestoreArgs),
        .clear = clear,
        .run = run,
};
