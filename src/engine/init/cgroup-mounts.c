/* What a container sees of its cgroups: binds of its own directories. A new mount of a hierarchy costs a hundred times as much. */

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

static int set_all(int fd, const PlanMount *m, Error *err) {
        if (mount_change(fd, 0, m->attr_set, m->attr_clear, 0, -1, err) < 0)
                return -1;
        return mount_change(fd, AT_RECURSIVE, m->all_set, m->all_clear, 0, -1, err);
}

/* Each name of "cpu,cpuacct" leads to the directory of both. */
static int link_names(int directory, const char *name, Error *err) {
        char copy[256], *p = copy, *one;

        if (!strchr(name, ',') || strlen(name) >= sizeof(copy))
                return 0;
        strcpy(copy, name);
        while ((one = strsep(&p, ",")))
                if (symlinkat(name, directory, one) < 0 && errno != EEXIST)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "make link '%s'", one);
        return 0;
}

int mount_cgroup_v1(const Init *init, const PlanMount *m, int target, Error *err) {
        static const char *const data[] = { "mode=755" };
        const PlanCgroup *cgroups = plan_at(init->plan, init->plan->cgroups.at);
        _cleanup_close_ int tmpfs = -EBADF;

        if (mount_new("tmpfs", "tmpfs", data, ARRAY_SIZE(data), m->attr_set & ~(uint64_t) MOUNT_ATTR_RDONLY, &tmpfs, err) < 0 ||
            mount_attach(tmpfs, target, err) < 0)
                return -1;
        for (uint32_t i = 0; i < init->plan->cgroups.n; i++) {
                const char *name = plan_string(init->plan, cgroups[i].name);
                _cleanup_close_ int fd = -EBADF, place = -EBADF;

                if (mount_clone(AT_FDCWD, plan_string(init->plan, cgroups[i].directory), 0, &fd, err) < 0 || set_all(fd, m, err) < 0)
                        return -1;
                if (mkdirat(tmpfs, name, 0755) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "make directory '%s'", name);
                place = open_beneath(tmpfs, name, O_PATH | O_DIRECTORY, 0);
                if (place < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "open directory '%s'", name);
                if (mount_attach(fd, place, err) < 0 || link_names(tmpfs, name, err) < 0)
                        return -1;
        }
        return mount_change(tmpfs, 0, m->attr_set & MOUNT_ATTR_RDONLY, 0, 0, -1, err);
}

int mount_cgroup_v2(const Init *init, const PlanMount *m, int target, Error *err) {
        const PlanCgroup *cgroup = plan_at(init->plan, init->plan->cgroups.at);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (cgroup)
                r = mount_clone(AT_FDCWD, plan_string(init->plan, cgroup->directory), 0, &fd, err);
        else if (init->plan->namespaces.fresh & CLONE_NEWCGROUP)
                r = mount_new("cgroup2", "cgroup", NULL, 0, 0, &fd, err); /* a user's, in whichever the caller is: from there down */
        else
                r = error_set(err, ERROR_NOT_SUPPORTED, "the container has neither a cgroup nor a cgroup namespace of its own");
        if (r < 0 || set_all(fd, m, err) < 0)
                return -1;
        return mount_attach(fd, target, err);
}

int mount_cgroup_named(const Init *init, const PlanMount *m, int target, Error *err) {
        const PlanCgroup *cgroups = plan_at(init->plan, init->plan->cgroups.at);
        const PlanRef *data = plan_at(init->plan, m->data.at);
        const char *name = plan_string(init->plan, data[0]);

        for (uint32_t i = 0; i < init->plan->cgroups.n; i++) {
                _cleanup_close_ int fd = -EBADF;

                if (strcmp(plan_string(init->plan, cgroups[i].controllers), name))
                        continue;
                if (mount_clone(AT_FDCWD, plan_string(init->plan, cgroups[i].directory), 0, &fd, err) < 0 || set_all(fd, m, err) < 0)
                        return -1;
                return mount_attach(fd, target, err);
        }
        return error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup of its own in a hierarchy '%s'", name);
}
