/* create: from the bundle to an init that waits for start. */

#include "engine/create.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/net-devices.h"
#include "engine/notify.h"
#include "engine/outer-hooks.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "engine/streams.h"
#include "oci/runtime-spec.h"
#include "oci/spec-schema.h"
#include "runtime/hook.h"

void creation_end(Creation *c) {
        session_end(&c->session);
        cgroup_free(c->cgroup);
        json_decref(c->spec);
        json_decref(c->record);
        net_devices_free(c->devices);
        close_keep_errno(c->dir_fd);
}

int creation_load_spec(Creation *c, Error *err) {
        if (!c->request->spec)
                return spec_load_bundle(c->container->config_dir, &c->spec, err);
        c->spec = json_incref(c->request->spec);
        return 0;
}

/* As runc names them; they are the container's own process's. Source: sd_listen_fds(3) */
static int name_listen_fds(Creation *c, Error *err) {
        json_t *process = json_object_get(c->spec, "process"), *env;

        if (c->request->listen_fds == 0 || !process)
                return 0;
        env = json_array_of(process, "env");
        if (json_array_append_new(env, json_sprintf("LISTEN_FDS=%d", c->request->listen_fds)) < 0 ||
            json_array_append_new(env, json_string("LISTEN_PID=1")) < 0)
                return error_oom(err);
        return 0;
}

int creation_make_cgroups(Creation *c, Error *err) {
        CgroupRequest request = cgroup_request(c->container, c->spec);
        _cleanup_(cgroup_layout_freep) CgroupLayout *layout = NULL;
        _cleanup_strv_ char **planned = NULL;

        if (cgroup_layout_new(&request, &layout, err) < 0 || cgroup_plan(layout, &planned, err) < 0 ||
            record_save(c->dir_fd, c->container, c->spec, !c->request->no_new_keyring, planned, &c->record, err) < 0)
                return -1;
        return cgroup_create(&request, layout, &c->cgroup, err);
}

/* A socket's path has 108 bytes, an id may have more: by descriptor. */
static int listen_for_start(int dir_fd, int *ret, Error *err) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" START_FILE, dir_fd);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 8) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make the socket '" START_FILE "'");
        *ret = TAKE_FD(fd);
        return 0;
}

int console_connect(const char *path, int *ret, Error *err) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set_errno(err, ERROR_INVALID_ARGUMENT, ENAMETOOLONG, "console socket '%s'", path);
        strcpy(address.sun_path, path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "console socket '%s'", path);
        *ret = TAKE_FD(fd);
        return 0;
}

int plan_console(Builder *b, const char *socket_path, bool relayed, Error *err) {
        bool terminal = builder_plan(b)->process.flags & PLAN_TERMINAL;
        int32_t index;
        int fd;

        if (!terminal && socket_path)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a console socket for a process without a terminal");
        if (!terminal || (relayed && !socket_path))
                return 0;
        if (!socket_path) {
                error_set(err, ERROR_INVALID_ARGUMENT, "a process with a terminal, and nobody who holds its other end");
                return error_hint(err, "name a socket with --console-socket, or set process.terminal to false");
        }
        if (console_connect(socket_path, &fd, err) < 0 || builder_fd(b, fd, true, &index, err) < 0)
                return -1;
        builder_plan(b)->process.console = index;
        return 0;
}

static int plan_start(Creation *c, Builder *b, Error *err) {
        int32_t index;
        int fd;

        if (c->at_once) {
                builder_plan(b)->flags |= PLAN_START_AT_ONCE;
                return 0;
        }
        if (listen_for_start(c->dir_fd, &fd, err) < 0 || builder_fd(b, fd, true, &index, err) < 0)
                return -1;
        builder_plan(b)->start_fd = index;
        return 0;
}

