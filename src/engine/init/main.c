/*
 * The init: started by the launcher in the host's namespaces (or, by LXC, in the container's), it makes of itself what the plan says, and
 * becomes the user's process. Its one argument is the number of the socket to its parent.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/root-path.h"
#include "engine/init/init.h"

static void reset_signals(void) {
        struct {
                void (*handler)(int);
                unsigned long flags, restorer, mask;
        } default_action = {};
        sigset_t none;

        for (int s = 1; s < _NSIG; s++)
                (void) syscall(SYS_rt_sigaction, s, &default_action, NULL, _NSIG / 8);
        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All that is said of this process comes from here. A procfs that something is mounted over, or none at all, would lie. */
static int open_proc(Init *init, Error *err) {
        struct statfs st;

        init->proc = init_fd(init, init->plan->proc_fd);
        if (init->proc < 0)
                init->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (init->proc < 0 || fstatfs(init->proc, &st) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open '/proc'");
        return st.f_type == PROC_SUPER_MAGIC ? 0 : error_set(err, ERROR_RUNTIME, "'/proc' is no procfs");
}

static int make_cwd(const Init *init, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        return root_path_make(init->root, plan_string(init->plan, init->plan->process.cwd), true, false, &fd, err) < 0 ?
                       error_prefix(err, "process.cwd") :
                       0;
}

static int create(Init *init, Error *err) {
        char path[PATH_MAX];

        if (stdio_place(init, err) < 0 || namespaces_enter(init, err) < 0 || attributes_open(init, err) < 0)
                return -1;
        (void) setsid();
        if (init->plan->flags & PLAN_DETACHED_ROOT && root_prepare_detached(init, err) < 0)
                return -1;
        if (root_open(init, err) < 0 || mounts_make(init, err) < 0 || devices_make(init, err) < 0)
                return -1;
        if (init->plan->flags & PLAN_OUTER_HOOKS) {
                link_send(init, INIT_MOUNTED, 0, -1);
                link_await(init);
        }
        if (hooks_run(init, init->plan->create_hooks, "creating", err) < 0 || console_open(init, err) < 0 || root_enter(init, err) < 0 ||
            settings_apply(init, err) < 0 || root_finish(init, err) < 0)
                return -1;
        if (init->plan->flags & PLAN_DETACHED_ROOT && root_detach(init, err) < 0)
                return -1;
        stdio_settle(init);
        /* A read-only root may have it all the same */
        if (make_cwd(init, NULL) < 0 && chdir(plan_string(init->plan, init->plan->process.cwd)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.cwd: '%s'", plan_string(init->plan, init->plan->process.cwd));
        if (init->plan->process.args.n > 0 && program_search(init, path, sizeof(path), err) < 0)
                return -1;
        if (process_label(init, err) < 0)
                return -1;

        (void) prctl(PR_SET_PDEATHSIG, 0);
        link_send(init, INIT_READY, 0, -1);
        link_await_start(init);
        return process_become(init, err);
}

static int exec_(Init *init, Error *err) {
        if (namespaces_join(init, err) < 0)
                return -1;
        (void) setsid();
        if (console_open(init, err) < 0 || settings_apply(init, err) < 0 || process_label(init, err) < 0)
                return -1;
        stdio_settle(init);
        (void) prctl(PR_SET_PDEATHSIG, 0);
        link_send(init, INIT_READY, 0, -1);
        link_await(init);
        return process_become(init, err);
}

int main(int argc, char **argv) {
        Init init = { .root = -EBADF, .proc = -EBADF, .null = -EBADF, .mounts = -EBADF, .attributes = { -EBADF, -EBADF } };
        Error err = ERROR_INIT;
        PlanHello hello;

        if (argc != 2)
                return 2;
        init.socket = atoi(argv[1]);
        reset_signals();
        (void) umask(0);
        (void) prctl(PR_SET_DUMPABLE, 0);
        if (fcntl(init.socket, F_SETFD, FD_CLOEXEC) < 0)
                return 2;
        if (link_receive(&init, &hello, &err) < 0)
                link_fail(&init, &err);
        if (hello.announce)
                link_send(&init, INIT_ANNOUNCED, 0, -1);
        if (hello.early && unshare((int) hello.early) < 0) {
                error_set_errno(&err, ERROR_RUNTIME, errno, "make namespaces");
                link_fail(&init, &err);
        }
        /* A parent that dies earlier is seen by the end of the socket; and who started us need not be who stays. */
        if (link_receive_plan(&init, &err) < 0)
                link_fail(&init, &err);
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (open_proc(&init, &err) == 0)
                (void) (hello.kind == PLAN_EXEC ? exec_(&init, &err) : create(&init, &err));
        link_fail(&init, &err);
}
