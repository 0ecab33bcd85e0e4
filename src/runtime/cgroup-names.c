/* Where crun and runc put a container's cgroups, by their own rules. Sources: crun's cgroup-cgroupfs.c and cgroup-systemd.c, runc's
 * libcontainer/cgroups. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "runtime/cgroup-hierarchy.h"
#include "runtime/cgroup-names.h"
#include "runtime/cgroup.h"

int cgroup_path_clean(const char *path, char **ret, Error *err) {
        _cleanup_free_ char *clean = malloc(strlen(path) + 2);
        size_t len = 0;

        if (!clean)
                return error_oom(err);
        for (const char *p = path; *p;) {
                size_t n = strcspn(p, "/");

                if (n == 2 && !strncmp(p, "..", 2)) {
                        while (len > 0 && clean[--len] != '/')
                                ;
                } else if (n > 0 && !(n == 1 && *p == '.')) {
                        clean[len++] = '/';
                        memcpy(clean + len, p, n);
                        len += n;
                }
                p += n + (p[n] == '/');
        }
        clean[len] = '\0';
        *ret = TAKE(clean);
        return 0;
}

int cgroup_slice_path(const char *slice, char **ret, Error *err) {
        _cleanup_buf_ Buf path = BUF_INIT(PATH_MAX);
        size_t len = strlen(slice);

        if (len < 6 || strcmp(slice + len - 6, ".slice") || strchr(slice, '/'))
                return string_format(ret, err, "/%s", slice);
        len -= 6;
        for (size_t i = 1; i <= len && slice[0] != '-'; i++)
                if ((i == len || slice[i] == '-') && buf_printf(&path, err, "/%.*s.slice", (int) i, slice) < 0)
                        return -1;
        return string_copy(path.data ?: "", ret, err);
}

/* Adds @base/@path unless it is there already, as a directory or in the list: what exists is not ours to repair. */
static int add(char ***list, const char *base, const char *path, Error *err) {
        _cleanup_free_ char *directory = NULL;

        if (!path[0] || string_format(&directory, err, "%s%s", base, path) < 0)
                return path[0] ? -1 : 0;
        if (faccessat(AT_FDCWD, directory, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        for (char **p = *list; p && *p; p++)
                if (!strcmp(*p, directory))
                        return 0;
        return strv_push(list, directory, err);
}

/* The scope units of crun and of runc. @cgroups_path is "SLICE:PREFIX:NAME", or something runc refuses and crun makes a scope of. */
static int systemd_paths(const char *id, const char *cgroups_path, char ***ret, Error *err) {
        _cleanup_strv_ char **paths = NULL;
        _cleanup_free_ char *copy = NULL, *slice = NULL, *path = NULL;
        char *prefix, *name;

        if (!cgroups_path || !cgroups_path[0]) {
                static const char *const runtimes[] = { "crun", "runc" };

                for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
                        _cleanup_free_ char *scope = NULL;

                        if (string_format(&scope, err, "/system.slice/%s-%s.scope", runtimes[i], id) < 0 ||
                            strv_push(&paths, scope, err) < 0)
                                return -1;
                }
                *ret = TAKE(paths);
                return 0;
        }

        if (string_copy(cgroups_path, &copy, err) < 0)
                return -1;
        name = copy;
        (void) strsep(&name, ":");
        prefix = name ? strsep(&name, ":") : NULL;
        if (!name)
                return string_format(&path, err, "/system.slice/%s.scope", copy) < 0 || strv_push(ret, path, err) < 0 ? -1 : 0;
        if (cgroup_slice_path(copy[0] ? copy : "system.slice", &slice, err) < 0)
                return -1;
        if (strlen(name) > 6 && !strcmp(name + strlen(name) - 6, ".slice")) {
                if (string_format(&path, err, "%s/%s", slice, name) < 0)
                        return -1;
        } else if (string_format(&path, err, "%s/%s%s%s.scope", slice, prefix, prefix[0] ? "-" : "", name) < 0)
                return -1;
        if (strv_push(&paths, path, err) < 0)
                return -1;
        *ret = TAKE(paths);
        return 0;
}

int cgroup_expected(const char *id, const char *cgroups_path, bool systemd, char ***ret, Error *err) {
        _cleanup_hierarchies_ CgroupHierarchies hierarchies = {};
        _cleanup_strv_ char **list = NULL, **units = NULL;
        _cleanup_free_ char *path = NULL;
        bool absolute = cgroups_path && cgroups_path[0] == '/';

        if (cgroup_hierarchies_load(&hierarchies, err) < 0)
                return -1;
        if (systemd && systemd_paths(id, cgroups_path, &units, err) < 0)
                return -1;
        if (!systemd && cgroup_path_clean(cgroups_path && cgroups_path[0] ? cgroups_path : id, &path, err) < 0)
                return -1;

        for (size_t i = 0; i < hierarchies.n; i++) {
                const CgroupHierarchy *h = &hierarchies.all[i];

                for (char **unit = units; unit && *unit; unit++)
                        if (add(&list, h->mount, *unit, err) < 0)
                                return -1;
                if (systemd)
                        continue;
                if (add(&list, h->mount, path, err) < 0)
                        return -1;
                if (absolute || !h->own)
                        continue;
                /* runc goes below our own cgroup on v1, and both may go beside it on v2, where a cgroup with processes has no controllers
                 * to give. */
                if (add(&list, h->own, path, err) < 0)
                        return -1;
                if (strcmp(h->own, h->mount)) {
                        _cleanup_free_ char *parent = NULL;

                        if (string_copy(h->own, &parent, err) < 0)
                                return -1;
                        *strrchr(parent, '/') = '\0';
                        if (add(&list, parent, path, err) < 0)
                                return -1;
                }
        }
        if (!list) {
                list = calloc(1, sizeof(*list));
                if (!list)
                        return error_oom(err);
        }
        *ret = TAKE(list);
        return 0;
}
