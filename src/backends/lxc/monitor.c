/*
 * The process that liblxc takes for the container's monitor. It lives in a mount namespace of its own, in which liblxc finds neither
 * cgroups (ours are there already, and it would move processes between its own), nor a system-wide configuration, nor anything of other
 * containers in /run. The init comes back from there by itself.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/launch-fds.h"
#include "backends/lxc/lxc.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define HIDDEN_RUN  "/run"
#define INIT_PATH   HIDDEN_RUN "/init"
#define LOG_MAX     65536u /* bytes of liblxc's log that are looked at */
#define SMALL_TMPFS "size=64k,mode=0700"

static int hide(const char *path, const char *options, bool needed, Error *err) {
        if (mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0 && (needed || errno != ENOENT))
                return error_set_errno(err, ERROR_LXC, errno, "cover '%s' for liblxc", path);
        return 0;
}

/* A copy of the program's own mount, which nobody can write: /proc/PID/exe leads nowhere else (CVE-2019-5736). */
static int place_init(const char *path, Error *err) {
        struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
        _cleanup_close_ int program = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), target = -EBADF;

        if (program < 0 || mount_setattr(program, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
                return error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, errno, "program '%s'", path);
        if (hide(HIDDEN_RUN, SMALL_TMPFS, true, err) < 0)
                return -1;
        target = open(INIT_PATH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
        if (target < 0 || move_mount(program, "", AT_FDCWD, INIT_PATH, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return error_set_errno(err, ERROR_LXC, errno, "place the init for liblxc");
        return 0;
}

static int enter_own_mounts(const char *init, Error *err) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(err, ERROR_LXC, errno, "make a mount namespace for liblxc");
        if (place_init(init, err) < 0 || hide("/sys/fs/cgroup", SMALL_TMPFS, true, err) < 0)
                return -1;
        return hide("/etc/lxc", SMALL_TMPFS, false, err);
}

/* The last thing that liblxc called an error: "lxc NAME TIME ERROR    start - file:function:line - text" */
static void add_cause(int log, Error *err) {
        _cleanup_free_ char *text = NULL;
        char *line, *next, *cause = NULL;

        if (lseek(log, 0, SEEK_SET) < 0 || file_read_fd(log, "liblxc's log", LOG_MAX, &text, NULL, NULL) < 0)
                return;
        for (next = text; (line = strsep(&next, "\n"));) {
                char *rest = strstr(line, " ERROR ");

                rest = rest ? strstr(rest, " - ") : NULL;
                rest = rest ? strstr(rest + 3, " - ") : NULL;
                /* Of several, the first is the cause; what they lead to comes after. */
                if (rest && !cause && !strstr(rest, "temporary procfs"))
                        cause = rest + 3;
        }
        if (cause) {
                Error whole = *err;

                error_set(err, whole.kind, "%s: %s", whole.text, cause);
        }
}

static int run(const EngineLaunch *launch, pid_t parent, int log, Error *err) {
        char name[32], log_path[FD_PATH_MAX], number[16];
        char *const argv[] = { (char *) INIT_PATH, number, NULL };
        const LxcStart start = {
                .name = name,
                .path = HIDDEN_RUN,
                .log = fd_path(log, log_path),
                .namespaces = launch->namespaces,
                .argv = argv,
        };
        const LxcModule *module;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                return error_set(err, ERROR_INTERRUPTED, "whoever started this is gone");
        module = lxc_module(err);
        if (!module)
                return -1;
        if (launch_fds(launch) < 0)
                return error_set_errno(err, ERROR_LXC, errno, "place the container's descriptors");
        close_keep_errno(launch->answers);
        if (enter_own_mounts(launch->init, err) < 0)
                return -1;
        (void) snprintf(name, sizeof(name), "proxmox-lxcri-%d", (int) getpid());
        (void) snprintf(number, sizeof(number), "%d", launch->socket);
        if (module->start(&start, err) < 0) {
                add_cause(log, err);
                return -1;
        }
        return error_set(err, ERROR_LXC, "the container's init ended before it was ready");
}

_Noreturn void monitor_main(const EngineLaunch *launch, pid_t parent, int report) {
        int log = memfd_create("liblxc", MFD_CLOEXEC);
        Error err = ERROR_INIT;

        if (log < 0)
                error_set_errno(&err, ERROR_FILE, errno, "memfd_create");
        else
                (void) run(launch, parent, log, &err);
        _exit(write(report, &err, sizeof(err)) == (ssize_t) sizeof(err) ? 1 : 2);
}
