/* Calls to systemd's manager by sd-bus. Source: org.freedesktop.systemd1(5) */

#include "runtime/systemd/manager.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define DESTINATION "org.freedesktop.systemd1"
#define PATH        "/org/freedesktop/systemd1"
#define MANAGER     "org.freedesktop.systemd1.Manager"
#define SCOPE       "org.freedesktop.systemd1.Scope"
#define NO_UNIT     "org.freedesktop.systemd1.NoSuchUnit"
#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

#define _cleanup_bus_     __attribute__((cleanup(sd_bus_flush_close_unrefp)))
#define _cleanup_message_ __attribute__((cleanup(sd_bus_message_unrefp)))
#define _cleanup_slot_    __attribute__((cleanup(sd_bus_slot_unrefp)))
#define _cleanup_reply_   __attribute__((cleanup(sd_bus_error_free)))

/* The job we wait for, and how it ended. */
typedef struct Job {
        const char *path;
        char result[32]; /* "done", "failed", "timeout", …; "" while it runs */
} Job;

static uint64_t now_us(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static int open_bus(bool user, int timeout_ms, sd_bus **ret, Error *err) {
        int r = user ? sd_bus_open_user(ret) : sd_bus_open_system(ret);

        if (r < 0) {
                error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, -r, "connect to systemd's %s manager", user ? "user" : "system");
                return error_hint(err, user ? "a user's own systemd needs a login session, or lingering: loginctl enable-linger"
                                            : "--systemd-cgroup needs systemd as the init of this host, and a system bus");
        }
        (void) sd_bus_set_method_call_timeout(*ret, (uint64_t) timeout_ms * 1000);
        return 0;
}

