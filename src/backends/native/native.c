/* The backend `native`: our own engine, started by clone3(). */

#include "backends/control.h"
#include "backends/native/native.h"
#include "backends/rows.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/cgroup.h"

static EngineContainer engine_container(const BackendContainer *c) {
        return (EngineContainer) {
                .launcher = &native_launcher,
                .id = c->id,
                .bundle = c->bundle,
                .runtime_dir = c->runtime_dir,
                .systemd_cgroup = c->systemd_cgroup,
        };
}

static EngineCreate engine_request(const BackendCreate *request) {
        return (EngineCreate) {
                .console_socket = request->console_socket,
                .no_pivot = request->no_pivot,
                .no_new_keyring = request->no_new_keyring,
                .preserve_fds = request->preserve_fds,
                .stdin_fd = request->stdin_fd,
                .stdout_fd = request->stdout_fd,
                .stderr_fd = request->stderr_fd,
        };
}

static int native_probe(const Backend *backend, const char *program, Error *err) {
        if (program) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "program '%s' is of no use: native is this program itself", program);
                return error_hint(err, "remove runtimes.native.path from the configuration");
        }
        return engine_probe(err);
}

static int native_create(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err) {
        const EngineContainer c = engine_container(container);
        const EngineCreate r = engine_request(request);

        return engine_create(&c, &r, ret_init, err);
}

static int native_start(const BackendContainer *container, Error *err) {
        const EngineContainer c = engine_container(container);

        return engine_start(&c, err);
}

static int native_delete(const BackendContainer *container, bool force, Error *err) {
        const EngineContainer c = engine_container(container);

        return engine_delete(&c, force, err);
}

static int native_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err) {
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

static int native_run(const BackendContainer *container, const BackendCreate *request,
                      int (*published)(void *userdata, pid_t init, Error *err), void *userdata, int *ret_status, Error *err) {
        const EngineContainer c = engine_container(container);
        const EngineCreate r = engine_request(request);

        return engine_run(&c, &r, published, userdata, ret_status, err);
}

static int native_exec(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err) {
        const EngineContainer c = engine_container(container);
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
        if (exec_process(container->bundle, request, &spec, &process, err) < 0)
                return -1;
        r.process = process;
        r.linux_part = json_object_get(spec, "linux");
        return engine_exec(&c, &state->init, state->cgroups, &r, ret_status, err);
}

static int native_update(const BackendContainer *container, const State *state, const json_t *resources, Error *err) {
        const EngineContainer c = engine_container(container);

        if (!process_is_alive(&state->init))
                return control_not_running(err);
        return engine_update(&c, state->cgroups, resources, err);
}

const Backend backend_native = {
        .name = "native",
        .summary = "make the container by this program itself",
        .probe = native_probe,
        .create = native_create,
        .start = native_start,
        .kill = control_kill,
        .delete = native_delete,
        .state = native_state,
        .run = native_run,
        .exec = native_exec,
        .pause = control_pause,
        .resume = control_resume,
        .update = native_update,
};
