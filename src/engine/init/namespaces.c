/*
 * Into cgroups and namespaces. Where a user namespace or another pid namespace is entered, a second process goes on, as a child of who
 * started this one: only children are born into those.
 */

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

/* Joined by path in this order: the mount namespace last, because it changes what paths mean. */
static const struct {
        PlanNamespace which;
        int flag;
        const char *name;
} joinable[] = {
        { NAMESPACE_NETWORK, CLONE_NEWNET, "network" },
        { NAMESPACE_IPC, CLONE_NEWIPC, "ipc" },
        { NAMESPACE_UTS, CLONE_NEWUTS, "uts" },
        { NAMESPACE_CGROUP, CLONE_NEWCGROUP, "cgroup" },
        { NAMESPACE_PID, CLONE_NEWPID, "pid" },
        { NAMESPACE_TIME, CLONE_NEWTIME, "time" },
        { NAMESPACE_MOUNT, CLONE_NEWNS, "mount" },
};

/* Still single-threaded: the kernel then moves us without waiting for a grace period. */
static int enter_cgroups(const Init *init, Error *err) {
        const int32_t *tasks = plan_at(init->plan, init->plan->tasks.at);

        for (uint32_t i = 0; i < init->plan->tasks.n; i++) {
                int fd = init_fd(init, tasks[i]);

                if (write(fd, "0", 1) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "enter the container's cgroup");
                close(fd);
        }
        return 0;
}

