/* The life of a container's scope: systemd keeps it as long as some process is inside, so one of ours holds it until the container's is. */

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "runtime/cgroup-systemd.h"
#include "runtime/unit-properties.h"

#define SYSTEMD_TIMEOUT_MS 30000 /* as runc */

static void end_holder(pid_t holder) {
        if (holder <= 0)
                return;
        (void) kill(holder, SIGKILL);
        while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
                ;
}

/* It dies with us: of a creator that was killed, systemd then collects the empty scope. It keeps none of our descriptors, such as locks. */
static int start_holder(pid_t *ret, Error *err) {
        pid_t parent = getpid(), pid = fork();

        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "start the process that holds the scope");
        if (pid == 0) {
                sigset_t none;

                sigemptyset(&none);
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) prctl(PR_SET_NAME, "lxcri-scope");
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                (void) close_range(0, ~0u, 0);
                while (getppid() == parent)
                        (void) pause();
                _exit(0);
        }
        *ret = pid;
        return 0;
}

/* What every scope has; what the annotations say comes last. Delegate: the manager leaves everything below it alone. */
static int scope_properties(const CgroupRequest *request, const char *slice, pid_t holder, UnitProperties *properties, Error *err) {
        static const char *const on[] = { "Delegate", "MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting" };
        const char *group = json_string_value(json_object_get(json_object_get(request->resources, "unified"), "memory.oom.group"));
        _cleanup_free_ char *description = NULL;

        if (string_format(&description, err, "container %s", request->id) < 0 ||
            property_add_string(properties, "Description", description, err) < 0 ||
            property_add_string(properties, "Slice", slice, err) < 0 ||
            property_add_number(properties, "PIDs", "au", (uint64_t) holder, err) < 0 ||
            property_add_number(properties, "DefaultDependencies", "b", false, err) < 0 ||
            property_add_string(properties, "CollectMode", "inactive-or-failed", err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(on); i++)
                if (property_add_number(properties, on[i], "b", true, err) < 0)
                        return -1;
        /* can only be said at the start */
        if (group && property_add_string(properties, "OOMPolicy", group[0] == '1' ? "kill" : "continue", err) < 0)
                return -1;
        return properties_from_annotations(request->annotations, properties, err);
}

static int start(const CgroupRequest *request, pid_t holder, Error *err) {
        _cleanup_free_ char *slice = NULL, *unit = NULL, *wanted = NULL, *cgroup = NULL;
        _cleanup_properties_ UnitProperties properties = {};
        const SystemdModule *module;

        if (cgroup_scope_name(request, &slice, &unit, err) < 0 || cgroup_scope_path(request, &wanted, err) < 0 ||
            scope_properties(request, slice, holder, &properties, err) < 0)
                return -1;
        module = systemd_module(err);
        if (!module || module->start(cgroup_scope_is_of_user(), unit, &properties, SYSTEMD_TIMEOUT_MS, &cgroup, err) < 0)
                return -1;
        if (strcmp(cgroup, wanted)) {
                (void) module->stop(cgroup_scope_is_of_user(), unit, SYSTEMD_TIMEOUT_MS, NULL);
                return error_set(err, ERROR_RUNTIME, "unit '%s': systemd gave it cgroup '%s', not '%s'", unit, cgroup, wanted);
        }
        return 0;
}

int cgroup_scope_start(const CgroupRequest *request, pid_t *ret_holder, Error *err) {
        pid_t holder;

        if (start_holder(&holder, err) < 0)
                return -1;
        if (start(request, holder, err) < 0) {
                end_holder(holder);
                return -1;
        }
        *ret_holder = holder;
        return 0;
}

int cgroup_scope_set(const CgroupRequest *request, const CgroupSettings *settings, const CgroupTarget *target, const DeviceFilter *filter,
                     Error *err) {
        _cleanup_free_ char *slice = NULL, *unit = NULL;
        _cleanup_properties_ UnitProperties properties = {};
        const SystemdModule *module;

        if (properties_from_settings(settings, target->at[CONTROLLER_CPU].v2, &properties, err) < 0 ||
            (filter && properties_from_devices(filter, &properties, err) < 0))
                return -1;
        if (properties.n == 0)
                return 0;
        if (cgroup_scope_name(request, &slice, &unit, err) < 0)
                return -1;
        module = systemd_module(err);
        return module ? module->set(cgroup_scope_is_of_user(), unit, &properties, SYSTEMD_TIMEOUT_MS, err) : -1;
}

int cgroup_scope_stop(const CgroupRequest *request, int timeout_ms, Error *err) {
        _cleanup_free_ char *slice = NULL, *unit = NULL;
        const SystemdModule *module;

        if (cgroup_scope_name(request, &slice, &unit, err) < 0)
                return -1;
        module = systemd_module(err);
        return module ? module->stop(cgroup_scope_is_of_user(), unit, timeout_ms, err) : -1;
}
