/* exec: one more process in a container. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/console.h"
#include "engine/create.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "engine/streams.h"

static const struct {
        const char *name;
        uint64_t flag;
} namespaces[] = {
        { "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },      { "net", CLONE_NEWNET },   { "ipc", CLONE_NEWIPC },
        { "uts", CLONE_NEWUTS },   { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME }, { "pid", CLONE_NEWPID },
};

/* Which namespaces of the container are other ones than ours. */
static int differing(int proc_fd, uint64_t *ret, Error *err) {
        uint64_t flags = 0;

        for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
                struct stat own, its;
                char path[32];

                (void) snprintf(path, sizeof(path), "ns/%s", namespaces[i].name);
                if (fstatat(proc_fd, path, &its, 0) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return error_set_errno(err, ERROR_RUNTIME, errno, "read the container's %s namespace", namespaces[i].name);
                }
                (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", namespaces[i].name);
                if (stat(path, &own) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "read '%s'", path);
                if (own.st_ino != its.st_ino || own.st_dev != its.st_dev)
                        flags |= namespaces[i].flag;
        }
        *ret = flags;
        return 0;
}

static int plan_container(Builder *b, const ProcessRef *init, Error *err) {
        _cleanup_close_ int pidfd = process_open(init), proc = -EBADF, root = -EBADF;
        PlanNamespaces *n;
        int32_t pid_index, root_index;
        uint64_t flags;
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/%d", (int) init->pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (pidfd < 0 || proc < 0 || !process_is_alive(init))
                return error_set(err, ERROR_INVALID_STATE, "container not running");
        root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open the container's root");
        if (differing(proc, &flags, err) < 0 || builder_fd(b, TAKE_FD(pidfd), true, &pid_index, err) < 0 ||
            builder_fd(b, TAKE_FD(root), true, &root_index, err) < 0)
                return -1;
        n = &builder_plan(b)->namespaces;
        n->container = pid_index;
        n->container_root = root_index;
        n->container_flags = flags;
        return 0;
}

static int open_cgroup(char *const *cgroups, const ProcessRef *init, const char *below, Cgroup **ret, Error *err) {
        _cleanup_strv_ char **all = NULL;

        if (!below)
                return cgroup_open_beside(cgroups, init->pid, ret, err);
        if (below[0] == '/')
                below++;
        if (strstr(below, ".."))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--cgroup '%s': not below the container's own", below);
        if (!cgroups || !*cgroups)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--cgroup '%s': the container has no cgroups of its own", below);
        for (; *cgroups; cgroups++) {
                _cleanup_free_ char *one = NULL;

                if (string_format(&one, err, "%s/%s", *cgroups, below) < 0)
                        return -1;
                if (access(one, F_OK) < 0 && errno == ENOENT)
                        return error_set_errno(err, ERROR_INVALID_ARGUMENT, ENOENT, "--cgroup '%s'", below);
                if (strv_push(&all, one, err) < 0)
                        return -1;
        }
        return cgroup_open(all, ret, err);
}

static int write_pid_file(const char *path, pid_t pid, Error *err) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int fd = -EBADF;
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", (int) pid);

        if (string_format(&directory, err, "%.*s", slash ? (int) (slash - path + 1) : 1, slash ? path : ".") < 0)
                return -1;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "pid file '%s'", path);
        return file_write_atomic_at(fd, name, text, (size_t) n, 0644, 0, err) < 0 ? error_prefix(err, "pid file '%s'", path) : 0;
}

