/* delete: whatever create came to is taken back, by what is on disk. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "engine/create.h"
#include "engine/outer-hooks.h"
#include "engine/record.h"
#include "engine/warn.h"
#include "runtime/cgroup.h"

#define END_TIMEOUT_MS 10000 /* for killed processes to end: one in uninterruptible sleep may need that long */

static int end_init(const ProcessRef *init, char *const *cgroups, bool force, Error *err) {
        _cleanup_close_ int fd = process_open(init);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int r;

        if (fd < 0 || !process_is_alive(init))
                return 0;
        if (!force)
                return error_set(err, ERROR_INVALID_STATE, "the container's init (process %d) still runs", (int) init->pid);
        if (process_signal(init, SIGKILL) == -ESRCH)
                return 0;
        /* On cgroup v1 what is frozen dies only when it is thawed. Where that fails, the wait says so. */
        (void) cgroup_freeze(cgroups, false, END_TIMEOUT_MS, NULL);
        do
                r = poll(&p, 1, END_TIMEOUT_MS);
        while (r < 0 && errno == EINTR);
        return r == 0 ? error_set(err, ERROR_TIMEOUT, "the container's init (process %d) does not end after SIGKILL", (int) init->pid) : 0;
}

/* Once: what is to be run is forgotten first. A failure is told, and stops nothing. Source: runtime-spec runtime.md, "Lifecycle" */
static void run_poststop(const EngineContainer *container, const json_t *record) {
        const json_t *hooks = json_object_get(record, "hooks"), *state = json_object_get(record, "state");

        for (size_t i = 0; i < json_array_size(json_object_get(hooks, "poststop")); i++) {
                Error err = ERROR_INIT;

                if (outer_hook_run(hooks, "poststop", i, state, "stopped", 0, &err) < 0)
                        container_warn(container, "%s", err.text);
        }
}

static int delete_at(const EngineContainer *container, int dir_fd, bool force, Error *err) {
        _cleanup_json_ json_t *record = NULL;
        _cleanup_strv_ char **cgroups = NULL;
        CgroupRequest request = { .id = container->id, .systemd = container->systemd_cgroup };
        const char *hidden;
        ProcessRef init;

        if (record_load(dir_fd, &record, err) < 0 || record_cgroups(record, &cgroups, err) < 0 || record_load_init(dir_fd, &init, err) < 0)
                return -1;
        if (end_init(&init, cgroups, force, err) < 0)
                return -1;
        request.path = record_path(record);
        hidden = cgroup_hidden(cgroups);
        if (record && cgroup_release(cgroups, &request, END_TIMEOUT_MS, err) < 0)
                return -1;
        if (record_forget(dir_fd, err) < 0)
                return -1;
        if (hidden)
                container_warn(container, "cgroup '%s' may be left: its hierarchy is not mounted here", hidden);
        run_poststop(container, record);
        return 0;
}

int engine_delete(const EngineContainer *container, bool force, Error *err) {
        _cleanup_close_ int dir_fd = open(container->runtime_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir_fd < 0 && errno == ENOENT)
                return 0;
        if (dir_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", container->runtime_dir);
        return delete_at(container, dir_fd, force, err);
}
