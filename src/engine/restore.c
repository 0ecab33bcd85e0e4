/*
 * restore: CRIU makes the container's processes, its mounts and namespaces from files. Ours is what it cannot know: cgroups with their
 * limits, mount points, what of the host is mounted where, the caller's streams and the terminal's other end.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/socket.h"
#include "engine/checkpoint.h"
#include "engine/create.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "oci/spec-schema.h"

typedef struct Restoration {
        Creation *creation;
        char *rootfs;
        int console;     /* who gets the terminal's other end; -EBADF: we ourselves */
        int joined[2];   /* namespaces that exist; the kinds that CRIU takes by descriptor */
        const char *joined_types[2];
        size_t n_joined;
} Restoration;

static void restoration_end(Restoration *r) {
        free(r->rootfs);
        close_keep_errno(r->console);
        for (size_t i = 0; i < r->n_joined; i++)
                close_keep_errno(r->joined[i]);
}

/* ---- in CRIU's process ---- */

static int enter_cgroups(const Cgroup *cgroup, Error *err) {
        for (size_t i = 0; i < cgroup->n_tasks; i++)
                if (fd_write_all(cgroup->tasks_fds[i], "0", 1, err) < 0)
                        return error_prefix(err, "enter the container's cgroup");
        if (cgroup->v2_fd >= 0) {
                _cleanup_close_ int procs = openat(cgroup->v2_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

                if (procs < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open 'cgroup.procs'");
                if (fd_write_all(procs, "0", 1, err) < 0)
                        return error_prefix(err, "enter the container's cgroup");
        }
        return 0;
}

/* CRIU wants the root to be a mount point. Nobody else sees it, and it goes with CRIU, whatever happens. */
static int prepare(void *userdata, Error *err) {
        const Restoration *r = userdata;

        if (enter_cgroups(r->creation->cgroup, err) < 0 || mounts_own_namespace(err) < 0)
                return -1;
        if (mount(r->rootfs, r->rootfs, NULL, MS_BIND | MS_REC, NULL) < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "root filesystem '%s'", r->rootfs);
        return 0;
}

/* ---- on the way ---- */

/* From here on a repair finds the init on disk, and not only by its cgroup. */
static int namespaces_are_there(void *userdata, pid_t root, Error *err) {
        Creation *c = ((Restoration *) userdata)->creation;

        c->session.pid = root;
        return record_save_init(c->dir_fd, root, &c->session.noted, err) < 0 ? -1 : creation_outer_hooks(c, root, err);
}

static int terminal_is_there(void *userdata, int master, Error *err) {
        _cleanup_close_ int fd = master;
        Restoration *r = userdata;
        Session *session = &r->creation->session;

        if (r->console < 0) {
                close_keep_errno(session->console);
                session->console = TAKE_FD(fd);
                return 0;
        }
        if (socket_send(r->console, "/dev/ptmx", strlen("/dev/ptmx"), fd) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "send the terminal to the console socket");
        return 0;
}

/* ---- before it ---- */

static int open_console(Restoration *r, Error *err) {
        const Creation *c = r->creation;
        bool terminal = json_is_true(schema_field(schema_field(c->spec, "process"), "terminal"));

        if (!terminal && c->request->console_socket)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a console socket for a process without a terminal");
        if (!terminal || (c->at_once && !c->request->console_socket))
                return 0;
        if (!c->request->console_socket) {
                error_set(err, ERROR_INVALID_ARGUMENT, "a process with a terminal, and nobody who holds its other end");
                return error_hint(err, "name a socket with --console-socket, or leave --detach away");
        }
        return console_connect(c->request->console_socket, &r->console, err);
}

static int open_namespaces(Restoration *r, Error *err) {
        const json_t *linux_part = schema_field(r->creation->spec, "linux");

        for (const char *const *type = (const char *const[]) { "network", "pid", NULL }; *type; type++) {
                const char *path;

                if (!linux_has_namespace(linux_part, *type, &path) || !path)
                        continue;
                r->joined[r->n_joined] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
                if (r->joined[r->n_joined] < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "config.json: linux.namespaces: %s namespace '%s'", *type, path);
                r->joined_types[r->n_joined++] = *type;
        }
        return 0;
}

static int add_namespaces(const Restoration *r, Criu *criu, Error *err) {
        const json_t *linux_part = schema_field(r->creation->spec, "linux");

        for (size_t i = 0; i < r->n_joined; i++)
                if (criu_add_inherited(criu, r->joined_types[i], CRIU_INHERITED + (int) i, err) < 0)
                        return -1;
        for (const char *const *type = (const char *const[]) { "ipc", "uts", NULL }; *type; type++) {
                const char *path;

                if (linux_has_namespace(linux_part, *type, &path) && path && criu_add_join(criu, *type, path, err) < 0)
                        return -1;
        }
        return 0;
}

/* Our standard streams in the place of the pipes that it had. */
static int add_streams(Criu *criu, Error *err) {
        _cleanup_json_ json_t *list = NULL;

        if (json_load_at(criu->image_fd, DESCRIPTORS_FILE, DESCRIPTORS_MAX, &list, err) < 0)
                return error_hint(err, "only what this runtime has written can be restored by it");
        for (size_t i = 0; i < 3; i++) {
                const char *what = json_string_value(json_array_get(list, i));
                bool again = false;

                for (size_t n = 0; what && n < i; n++)
                        again = again || string_equal(what, json_string_value(json_array_get(list, n)));
                if (what && !again && !strncmp(what, "pipe:[", strlen("pipe:[")) && criu_add_inherited(criu, what, (int) i, err) < 0)
                        return -1;
        }
        return 0;
}

static int check(const Creation *c, Error *err) {
        if (c->container->launcher->check && c->container->launcher->check(c->spec, err) < 0)
                return -1;
        if (c->request->notify_socket) {
                error_set(err, ERROR_NOT_SUPPORTED, "a restored container does not tell a service manager when it is ready");
                return error_hint(err, "unset NOTIFY_SOCKET");
        }
        return checkpoint_check(c->spec, err);
}

static int call_criu(Restoration *r, Error *err) {
        Creation *c = r->creation;
        const EngineCreate *request = c->request;
        CriuStart start = {
                .program = request->criu,
                .stdio = { request->stdin_fd, request->stdout_fd, request->stderr_fd },
                .n_inherited = r->n_joined,
                .prepare = prepare,
                .userdata = r,
        };
        const CriuEvents events = { .namespaces = namespaces_are_there, .terminal = terminal_is_there, .userdata = r, .status_fd = -1 };
        _cleanup_criu_ Criu criu = CRIU_INIT;
        pid_t root = 0;

        for (size_t i = 0; i < r->n_joined; i++)
                start.inherited[i] = r->joined[i];
        if (criu_begin(&criu, &start, &request->restore->criu, false, err) < 0 || criu_add_restore(&criu, request->restore, err) < 0 ||
            criu_add_config(&criu, annotation_config(c->spec), err) < 0 || criu_add_root(&criu, r->rootfs, err) < 0 ||
            criu_add_own_cgroups(&criu, err) < 0 || mounts_add_restore(&criu, c, err) < 0 || add_namespaces(r, &criu, err) < 0 ||
            add_streams(&criu, err) < 0 || criu_call(&criu, &events, &root, err) < 0)
                return -1;
        if (root <= 0 || root != c->session.pid)
                return error_set(err, ERROR_RUNTIME, "CRIU does not say which process it has restored");
        return 0;
}

static int restore(Restoration *r, Error *err) {
        Creation *c = r->creation;
        const char *path;

        if (dir_open_at(AT_FDCWD, c->container->runtime_dir, &c->dir_fd, err) < 0 || creation_load_spec(c, err) < 0 || check(c, err) < 0)
                return -1;
        path = json_string_value(schema_field(schema_field(c->spec, "root"), "path"));
        if (!path)
                return error_set(err, ERROR_INVALID_SPEC, "config.json: root: missing");
        if (bundle_path(c->container, path, &r->rootfs, err) < 0 || open_console(r, err) < 0 || open_namespaces(r, err) < 0 ||
            mounts_make_points(c, r->rootfs, err) < 0 || creation_make_cgroups(c, err) < 0)
                return -1;
        return call_criu(r, err);
}

int creation_restore(Creation *c, Error *err) {
        Restoration restoration = { .creation = c, .console = -EBADF };
        int r = restore(&restoration, err);

        restoration_end(&restoration);
        if (r < 0) {
                session_abort(&c->session);
                /* What CRIU made before it told of it was our child, too, and it has killed it. */
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                return -1;
        }
        creation_tell_who_it_is(c);
        return 0;
}
