/* From linux.cgroupsPath to a directory in each hierarchy. */

#include "runtime/cgroup-layout.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "runtime/cgroup-names.h"
#include "runtime/cgroup-systemd.h"

CgroupLayout *cgroup_layout_free(CgroupLayout *layout) {
        if (!layout)
                return NULL;
        for (size_t i = 0; i < layout->n; i++)
                free(layout->places[i].path);
        free(layout->places);
        cgroup_hierarchies_free(&layout->hierarchies);
        free(layout);
        return NULL;
}

bool cgroup_layout_is_named(const CgroupRequest *request) {
        return request->path && request->path[0];
}

/* Where a relative path begins. On v2 beside our own cgroup: one with processes has no controllers to give. */
static int relative_base(const CgroupHierarchy *h, char **ret, Error *err) {
        const char *own = h->own ?: h->mount;

        if (string_copy(own, ret, err) < 0)
                return -1;
        if (!h->controllers[0] && strcmp(own, h->mount))
                *strrchr(*ret, '/') = '\0';
        return 0;
}

static int add_place(CgroupLayout *layout, const CgroupHierarchy *h, bool relative, const char *inner, Error *err) {
        CgroupPlace *places = reallocarray(layout->places, layout->n + 1, sizeof(*places)), *place;
        _cleanup_free_ char *base = NULL;

        if (!places)
                return error_oom(err);
        layout->places = places;
        place = &places[layout->n];
        *place = (CgroupPlace) { .hierarchy = h };
        if ((relative ? relative_base(h, &base, err) : string_copy(h->mount, &base, err)) < 0 ||
            string_format(&place->path, err, "%s%s", base, inner) < 0)
                return -1;
        place->base = strlen(base);
        layout->n++;
        /* "" is v2; "name=…" has no controller */
        layout->legacy = layout->legacy || (h->controllers[0] && !strchr(h->controllers, '='));
        return 0;
}

int cgroup_layout_new(const CgroupRequest *request, CgroupLayout **ret, Error *err) {
        _cleanup_(cgroup_layout_freep) CgroupLayout *layout = calloc(1, sizeof(*layout));
        _cleanup_free_ char *inner = NULL;
        const char *path = cgroup_layout_is_named(request) ? request->path : NULL;
        bool relative = path ? path[0] != '/' : geteuid() != 0 || request->optional;

        if (!layout)
                return error_oom(err);
        if (request->systemd) {
                relative = false;
                if (cgroup_scope_path(request, &inner, err) < 0)
                        return -1;
        } else if (cgroup_path_clean(path ?: request->id, &inner, err) < 0)
                return -1;
        if (!inner[0])
                return error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: '%s' names the root of all cgroups", path ?: "");
        if (strchr(inner, '\n'))
                return error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: has a line break");
        if (cgroup_hierarchies_load(&layout->hierarchies, err) < 0)
                return -1;
        for (size_t i = 0; i < layout->hierarchies.n; i++)
                if (add_place(layout, &layout->hierarchies.all[i], relative, inner, err) < 0)
                        return -1;
        if (layout->n == 0 && !request->optional) {
                error_set(err, ERROR_NOT_SUPPORTED, "no cgroups are mounted here");
                return error_hint(err, "mount cgroup2 at /sys/fs/cgroup");
        }
        *ret = TAKE(layout);
        return 0;
}

int cgroup_plan(const CgroupLayout *layout, char ***ret, Error *err) {
        _cleanup_strv_ char **list = calloc(1, sizeof(*list));

        if (!list)
                return error_oom(err);
        for (size_t i = 0; i < layout->n; i++) {
                const char *path = layout->places[i].path;

                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && strv_push(&list, path, err) < 0)
                        return -1;
        }
        *ret = TAKE(list);
        return 0;
}