static int append_value(sd_bus_message *message, const UnitProperty *p) {
        int r;

        switch (p->type[0]) {
        case 'b':
                return sd_bus_message_append(message, "b", (int) p->number);
        case 'y':
                return sd_bus_message_append(message, "y", (uint8_t) p->number);
        case 'n':
        case 'q':
                return sd_bus_message_append(message, p->type, (uint16_t) p->number);
        case 'i':
        case 'u':
                return sd_bus_message_append(message, p->type, (uint32_t) p->number);
        case 'x':
        case 't':
                return sd_bus_message_append(message, p->type, p->number);
        case 's':
                return sd_bus_message_append(message, "s", p->strings[0]);
        default:
                break;
        }
        if (!strcmp(p->type, "as"))
                return sd_bus_message_append_strv(message, p->strings);
        if (!strcmp(p->type, "ay"))
                return sd_bus_message_append_array(message, 'y', p->bytes, p->n_bytes);
        if (!strcmp(p->type, "au"))
                return sd_bus_message_append(message, "au", 1, (uint32_t) p->number);
        r = sd_bus_message_open_container(message, 'a', "(ss)");
        for (char **s = p->strings; r >= 0 && s && s[0]; s += 2)
                r = sd_bus_message_append(message, "(ss)", s[0], s[1]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_properties(sd_bus_message *message, const UnitProperties *properties) {
        int r = sd_bus_message_open_container(message, 'a', "(sv)");

        for (size_t i = 0; r >= 0 && i < properties->n; i++) {
                const UnitProperty *p = &properties->all[i];

                r = sd_bus_message_open_container(message, 'r', "sv");
                r = r < 0 ? r : sd_bus_message_append(message, "s", p->name);
                r = r < 0 ? r : sd_bus_message_open_container(message, 'v', p->type);
                r = r < 0 ? r : append_value(message, p);
                r = r < 0 ? r : sd_bus_message_close_container(message);
                r = r < 0 ? r : sd_bus_message_close_container(message);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int bus_failed(int r, const char *unit, Error *err) {
        return r == -ENOMEM ? error_oom(err) : error_set_errno(err, ERROR_RUNTIME, -r, "unit '%s': talk to systemd", unit);
}

/* What the manager answered, in its own words. */
static int refused(int r, const sd_bus_error *reply, const char *unit, Error *err) {
        ErrorKind kind = ERROR_RUNTIME;

        if (sd_bus_error_has_name(reply, UNIT_EXISTS))
                kind = ERROR_INVALID_STATE;
        else if (sd_bus_error_has_name(reply, SD_BUS_ERROR_PROPERTY_READ_ONLY) || sd_bus_error_has_name(reply, SD_BUS_ERROR_INVALID_ARGS))
                kind = ERROR_INVALID_SPEC;
        else if (r == -ETIMEDOUT)
                kind = ERROR_TIMEOUT;
        if (r == -ENOMEM)
                return error_oom(err);
        error_set(err, kind, "unit '%s': systemd: %s", unit, reply->message ?: strerror(-r));
        if (err)
                err->errnum = -r;
        return -1;
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Job *job = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && job->path && !strcmp(path, job->path))
                (void) snprintf(job->result, sizeof(job->result), "%s", result);
        return 0;
}

/* From before the call that makes the job on: its end may come with the answer. */
static int watch_jobs(sd_bus *bus, Job *job, sd_bus_slot **ret_slot, const char *unit, Error *err) {
        int r = sd_bus_match_signal(bus, ret_slot, DESTINATION, PATH, MANAGER, "JobRemoved", on_job_removed, job);

        if (r >= 0)
                r = sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "Subscribe", NULL, NULL, NULL);
        return r < 0 ? bus_failed(r, unit, err) : 0;
}

static int wait_job(sd_bus *bus, Job *job, const char *unit, int timeout_ms, Error *err) {
        uint64_t deadline = now_us() + (uint64_t) timeout_ms * 1000;

        while (!job->result[0]) {
                uint64_t now = now_us();
                int r = sd_bus_process(bus, NULL);

                if (r == 0 && now >= deadline)
                        return error_set(err, ERROR_TIMEOUT, "unit '%s': systemd's job did not end within %d ms", unit, timeout_ms);
                if (r == 0)
                        r = sd_bus_wait(bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return bus_failed(r, unit, err);
        }
        return 0;
}

static int call_with_unit(sd_bus *bus, const char *method, const char *unit) {
        return sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, method, NULL, NULL, "s", unit);
}

/* StartTransientUnit(name, mode, properties, aux). The reply holds the job's path. */
static int call_start(sd_bus *bus, const char *unit, const UnitProperties *properties, sd_bus_error *reply, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r = sd_bus_message_new_method_call(bus, &message, DESTINATION, PATH, MANAGER, "StartTransientUnit");

        r = r < 0 ? r : sd_bus_message_append(message, "ss", unit, "fail");
        r = r < 0 ? r : append_properties(message, properties);
        r = r < 0 ? r : sd_bus_message_append(message, "a(sa(sv))", 0);
        return r < 0 ? r : sd_bus_call(bus, message, 0, reply, ret);
}

static int read_cgroup(sd_bus *bus, const char *unit, char **ret, Error *err) {
        _cleanup_reply_ sd_bus_error reply = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL, *cgroup = NULL;
        int r = sd_bus_path_encode(PATH "/unit", unit, &path);

        r = r < 0 ? r : sd_bus_get_property_string(bus, DESTINATION, path, SCOPE, "ControlGroup", &reply, &cgroup);
        if (r < 0)
                return refused(r, &reply, unit, err);
        *ret = TAKE(cgroup);
        return 0;
}

int manager_start(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, char **ret_cgroup, Error *err) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_slot_ sd_bus_slot *slot = NULL;
        _cleanup_message_ sd_bus_message *message = NULL;
        _cleanup_reply_ sd_bus_error reply = SD_BUS_ERROR_NULL;
        Job job = {};
        int r;

        if (open_bus(user, timeout_ms, &bus, err) < 0 || watch_jobs(bus, &job, &slot, unit, err) < 0)
                return -1;
        r = call_start(bus, unit, properties, &reply, &message);
        if (r < 0 && sd_bus_error_has_name(&reply, UNIT_EXISTS)) {
                /* a failed unit is kept until it is reset */
                (void) call_with_unit(bus, "ResetFailedUnit", unit);
                sd_bus_error_free(&reply);
                r = call_start(bus, unit, properties, &reply, &message);
        }
        if (r >= 0)
                r = sd_bus_message_read(message, "o", &job.path);
        if (r < 0)
                return refused(r, &reply, unit, err);
        if (wait_job(bus, &job, unit, timeout_ms, err) < 0)
                return -1;
        if (strcmp(job.result, "done")) {
                (void) call_with_unit(bus, "ResetFailedUnit", unit);
                return error_set(err, ERROR_RUNTIME, "unit '%s': systemd could not start it: %s", unit, job.result);
        }
        return read_cgroup(bus, unit, ret_cgroup, err);
}

int manager_set(bool user, const char *unit, const UnitProperties *properties, int timeout_ms, Error *err) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_message_ sd_bus_message *message = NULL;
        _cleanup_reply_ sd_bus_error reply = SD_BUS_ERROR_NULL;
        int r;

        if (open_bus(user, timeout_ms, &bus, err) < 0)
                return -1;
        r = sd_bus_message_new_method_call(bus, &message, DESTINATION, PATH, MANAGER, "SetUnitProperties");
        r = r < 0 ? r : sd_bus_message_append(message, "sb", unit, 1);
        r = r < 0 ? r : append_properties(message, properties);
        r = r < 0 ? r : sd_bus_call(bus, message, 0, &reply, NULL);
        return r < 0 ? refused(r, &reply, unit, err) : 0;
}

int manager_stop(bool user, const char *unit, int timeout_ms, Error *err) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_slot_ sd_bus_slot *slot = NULL;
        _cleanup_message_ sd_bus_message *message = NULL;
        _cleanup_reply_ sd_bus_error reply = SD_BUS_ERROR_NULL;
        Job job = {};
        int r;

        if (open_bus(user, timeout_ms, &bus, err) < 0 || watch_jobs(bus, &job, &slot, unit, err) < 0)
                return -1;
        r = sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "StopUnit", &reply, &message, "ss", unit, "replace");
        if (r < 0 && sd_bus_error_has_name(&reply, NO_UNIT))
                return 0;
        if (r >= 0)
                r = sd_bus_message_read(message, "o", &job.path);
        if (r < 0)
                return refused(r, &reply, unit, err);
        if (wait_job(bus, &job, unit, timeout_ms, err) < 0)
                return -1;
        /* however the job ended, what failed is kept until it is reset */
        (void) call_with_unit(bus, "ResetFailedUnit", unit);
        return 0;
}