/* Namespaces that the launcher makes: none when they belong to a user namespace, which the init enters. */
static uint64_t launcher_namespaces(const Creation *c) {
        static const struct {
                const char *type;
                uint64_t flag;
        } rows[] = { { "pid", CLONE_NEWPID }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS } };
        const json_t *linux_part = schema_field(c->spec, "linux");
        uint64_t flags = 0;

        if (linux_has_namespace(linux_part, "user", NULL))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *path;

                if (linux_has_namespace(linux_part, rows[i].type, &path) && !path)
                        flags |= rows[i].flag;
        }
        return flags & c->container->launcher->namespaces;
}

/* Of those that the init makes: that of the network takes the kernel longest. */
static uint64_t early_namespaces(const Creation *c) {
        const json_t *linux_part = schema_field(c->spec, "linux");
        const char *path;

        if (linux_has_namespace(linux_part, "user", NULL))
                return 0;
        return linux_has_namespace(linux_part, "network", &path) && !path ? CLONE_NEWNET : 0;
}

/* Whether the init can be born into its cgroup: the launcher has to be in it, too, and a limit may leave room for one process only. */
static bool fits_at_birth(const Creation *c) {
        const json_t *pids = schema_field(schema_field(schema_field(c->spec, "linux"), "resources"), "pids");
        const json_t *limit = schema_field(pids, "limit");

        return !c->container->launcher->two_processes || !limit || json_integer_value(limit) <= 0 || json_integer_value(limit) >= 2;
}

/* Out of the launcher's mount namespace, with a /proc that can be trusted. */
static int plan_return(Builder *b, Error *err) {
        int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), mounts;
        int32_t index;

        if (proc < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '/proc'");
        if (builder_fd(b, proc, true, &index, err) < 0)
                return -1;
        builder_plan(b)->proc_fd = index;
        if (builder_plan(b)->namespaces.paths[NAMESPACE_MOUNT] >= 0)
                return 0;
        mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (mounts < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '/proc/self/ns/mnt'");
        if (builder_fd(b, mounts, true, &index, err) < 0)
                return -1;
        builder_plan(b)->namespaces.paths[NAMESPACE_MOUNT] = index;
        return 0;
}

/* Past the launcher, which has /dev/null in their place. */
static int plan_stdio(Builder *b, const int streams[3], Error *err) {
        for (int i = 0; i < 3; i++) {
                int fd = streams[i] == SPAWN_INHERIT ? i : streams[i];

                /* One that is closed is the launcher's /dev/null, too. */
                if (fd >= 0 && fcntl(fd, F_GETFD) >= 0 && builder_fd(b, fd, false, &builder_plan(b)->process.stdio[i], err) < 0)
                        return -1;
        }
        return 0;
}

int creation_outer_hooks(const Creation *c, pid_t init, Error *err) {
        const json_t *hooks = schema_field(c->spec, "hooks"), *state = json_object_get(c->record, "state");

        /* prestart comes after what the spec calls "creating" (step 2 of its life cycle), and runs as crun has it. */
        if (outer_hooks_run(hooks, "prestart", state, "created", init, err) < 0)
                return -1;
        return outer_hooks_run(hooks, "createRuntime", state, "creating", init, err);
}

void creation_tell_who_it_is(Creation *c) {
        if (c->request->ret_init)
                *c->request->ret_init = c->session.noted;
        if (!c->request->ret_cgroups)
                return;
        /* Nobody here needs them any more. */
        strv_free(*c->request->ret_cgroups);
        *c->request->ret_cgroups = TAKE(c->cgroup->directories);
}

static int await_ready(Creation *c, Error *err) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                InitMessage message;

                if (session_next(&c->session, &message, &fd, err) < 0)
                        return -1;
                if (message.kind == INIT_READY)
                        return 0;
                if (message.kind != INIT_MOUNTED)
                        return error_set(err, ERROR_RUNTIME, "the container's init ended before it was ready");
                if (net_devices_move(schema_field(c->spec, "linux"), c->session.pid, &c->devices, err) < 0 ||
                    creation_outer_hooks(c, c->session.pid, err) < 0 || session_go_on(&c->session, err) < 0)
                        return -1;
        }
}

