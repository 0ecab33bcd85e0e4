/* events: a container's statistics at intervals, and the kernel's kills for memory as they come. Ends with the container's cgroups. */

#include <poll.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "lifecycle/container.h"
#include "lifecycle/transaction.h"
#include "runtime/cgroup-create.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

typedef struct Watch {
        const Lifecycle *lifecycle;
        const EventsRequest *request;
        const Container *container;
        BackendContainer backend;
        CgroupOom oom;
} Watch;

static void watch_clear(Watch *watch) {
        cgroup_oom_close(&watch->oom);
}

/* @data (taken) may be NULL. */
static int tell(const Watch *watch, const char *type, json_t *data, Error *err) {
        _cleanup_json_ json_t *event = json_pack("{s:s, s:s}", "type", type, "id", watch->container->state->id);

        if (data && json_object_set_new(event, "data", data) < 0)
                return error_oom(err);
        if (!event)
                return error_oom(err);
        return watch->request->event(watch->request->userdata, event, err);
}

static int tell_stats(const Watch *watch, Error *err) {
        const Container *c = watch->container;
        json_t *data;

        if (!c->backend->stats)
                return error_set(err, ERROR_NOT_SUPPORTED, "runtime '%s' has no statistics of a container", c->backend->name);
        return c->backend->stats(&watch->backend, c->state, &data, err) < 0 ? -1 : tell(watch, "stats", data, err);
}

static int64_t now_nanoseconds(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Until @until; *ret_readable: something came from the watch for kills. */
static int wait_for(const Watch *watch, int64_t until, bool *ret_readable, Error *err) {
        struct pollfd p = { .fd = watch->oom.fd, .events = POLLIN };
        int64_t left = until - now_nanoseconds();
        int64_t ms = left <= 0 ? 0 : (left + NS_PER_MS - 1) / NS_PER_MS;
        int r = poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int) ms);

        if (r < 0 && errno != EINTR)
                return error_set_errno(err, ERROR_FILE, errno, "wait for events");
        *ret_readable = r > 0;
        return lifecycle_interrupted(watch->lifecycle, err) ? -1 : 0;
}

static int watch_on(Watch *watch, Error *err) {
        int64_t interval = watch->request->interval_ns, next = now_nanoseconds() + interval;

        for (;;) {
                bool readable, killed = false, gone = false;

                if (wait_for(watch, next, &readable, err) < 0)
                        return -1;
                if (readable && cgroup_oom_read(&watch->oom, &killed, &gone, err) < 0)
                        return -1;
                if (killed && tell(watch, "oom", NULL, err) < 0)
                        return -1;
                if (gone)
                        return 0;
                if (now_nanoseconds() < next)
                        continue;
                if (tell_stats(watch, err) < 0)
                        return -1;
                next += interval;
                if (next < now_nanoseconds()) /* a slow reader does not get them all at once */
                        next = now_nanoseconds() + interval;
        }
}

static int events(const Lifecycle *lifecycle, const char *id, const EventsRequest *request, Error *err) {
        _cleanup_(watch_clear) Watch watch = {
                .lifecycle = lifecycle,
                .request = request,
                .oom = { .fd = -EBADF, .directory_fd = -EBADF },
        };
        _cleanup_(container_freep) Container *c = NULL;
        char runtime_dir[PATH_MAX];

        if (container_find(lifecycle, id, 0, &c, err) < 0 || container_need_running(c, err) < 0 ||
            container_backend(lifecycle, c, &watch.backend, runtime_dir, err) < 0)
                return -1;
        watch.container = c;
        if (request->interval_ns == 0)
                return tell_stats(&watch, err);
        if (cgroup_oom_open(c->state->cgroups, &watch.oom, err) < 0)
                return -1;
        return watch_on(&watch, err);
}

int lifecycle_events(const Lifecycle *lifecycle, const char *id, const EventsRequest *request, Error *err) {
        return events(lifecycle, id, request, err) < 0 ? error_prefix(err, "events of '%s'", id) : 0;
}