static int plan_exec(Builder *b, const EngineContainer *container, const ProcessRef *init, const json_t *record, const EngineExec *request,
                     Error *err) {
        _cleanup_free_ char *cache = NULL;
        PlanRef keyring = 0;

        if (string_format(&cache, err, "%s/../../.cache", container->runtime_dir) < 0 || builder_init(b, PLAN_EXEC, err) < 0 ||
            plan_container(b, init, err) < 0 || plan_process(b, request->process, request->linux_part, cache, err) < 0 ||
            plan_console(b, request->console_socket, !request->detach, err) < 0)
                return -1;
        builder_plan(b)->process.preserve_fds = (uint32_t) request->preserve_fds;
        if (!json_is_true(json_object_get(record, "keyring")))
                return 0;
        if (builder_format(b, &keyring, err, "_ses.%s", container->id) < 0)
                return -1;
        builder_plan(b)->process.keyring = keyring;
        builder_plan(b)->process.flags |= PLAN_NEW_KEYRING;
        return 0;
}

static int begin(Session *session, const EngineContainer *container, const ProcessRef *init, char *const *cgroups, const json_t *record,
                 const EngineExec *request, Error *err) {
        _cleanup_builder_ Builder builder = {};
        _cleanup_(cgroup_freep) Cgroup *cgroup = NULL;
        EngineLaunch launch = {
                .cgroup_fd = -EBADF,
                .stdin_fd = SPAWN_INHERIT,
                .stdout_fd = SPAWN_INHERIT,
                .stderr_fd = SPAWN_INHERIT,
                .preserve_fds = request->preserve_fds,
        };
        _cleanup_close_ int fd = -EBADF;
        InitMessage message;

        if (open_cgroup(cgroups, init, request->cgroup, &cgroup, err) < 0 ||
            plan_exec(&builder, container, init, record, request, err) < 0 ||
            plan_tasks(&builder, cgroup, false, err) < 0)
                return -1;
        if (streams_give(request->linux_part, request->process, (const int[]) { SPAWN_INHERIT, SPAWN_INHERIT, SPAWN_INHERIT }, err) < 0)
                return -1;
        launch.cgroup_fd = cgroup->v2_fd;
        if (session_begin(session, container->launcher, &launch, PLAN_EXEC, 0, err) < 0 || session_settle(session, err) < 0 ||
            session_send_plan(session, &builder, err) < 0 || session_next(session, &message, &fd, err) < 0)
                return -1;
        return message.kind == INIT_READY ? 0 : error_set(err, ERROR_RUNTIME, "the process ended before it was ready");
}

static int exec_in(Session *session, const EngineContainer *container, const ProcessRef *init, char *const *cgroups,
                   const EngineExec *request, int *ret_status, Error *err) {
        _cleanup_foreground_ Foreground foreground = FOREGROUND_INIT;
        _cleanup_console_ Console console = CONSOLE_INIT;
        _cleanup_close_ int dir_fd = -EBADF, pidfd = -EBADF;
        _cleanup_json_ json_t *record = NULL;

        if (dir_open_at(AT_FDCWD, container->runtime_dir, &dir_fd, err) < 0 || record_load(dir_fd, &record, err) < 0 ||
            (!request->detach && foreground_begin(&foreground, err) < 0) ||
            begin(session, container, init, cgroups, record, request, err) < 0)
                return -1;
        pidfd = pidfd_open(session->pid, 0);
        if (pidfd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a descriptor of process %d", (int) session->pid);
        if ((request->pid_file && write_pid_file(request->pid_file, session->pid, err) < 0) || session_go_on(session, err) < 0 ||
            session_finish(session, record, err) < 0)
                return -1;
        if (request->detach) {
                session->pid = 0;
                *ret_status = 0;
                return 0;
        }
        if (console_begin(&console, TAKE_FD(session->console), err) < 0 ||
            console_supervise(&console, &foreground, NULL, session->pid, pidfd, ret_status, err) < 0)
                return -1;
        session->pid = 0;
        return 0;
}

int engine_exec(const EngineContainer *container, const ProcessRef *init, char *const *cgroups, const EngineExec *request, int *ret_status,
                Error *err) {
        _cleanup_session_ Session session = SESSION_INIT;

        if (exec_in(&session, container, init, cgroups, request, ret_status, err) < 0) {
                session_abort(&session);
                return -1;
        }
        return 0;
}
