/* The functions of every row whose containers our own engine makes; rows differ in the launcher. */

#include "backends/engine-row.h"

#include <stdlib.h>

#include "backends/control.h"
#include "backends/native/native.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/cgroup.h"

#define NOTIFY_SOCKET "NOTIFY_SOCKET" /* sd_notify(3) */

static EngineContainer engine_container(const BackendContainer *c) {
        return (EngineContainer) {
                .launcher = c->backend->driver_data,
                .id = c->id,
                .bundle = c->bundle,
                .config_dir = c->config_dir,
                .runtime_dir = c->runtime_dir,
                .systemd_cgroup = c->systemd_cgroup,
                .warn = c->warn,
                .warn_data = c->warn_data,
        };
}

static EngineCreate engine_request(const BackendCreate *request, const char *criu) {
        return (EngineCreate) {
                .spec = request->spec,
                .console_socket = request->console_socket,
                .no_pivot = request->no_pivot,
                .no_new_keyring = request->no_new_keyring,
                .preserve_fds = request->preserve_fds + request->listen_fds,
                .notify_socket = getenv(NOTIFY_SOCKET),
                .listen_fds = request->listen_fds,
                .stdin_fd = request->stdin_fd,
                .stdout_fd = request->stdout_fd,
                .stderr_fd = request->stderr_fd,
                .ret_cgroups = request->ret_cgroups,
                .restore = request->restore,
                .criu = criu,
                .ret_init = request->ret_init,
        };
}

static int need_cgroups(const BackendContainer *container, Error *err) {
        if (!container->no_cgroups)
                return 0;
        error_set(err, ERROR_NOT_SUPPORTED, "a container of '%s' has cgroups of its own", container->backend->name);
        return error_hint(err, "leave --cgroup-manager away");
}

int engine_row_create(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err) {
        const EngineContainer c = engine_container(container);
        const EngineCreate r = engine_request(request, container->criu);

        return need_cgroups(container, err) < 0 ? -1 : engine_create(&c, &r, ret_init, err);
}

int engine_row_start(const BackendContainer *container, Error *err) {
        const EngineContainer c = engine_container(container);

        return engine_start(&c, getenv(NOTIFY_SOCKET), container->started, container->userdata, err);
}

int engine_row_delete(const BackendContainer *container, bool force, Error *err) {
        const EngineContainer c = engine_container(container);

        return engine_delete(&c, force, err);
}

int engine_row_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err) {
        const EngineContainer c = engine_container(container);
        bool frozen;

        if (!process_is_alive(&state->init)) {
                *ret = STATUS_STOPPED;
                return 0;
        }
        if (cgroup_is_frozen(state->cgroups, &frozen, err) < 0)
                return -1;
        *ret = frozen ? STATUS_PAUSED : engine_is_waiting(&c) ? STATUS_CREATED : STATUS_RUNNING;
        return 0;
}

int engine_row_run(const BackendContainer *container, const BackendCreate *request,
                   int (*published)(void *userdata, pid_t init, Error *err), void *userdata, int *ret_status, Error *err) {
        const EngineContainer c = engine_container(container);
        const EngineCreate r = engine_request(request, container->criu);

        if (need_cgroups(container, err) < 0)
                return -1;
        return (r.restore ? engine_restore_run : engine_run)(&c, &r, published, userdata, ret_status, err);
}

int engine_row_checkpoint(const BackendContainer *container, const State *state, const BackendCheckpoint *request, Error *err) {
        const EngineContainer c = engine_container(container);

        return engine_checkpoint(&c, &state->init, state->cgroups, request, container->criu, err);
}

int engine_row_restore(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err) {
        const EngineContainer c = engine_container(container);
        const EngineCreate r = engine_request(request, container->criu);

        return need_cgroups(container, err) < 0 ? -1 : engine_restore(&c, &r, ret_init, err);
}

int engine_row_exec(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err) {
        EngineContainer c = engine_container(container);
        _cleanup_json_ json_t *spec = NULL, *process = NULL;
        EngineExec r = {
                .console_socket = request->console_socket,
                .pid_file = request->pid_file,
                .cgroup = request->cgroup,
                .detach = request->detach,
                .preserve_fds = request->preserve_fds,
        };

        if (!process_is_alive(&state->init))
                return error_set(err, ERROR_INVALID_STATE, "cannot exec in a container that is not running");
        if (request->listen_fds > 0) {
                error_set(err, ERROR_NOT_SUPPORTED, "sockets of $LISTEN_FDS for one more process in a container of '%s'",
                          container->backend->name);
                return error_hint(err, "hand them over by --preserve-fds, or unset LISTEN_FDS");
        }
        if (exec_process(container->config_dir, request, &spec, &process, err) < 0)
                return -1;
        /* Nothing but a container's init needs anybody else's launcher. */
        c.launcher = &native_launcher;
        r.process = process;
        r.linux_part = json_object_get(spec, "linux");
        return engine_exec(&c, &state->init, state->cgroups, &r, ret_status, err);
}

int engine_row_update(const BackendContainer *container, const State *state, const BackendUpdate *request, Error *err) {
        const EngineContainer c = engine_container(container);

        if (!process_is_alive(&state->init))
                return control_not_running(err);
        if (request->l3_cache_schema || request->mem_bw_schema)
                return error_set(err, ERROR_NOT_SUPPORTED, "linux.intelRdt cannot be changed while the container runs");
        return engine_update(&c, state->cgroups, request->resources, err);
}

int engine_row_features(const Backend *backend, const char *program, json_t **ret, Error *err) {
        return engine_features(ret, err);
}
