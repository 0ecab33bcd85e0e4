/* checkpoint: write a running container to files, by CRIU. */

#include <fcntl.h>
#include <limits.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/criu-options.h"

typedef struct CheckpointArgs {
        CriuArgs criu;
        const char *parent_path, *page_server;
        bool leave_running, pre_dump, tcp_skip_in_flight, link_remap;
        int64_t status_fd;
} CheckpointArgs;

static const Option checkpoint_options[] = {
        CRIU_OPTIONS(CheckpointArgs, "where the files are written; ./checkpoint unless given"),
        OPT_FLAG(0, "leave-running", CheckpointArgs, leave_running, "let the container run on"),
        OPT_FLAG(0, "pre-dump", CheckpointArgs, pre_dump, "write its memory only, and let it run on"),
        OPT_STRING(0, "parent-path", CheckpointArgs, parent_path, "DIR", "files of the pre-dump before, relative to the image path"),
        OPT_STRING(0, "page-server", CheckpointArgs, page_server, "ADDRESS:PORT", "send memory pages there (runc)"),
        OPT_INTEGER(0, "status-fd", CheckpointArgs, status_fd, "FD", -1, INT_MAX,
                    "CRIU writes a NUL to this descriptor once lazy pages can be asked for (runc)"),
        OPT_FLAG(0, "tcp-skip-in-flight", CheckpointArgs, tcp_skip_in_flight, "leave out connections that are just being made (runc)"),
        OPT_FLAG(0, "link-remap", CheckpointArgs, link_remap, "link files that have lost their name back when they are needed (runc)"),
        OPT_END
};

static void clear(void *arguments) {
        strv_free(((CheckpointArgs *) arguments)->criu.empty_ns);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(criu_request_clear) CriuRequest criu = {};
        const CheckpointArgs *args = call->args;

        if (args->status_fd >= 0 && fcntl((int) args->status_fd, F_GETFD) < 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--status-fd: descriptor %d is not open", (int) args->status_fd);
        if (criu_request(&args->criu, &criu, err) < 0)
                return -1;

        const CriuDump request = {
                .criu = criu.criu,
                .parent_path = args->parent_path,
                .page_server = args->page_server,
                .status_fd = (int) args->status_fd,
                .leave_running = args->leave_running,
                .pre_dump = args->pre_dump,
                .tcp_skip_in_flight = args->tcp_skip_in_flight,
                .link_remap = args->link_remap,
        };
        return lifecycle_checkpoint(&cli->lifecycle, call->operands[0], &request, err);
}

const Command cmd_checkpoint = {
        .name = "checkpoint",
        .group = COMMANDS_LIFE,
        .summary = "write a running container to files, from which 'restore' makes it again",
        .operands = "ID",
        .description = "This is done by CRIU; 'criu check' says whether the kernel can do it. Options with crun's or runc's name in "
                       "brackets are refused by the other of the two.\n\n"
                       "As with runc and crun the container is gone afterwards, unless --leave-running or --pre-dump is given; its bundle "
                       "stays.",
        .examples = "proxmox-lxcri checkpoint --image-path /srv/web.checkpoint web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { checkpoint_options, NULL },
        .args_size = sizeof(CheckpointArgs),
        .defaults = &(const CheckpointArgs) { .status_fd = -1 },
        .clear = clear,
        .run = run,
};
