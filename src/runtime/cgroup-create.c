/* Making a container's cgroups: directories, limits and device rules, all of it or nothing. */

#include "runtime/cgroup-create.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-layout.h"
#include "runtime/cgroup-prepare.h"
#include "runtime/cgroup-settings.h"
#include "runtime/cgroup-systemd.h"
#include "runtime/cgroup.h"

#define STOP_TIMEOUT_MS 10000 /* of a scope whose container could not be made */
#define CONTROL_MAX     4096  /* bytes of a cgroup.subtree_control */
#define MAKE_TRIES      16    /* a cgroup above may be removed, being empty, between our making it and the one below */

Cgroup *cgroup_free(Cgroup *cgroup) {
        if (!cgroup)
                return NULL;
        strv_free(cgroup->directories);
        strv_free(cgroup->controllers);
        close_keep_errno(cgroup->v2_fd);
        for (size_t i = 0; i < cgroup->n_tasks; i++)
                close_keep_errno(cgroup->tasks_fds[i]);
        free(cgroup->tasks_fds);
        if (cgroup->holder > 0) {
                (void) kill(cgroup->holder, SIGKILL);
                (void) waitpid(cgroup->holder, NULL, 0);
        }
        free(cgroup);
        return NULL;
}

static int cgroup_new(Cgroup **ret, Error *err) {
        _cleanup_(cgroup_freep) Cgroup *cgroup = calloc(1, sizeof(*cgroup));

        if (!cgroup)
                return error_oom(err);
        cgroup->v2_fd = -EBADF;
        cgroup->directories = calloc(1, sizeof(*cgroup->directories));
        cgroup->controllers = calloc(1, sizeof(*cgroup->controllers));
        if (!cgroup->directories || !cgroup->controllers)
                return error_oom(err);
        *ret = TAKE(cgroup);
        return 0;
}

/* Adds what a process enters a cgroup of v1 by: the file @name there. */
static int cgroup_add_tasks(Cgroup *cgroup, int dir_fd, const char *name, Error *err) {
        int *fds = reallocarray(cgroup->tasks_fds, cgroup->n_tasks + 1, sizeof(*fds)), tasks;

        if (!fds)
                return error_oom(err);
        cgroup->tasks_fds = fds;
        tasks = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (tasks < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", name);
        fds[cgroup->n_tasks++] = tasks;
        return 0;
}

/* Adds what a process enters by: the directory itself on v2, its tasks file on v1. */
static int cgroup_add_entry(Cgroup *cgroup, int fd, bool v2, Error *err) {
        if (!v2)
                return cgroup_add_tasks(cgroup, fd, "tasks", err);
        cgroup->v2_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return cgroup->v2_fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "duplicate a descriptor") : 0;
}

/* Makes what is missing above a place; what others make at the same time is as good. */
static int make_parents(CgroupPlace *place, Error *err) {
        for (char *p = place->path + place->base; *p; p++) {
                size_t len = (size_t) (p - place->path);
                int r;

                if (*p != '/' || len == place->base)
                        continue;
                *p = '\0';
                r = mkdir(place->path, 0755);
                if (r == 0 && place->made_from == 0)
                        place->made_from = len;
                if (r < 0 && errno != EEXIST) {
                        error_set_errno(err, ERROR_FILE, errno, "make cgroup '%s'", place->path);
                        *p = '/';
                        return -1;
                }
                *p = '/';
        }
        return 0;
}

/* Makes one place. 1: made; 0: it was there; -1 with errno for those that may be optional. */
static int make_place(CgroupPlace *place, Error *err) {
        for (unsigned i = 0; i < MAKE_TRIES; i++) {
                if (mkdir(place->path, 0755) == 0) {
                        if (place->made_from == 0)
                                place->made_from = strlen(place->path);
                        return 1;
                }
                if (errno == EEXIST)
                        return 0;
                if (errno != ENOENT)
                        break;
                if (make_parents(place, err) < 0)
                        return -1;
        }
        return error_set_errno(err, ERROR_FILE, errno, "make cgroup '%s'", place->path);
}