static int make(Creation *c, Error *err) {
        _cleanup_builder_ Builder builder = {};
        const int streams[] = { c->request->stdin_fd, c->request->stdout_fd, c->request->stderr_fd };
        const bool past = c->container->launcher->own_stdio;
        EngineLaunch launch = {
                .cgroup_fd = -EBADF,
                .stdin_fd = past ? -1 : streams[0],
                .stdout_fd = past ? -1 : streams[1],
                .stderr_fd = past ? -1 : streams[2],
                .preserve_fds = c->request->preserve_fds,
        };
        PlanSource source = { .container = c->container, .request = c->request, .spec = c->spec };
        uint64_t early;
        bool at_birth;

        if ((c->container->launcher->check && c->container->launcher->check(c->spec, err) < 0) || creation_make_cgroups(c, err) < 0)
                return -1;
        source.cgroup = c->cgroup;
        launch.namespaces = launcher_namespaces(c);
        early = early_namespaces(c);
        source.made_already = launch.namespaces | early;
        at_birth = fits_at_birth(c);
        launch.cgroup_fd = at_birth ? c->cgroup->v2_fd : -EBADF;
        /* While the init comes into being, its plan does, too. */
        if (session_begin(&c->session, c->container->launcher, &launch, PLAN_CREATE, early, err) < 0)
                return -1;
        if (builder_init(&builder, PLAN_CREATE, err) < 0 || plan_create(&builder, &source, err) < 0 ||
            plan_tasks(&builder, c->cgroup, !at_birth, err) < 0 ||
            plan_console(&builder, c->request->console_socket, c->at_once, err) < 0 ||
            plan_start(c, &builder, err) < 0)
                return -1;
        if (past && plan_stdio(&builder, streams, err) < 0)
                return -1;
        builder_plan(&builder)->process.preserve_fds = (uint32_t) c->request->preserve_fds;
        if (streams_give(schema_field(c->spec, "linux"), schema_field(c->spec, "process"), streams, err) < 0)
                return -1;
        if (c->container->launcher->own_mounts && plan_return(&builder, err) < 0)
                return -1;
        if (session_settle(&c->session, err) < 0 || session_send_plan(&c->session, &builder, err) < 0)
                return -1;
        if (await_ready(c, err) < 0)
                return -1;
        /* From here on they go with the container's network, which is not kept in being any longer. */
        c->devices = net_devices_free(c->devices);
        creation_tell_who_it_is(c);
        return 0;
}

int creation_make(Creation *c, Error *err) {
        if (c->request->restore)
                return creation_restore(c, err);
        if (dir_open_at(AT_FDCWD, c->container->runtime_dir, &c->dir_fd, err) < 0 || creation_load_spec(c, err) < 0)
                return -1;
        /* A container that is only created may be without: its start is what needs one. Source: runtime-spec config.md, "Process" */
        if (c->at_once && !schema_field(c->spec, "process"))
                return error_set(err, ERROR_INVALID_SPEC, "config.json: process: missing");
        if (name_listen_fds(c, err) < 0 || (c->request->notify_socket && notify_prepare(c->container, c->dir_fd, c->spec, err) < 0))
                return -1;
        c->session.dir_fd = c->dir_fd;
        if (make(c, err) < 0) {
                session_abort(&c->session);
                net_devices_return(c->devices);
                return -1;
        }
        return 0;
}

int engine_create(const EngineContainer *container, const EngineCreate *request, pid_t *ret_init, Error *err) {
        _cleanup_creation_ Creation creation = { .container = container, .request = request, .dir_fd = -EBADF, .session = SESSION_INIT };

        if (creation_make(&creation, err) < 0) {
                (void) engine_delete(container, true, NULL);
                return -1;
        }
        *ret_init = creation.session.pid;
        return 0;
}

int session_finish(Session *session, const json_t *record, Error *err) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                InitMessage message;

                if (session_next(session, &message, &fd, err) < 0)
                        return -1;
                if (message.kind == INIT_EXECUTED)
                        return 0;
                if (message.kind == INIT_LISTENER && listener_deliver(session->pid, message.value, fd, record, err) < 0)
                        return -1;
        }
}