static int set_affinity(const Init *init, PlanList mask, const char *which, Error *err) {
        if (mask.n > 0 && sched_setaffinity(0, mask.n, plan_at(init->plan, mask.at)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.execCPUAffinity.%s", which);
        return 0;
}

/* Joins what it may; *pending gets the flags of those that only root of the container's own user namespace may join. */
static int join_paths(const Init *init, uint64_t wanted, uint64_t *ret_pending, Error *err) {
        *ret_pending = 0;
        for (size_t i = 0; i < ARRAY_SIZE(joinable); i++) {
                int fd = init_fd(init, init->plan->namespaces.paths[joinable[i].which]);

                if (fd < 0 || !(wanted & (uint64_t) joinable[i].flag))
                        continue;
                if (setns(fd, joinable[i].flag) < 0) {
                        if (errno != EPERM)
                                return error_set_errno(err, ERROR_RUNTIME, errno, "join the %s namespace", joinable[i].name);
                        *ret_pending |= (uint64_t) joinable[i].flag;
                }
        }
        return 0;
}

static int write_proc(const Init *init, const char *path, const char *text, Error *err) {
        _cleanup_close_ int fd = openat(init->proc, path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "write '/proc/%s'", path);
        return 0;
}

static int write_maps(const Init *init, pid_t pid, Error *err) {
        const PlanNamespaces *n = &init->plan->namespaces;
        char path[64];

        snprintf(path, sizeof(path), "%d/uid_map", (int) pid);
        if (write_proc(init, path, plan_string(init->plan, n->uid_map) ?: "", err) < 0)
                return error_prefix(err, "linux.uidMappings");
        snprintf(path, sizeof(path), "%d/gid_map", (int) pid);
        if (write_proc(init, path, plan_string(init->plan, n->gid_map) ?: "", err) < 0)
                return error_prefix(err, "linux.gidMappings");
        return 0;
}

/* Goes on in a new process: 0 in that one only. This one sees to its mapping, says who it is, and ends. */
static int go_on_in_child(const Init *init, uint64_t flags, Error *err) {
        struct clone_args args = { .flags = flags | CLONE_PARENT };
        int gate[2];
        long pid;
        char byte = 0;

        if (pipe2(gate, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return error_set_errno(err, flags & CLONE_NEWUSER ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno,
                                       "make the container's process%s", flags & CLONE_NEWUSER ? " in a user namespace" : "");
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(gate[1]);
                if (read(gate[0], &byte, 1) != 1)
                        _exit(1);
                close(gate[0]);
                return 0;
        }
        if ((flags & CLONE_NEWUSER) && write_maps(init, (pid_t) pid, err) < 0)
                return -1;
        link_send(init, INIT_PID, (int32_t) pid, -1);
        link_await(init); /* it is written down */
        _exit(write(gate[1], &byte, 1) == 1 ? 0 : 1);
}

/* Root of the user namespace, if it has one; its files in /proc are its own again. */
static void become_root(void) {
        (void) !setresgid(0, 0, 0);
        (void) !setresuid(0, 0, 0);
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int enter_time(const Init *init, Error *err) {
        const char *offsets = plan_string(init->plan, init->plan->namespaces.time_offsets);
        _cleanup_close_ int fd = -EBADF;

        if (unshare(CLONE_NEWTIME) < 0)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "make a time namespace");
        if (offsets && write_proc(init, "self/timens_offsets", offsets, err) < 0)
                return error_prefix(err, "linux.timeOffsets");
        fd = openat(init->proc, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "enter the time namespace");
        return 0;
}

int namespaces_enter(Init *init, Error *err) {
        const PlanNamespaces *n = &init->plan->namespaces;
        uint64_t fresh = n->fresh & ~n->cloned, pending = 0;
        int user = init_fd(init, n->paths[NAMESPACE_USER]);

        if (enter_cgroups(init, err) < 0 || process_privileged(init, err) < 0 || join_paths(init, UINT64_MAX, &pending, err) < 0)
                return -1;
        if (pending && user < 0)
                return error_set_errno(err, ERROR_RUNTIME, EPERM, "join the container's namespaces");
        if (user >= 0) {
                if (setns(user, CLONE_NEWUSER) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "join the user namespace");
                if (join_paths(init, pending, &pending, err) < 0)
                        return -1;
                if (pending)
                        return error_set_errno(err, ERROR_RUNTIME, EPERM, "join the container's namespaces");
        }
        if ((fresh & (CLONE_NEWUSER | CLONE_NEWPID)) || user >= 0 || init_fd(init, n->paths[NAMESPACE_PID]) >= 0) {
                if (go_on_in_child(init, fresh & (CLONE_NEWUSER | CLONE_NEWPID), err) < 0)
                        return -1;
                if ((fresh & CLONE_NEWUSER) || user >= 0)
                        become_root();
                /* Nobody else is in a fresh user namespace who could look at us. */
                if (fresh & CLONE_NEWUSER)
                        (void) prctl(PR_SET_DUMPABLE, 1);
        }
        fresh &= ~(uint64_t) (CLONE_NEWUSER | CLONE_NEWPID);
        if ((fresh & ~(uint64_t) CLONE_NEWTIME) && unshare((int) (fresh & ~(uint64_t) CLONE_NEWTIME)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make namespaces");
        return fresh & CLONE_NEWTIME ? enter_time(init, err) : 0;
}

int namespaces_join(Init *init, Error *err) {
        const PlanNamespaces *n = &init->plan->namespaces;
        int container = init_fd(init, n->container), root = init_fd(init, n->container_root);

        if (set_affinity(init, init->plan->process.affinity_initial, "initial", err) < 0 || enter_cgroups(init, err) < 0 ||
            set_affinity(init, init->plan->process.affinity_final, "final", err) < 0 || process_privileged(init, err) < 0)
                return -1;
        if (n->container_flags & CLONE_NEWPID) {
                if (setns(container, CLONE_NEWPID) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "join the container's pid namespace");
                if (go_on_in_child(init, 0, err) < 0)
                        return -1;
        }
        if (attributes_open(init, err) < 0)
                return -1;
        if (n->container_flags && setns(container, (int) (n->container_flags & ~(uint64_t) CLONE_NEWPID)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "join the container's namespaces");
        if (fchdir(root) < 0 || chroot(".") < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "enter the container's root");
        if (n->container_flags & CLONE_NEWUSER)
                become_root();
        init->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (init->root < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open the container's root");
        return 0;
}