/* Removes what we made, from the bottom; what others use by now stays. */
static void unmake(CgroupLayout *layout) {
        for (size_t i = 0; i < layout->n; i++) {
                CgroupPlace *place = &layout->places[i];
                char *slash;

                while (place->made_from > 0 && strlen(place->path) >= place->made_from) {
                        if (rmdir(place->path) < 0 && errno != ENOENT)
                                break;
                        slash = strrchr(place->path, '/');
                        *slash = '\0';
                }
        }
}

/* What was there before is taken only when the spec names it and nobody is in it. */
static int check_existing(const CgroupRequest *request, char *const *existing, Error *err) {
        _cleanup_free_ pid_t *pids = NULL;
        bool frozen = false;
        size_t n = 0;

        if (!existing || !existing[0] || request->systemd)
                return 0;
        if (!cgroup_layout_is_named(request)) {
                error_set(err, ERROR_INVALID_STATE, "cgroup '%s' is there already", existing[0]);
                return error_hint(err, "remove it if it is left over, or choose another id");
        }
        if (cgroup_pids(existing, &pids, &n, err) < 0)
                return -1;
        if (n > 0)
                return error_set(err, ERROR_INVALID_STATE, "cgroup '%s' is in use by process %d (of %zu)", existing[0], (int) pids[0], n);
        if (cgroup_is_frozen(existing, &frozen, err) < 0)
                return -1;
        if (frozen)
                return error_set(err, ERROR_INVALID_STATE, "cgroup '%s' is frozen", existing[0]);
        return 0;
}

bool cgroup_is_needed(const json_t *resources) {
        return resources_need(resources) != 0;
}

static bool may_be_left_out(const CgroupRequest *request, int errnum) {
        return request->optional && (errnum == EACCES || errnum == EPERM || errnum == EROFS);
}

static int make_all(const CgroupRequest *request, CgroupLayout *layout, Error *err) {
        _cleanup_strv_ char **existing = NULL;
        Error refusal = ERROR_INIT;
        size_t n = 0;

        for (size_t i = 0; i < layout->n; i++) {
                CgroupPlace *place = &layout->places[i];
                int r = make_place(place, &refusal);

                place->absent = r < 0 && may_be_left_out(request, refusal.errnum);
                if (r < 0 && !place->absent) {
                        if (err)
                                *err = refusal;
                        return -1;
                }
                if (r == 0 && strv_push(&existing, place->path, err) < 0)
                        return -1;
                n += r >= 0;
        }
        if (n == 0 && (cgroup_layout_is_named(request) || resources_need(request->resources))) {
                if (err)
                        *err = refusal;
                return error_hint(err, "cgroups for this user have to be delegated, for example by a systemd user session");
        }
        return check_existing(request, existing, err);
}

static bool has_device_rules(const CgroupRequest *request) {
        return json_array_size(json_object_get(request->resources, "devices")) > 0 || request->n_device_rules > 0;
}

/* Whether a place is only to be entered, like most of v1's: we made it, and write nothing else there. */
static bool is_only_entered(const CgroupRequest *request, const CgroupPlace *place) {
        const char *controllers = place->hierarchy->controllers;
        unsigned written = resources_mentioned(request->resources) | 1u << CONTROLLER_CPUSET;

        if (has_device_rules(request))
                written |= 1u << CONTROLLER_DEVICES;
        return controllers[0] && place->made_from > 0 && !request->delegate && !request->systemd &&
               !(controller_v1_mask(controllers) & written);
}

