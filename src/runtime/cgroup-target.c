/* Finding out which controllers a container's cgroup directories have, so that limits, statistics and device rules are written for both
 * versions in one place. */

#include "runtime/cgroup-target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/fs.h"

#define CONTROLLERS_MAX 4096 /* bytes of a cgroup.controllers */

static const struct ControllerRow {
        const char *v1, *v2; /* NULL: not on that version */
        const char *file;    /* one that every v1 cgroup with the controller has */
} rows[_CONTROLLER_MAX] = {
        [CONTROLLER_CPU]      = { "cpu",      "cpu",     "cpu.shares" },
        [CONTROLLER_CPUACCT]  = { "cpuacct",  NULL,      "cpuacct.usage" },
        [CONTROLLER_CPUSET]   = { "cpuset",   "cpuset",  "cpuset.cpu_exclusive" },
        [CONTROLLER_MEMORY]   = { "memory",   "memory",  "memory.limit_in_bytes" },
        [CONTROLLER_PIDS]     = { "pids",     "pids",    "pids.max" },
        [CONTROLLER_IO]       = { "blkio",    "io",      "blkio.reset_stats" },
        [CONTROLLER_HUGETLB]  = { "hugetlb",  "hugetlb", NULL },
        [CONTROLLER_RDMA]     = { "rdma",     "rdma",    "rdma.max" },
        [CONTROLLER_DEVICES]  = { "devices",  NULL,      "devices.allow" },
        [CONTROLLER_NET_CLS]  = { "net_cls",  NULL,      "net_cls.classid" },
        [CONTROLLER_NET_PRIO] = { "net_prio", NULL,      "net_prio.ifpriomap" },
};

const char *controller_name(CgroupController controller, bool v2) {
        return v2 ? rows[controller].v2 : rows[controller].v1;
}

void cgroup_target_init(CgroupTarget *target) {
        *target = (CgroupTarget) {};
        for (size_t i = 0; i < _CONTROLLER_MAX; i++)
                target->at[i].fd = -EBADF;
}

void cgroup_target_free(CgroupTarget *target) {
        for (size_t i = 0; i < target->n_fds; i++)
                close_keep_errno(target->fds[i]);
        free(target->fds);
        cgroup_target_init(target);
}

/* The controllers in a list with the given separators, as bits. */
static unsigned list_mask(const char *list, const char *separators, bool v2) {
        unsigned mask = 0;

        for (const char *p = list + strspn(list, separators); *p; p += strspn(p, separators)) {
                size_t len = strcspn(p, separators);

                for (size_t i = 0; i < _CONTROLLER_MAX; i++) {
                        const char *name = controller_name(i, v2);

                        if (name && strlen(name) == len && !strncmp(name, p, len))
                                mask |= 1u << i;
                }
                p += len;
        }
        return mask;
}

unsigned controller_v1_mask(const char *list) {
        return list_mask(list, ",", false);
}

unsigned controller_v2_mask(const char *list) {
        return list_mask(list, " \n", true);
}

static bool has_huge_pages(int fd) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (dir_read(fd, &dir, NULL) < 0)
                return false;
        while ((entry = dir_next(dir)))
                if (!strncmp(entry->d_name, "hugetlb.", strlen("hugetlb.")))
                        return true;
        return false;
}

/* What a v1 directory has, by its files. Only hugetlb's have no fixed name. */
static unsigned probe_mask(int fd) {
        unsigned mask = 0;

        for (size_t i = 0; i < _CONTROLLER_MAX; i++)
                if (rows[i].file && faccessat(fd, rows[i].file, F_OK, 0) == 0)
                        mask |= 1u << i;
        return mask == 0 && has_huge_pages(fd) ? 1u << CONTROLLER_HUGETLB : mask;
}

static int v2_mask(int fd, unsigned *ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error local = ERROR_INIT;

        if (file_read_at(fd, "cgroup.controllers", CONTROLLERS_MAX, &text, NULL, &local) < 0) {
                if (local.errnum != ENODEV && local.errnum != ENOENT) {
                        if (err)
                                *err = local;
                        return -1;
                }
        }
        *ret = (text ? controller_v2_mask(text) : 0) | 1u << CONTROLLER_CORE;
        return 0;
}

int cgroup_target_add(CgroupTarget *target, int fd, const char *controllers, Error *err) {
        bool v2 = controllers && !controllers[0];
        struct statfs st;
        unsigned mask;
        int *fds;

        fds = reallocarray(target->fds, target->n_fds + 1, sizeof(*fds));
        if (!fds) {
                close_keep_errno(fd);
                return error_oom(err);
        }
        target->fds = fds;
        fds[target->n_fds++] = fd;

        if (!controllers) {
                if (fstatfs(fd, &st) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "stat a cgroup");
                if (st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "not a cgroup");
                v2 = st.f_type == CGROUP2_SUPER_MAGIC;
        }
        if (v2) {
                if (v2_mask(fd, &mask, err) < 0)
                        return -1;
        } else
                mask = controllers ? list_mask(controllers, ",", false) : probe_mask(fd);
        /* a controller is on one hierarchy only */
        for (size_t i = 0; i < _CONTROLLER_MAX; i++)
                if (mask & 1u << i) {
                        target->at[i].fd = fd;
                        target->at[i].v2 = v2;
                }
        return 0;
}

int cgroup_target_open(char *const *directories, CgroupTarget *ret, Error *err) {
        for (; directories && *directories; directories++) {
                int fd = open(*directories, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0 && (errno == ENOENT || errno == ENODEV))
                        continue;
                if (fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", *directories);
                if (cgroup_target_add(ret, fd, NULL, err) < 0)
                        return error_prefix(err, "cgroup '%s'", *directories);
        }
        return 0;
}