static int open_entry(const CgroupPlace *place, Cgroup *cgroup, Error *err) {
        _cleanup_free_ char *tasks = NULL;

        if (string_format(&tasks, err, "%s/tasks", place->path) < 0 || cgroup_add_tasks(cgroup, AT_FDCWD, tasks, err) < 0)
                return -1;
        return strv_push(&cgroup->directories, place->path, err) < 0 ||
               strv_push(&cgroup->controllers, place->hierarchy->controllers, err) < 0 ? -1 : 0;
}

/* Opens what was made, for us (@target) and for the container (@cgroup), and fills it as far as the kernel asks. */
static int open_place(const CgroupRequest *request, CgroupLayout *layout, const CgroupPlace *place, Cgroup *cgroup, CgroupTarget *target,
                      Error *err) {
        const CgroupHierarchy *h = place->hierarchy;
        int fd = open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct statfs st;

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", place->path);
        if (cgroup_target_add(target, fd, h->controllers, err) < 0)
                return error_prefix(err, "cgroup '%s'", place->path);
        if (place->made_from == 0) {
                /* Not ours: a mount, or a symlink above, may have led anywhere. */
                if (fstatfs(fd, &st) < 0 || (st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC))
                        return error_set(err, ERROR_INVALID_SPEC, "'%s' is not a cgroup", place->path);
                if (cgroup_holds_us(&layout->hierarchies, fd))
                        return error_set(err, ERROR_INVALID_STATE, "cgroup '%s' holds this program itself", place->path);
        }
        /* right below the root a new one is always right */
        if (!h->controllers[0] && (place->made_from == 0 || strchr(place->path + strlen(h->mount) + 1, '/')) &&
            cgroup_v2_check(fd, place->path, err) < 0)
                return -1;
        if (target->at[CONTROLLER_CPUSET].fd == fd && !target->at[CONTROLLER_CPUSET].v2 && cgroup_cpuset_fill(fd, err) < 0)
                return error_prefix(err, "cgroup '%s'", place->path);
        if (request->delegate && cgroup_delegate(fd, h, request->uid, request->gid, err) < 0)
                return error_prefix(err, "cgroup '%s'", place->path);
        return strv_push(&cgroup->directories, place->path, err) < 0 || strv_push(&cgroup->controllers, h->controllers, err) < 0 ||
               cgroup_add_entry(cgroup, fd, !h->controllers[0], err) < 0 ? -1 : 0;
}

/* Without privileges no device can be made, and the rules are those of the cgroups around it; runc leaves them out there too. */
static int apply_devices(const CgroupRequest *request, const DeviceFilter *filter, const CgroupTarget *target, Error *err) {
        Error local = ERROR_INIT;

        if (device_filter_apply(filter, target, &local) < 0 && !may_be_left_out(request, local.errnum)) {
                if (err)
                        *err = local;
                return -1;
        }
        return 0;
}

static int limit(const CgroupRequest *request, const CgroupTarget *target, const Error *reason, Error *err) {
        const json_t *devices = json_object_get(request->resources, "devices");
        bool has_devices = has_device_rules(request);
        _cleanup_settings_ CgroupSettings settings = {};
        _cleanup_filter_ DeviceFilter filter = {};

        if (cgroup_settings_build(request->resources, target, &settings, err) < 0) {
                if (err && err->kind == ERROR_NOT_SUPPORTED && error_is_set(reason))
                        error_hint(err, "%s", reason->text);
                return -1;
        }
        if (has_devices && device_filter_build(devices, request->device_rules, request->n_device_rules, &filter, err) < 0)
                return -1;
        /* systemd first, and the files, which are exact, after it */
        if (request->systemd && cgroup_scope_set(request, &settings, target, has_devices ? &filter : NULL, err) < 0)
                return -1;
        if (cgroup_settings_apply(&settings, target, err) < 0)
                return -1;
        return has_devices ? apply_devices(request, &filter, target, err) : 0;
}

static int fill(const CgroupRequest *request, CgroupLayout *layout, Cgroup *cgroup, Error *err) {
        _cleanup_target_ CgroupTarget target;
        unsigned need = resources_need(request->resources);
        Error reason = ERROR_INIT;

        cgroup_target_init(&target);
        for (size_t i = 0; i < layout->n; i++) {
                const CgroupPlace *place = &layout->places[i];

                if (place->absent)
                        continue;
                /* Where v1 has controllers, those of v2 are left free for v1 unless they are needed. */
                if (!place->hierarchy->controllers[0] && cgroup_v2_enable(place, need, !layout->legacy, &reason, err) < 0)
                        return -1;
                if ((is_only_entered(request, place) ? open_entry(place, cgroup, err)
                                                     : open_place(request, layout, place, cgroup, &target, err)) < 0)
                        return -1;
        }
        /* All left out: there is nothing to be limited, and who asked for limits was refused. */
        if (!cgroup->directories[0] && request->optional)
                return 0;
        return limit(request, &target, &reason, err);
}

int cgroup_create(const CgroupRequest *request, CgroupLayout *layout, Cgroup **ret, Error *err) {
        _cleanup_(cgroup_freep) Cgroup *cgroup = NULL;

        if (cgroup_new(&cgroup, err) < 0)
                return -1;
        if (request->systemd && cgroup_scope_start(request, &cgroup->holder, err) < 0)
                return -1;
        if (make_all(request, layout, err) < 0 || fill(request, layout, cgroup, err) < 0) {
                if (request->systemd)
                        (void) cgroup_scope_stop(request, STOP_TIMEOUT_MS, NULL);
                unmake(layout);
                return -1;
        }
        *ret = TAKE(cgroup);
        return 0;
}

/* Whether @path is a cgroup of v2 that gives controllers to those below it. */
static int is_divided(const char *path, bool *ret, Error *err) {
        _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *given = NULL;
        Error local = ERROR_INIT;

        *ret = false;
        if (fd < 0 || file_read_at(fd, "cgroup.subtree_control", CONTROL_MAX, &given, NULL, &local) < 0) {
                /* v1 has no such file; what is gone is told by who opens it */
                if (fd < 0 || local.errnum == ENOENT || local.errnum == ENODEV)
                        return 0;
                if (err)
                        *err = local;
                return -1;
        }
        *ret = given[strspn(given, " \n")] != '\0';
        return 0;
}

int cgroup_open_beside(char *const *directories, pid_t init, Cgroup **ret, Error *err) {
        _cleanup_strv_ char **all = calloc(1, sizeof(*all)), **own = NULL;

        if (!all)
                return error_oom(err);
        for (; directories && *directories; directories++) {
                size_t len = strlen(*directories);
                const char *entry = *directories;
                bool divided;

                if (is_divided(entry, &divided, err) < 0 || (divided && !own && cgroup_of_process(init, &own, err) < 0))
                        return -1;
                for (char **o = own; divided && *o; o++)
                        if (!strncmp(*o, *directories, len) && (*o)[len] == '/')
                                entry = *o;
                if (strv_push(&all, entry, err) < 0)
                        return -1;
        }
        return cgroup_open(all, ret, err);
}

int cgroup_open(char *const *directories, Cgroup **ret, Error *err) {
        _cleanup_(cgroup_freep) Cgroup *cgroup = NULL;

        if (cgroup_new(&cgroup, err) < 0)
                return -1;
        for (; directories && *directories; directories++) {
                _cleanup_close_ int fd = open(*directories, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                struct statfs st;

                if (fd < 0 || fstatfs(fd, &st) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", *directories);
                if (st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not a cgroup", *directories);
                if (strv_push(&cgroup->directories, *directories, err) < 0 ||
                    cgroup_add_entry(cgroup, fd, st.f_type == CGROUP2_SUPER_MAGIC, err) < 0)
                        return error_prefix(err, "cgroup '%s'", *directories);
        }
        *ret = TAKE(cgroup);
        return 0;
}
