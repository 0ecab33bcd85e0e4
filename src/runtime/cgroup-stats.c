/* A container's statistics with the names and units of `runc events --stats`. Source: runc, types/events.go and events.go */

#include "runtime/cgroup-stats.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup-settings.h"

#define NS_PER_US  1000
#define NS_PER_S   1000000000ULL
#define PROCESSORS_MAX 8192 /* NR_CPUS of the largest kernels */

int stats_read(const CgroupTarget *target, CgroupController controller, const char *file, char **ret, Error *err) {
        Error local = ERROR_INIT;
        char *text = NULL;

        *ret = NULL;
        if (target->at[controller].fd < 0)
                return 0;
        if (file_read_at(target->at[controller].fd, file, STATS_TEXT_MAX, &text, NULL, &local) < 0) {
                /* EOPNOTSUPP: a file of a threaded cgroup, or of pressure that is not counted */
                if (local.errnum == ENOENT || local.errnum == ENODEV || local.errnum == EOPNOTSUPP)
                        return 0;
                if (err)
                        *err = local;
                return -1;
        }
        *ret = text;
        return 0;
}

int stats_number(const CgroupTarget *target, CgroupController controller, const char *file, uint64_t *ret, Error *err) {
        _cleanup_free_ char *text = NULL;

        *ret = 0;
        if (stats_read(target, controller, file, &text, err) < 0)
                return -1;
        if (!text)
                return 0;
        *ret = !strncmp(text, "max", 3) ? UINT64_MAX : strtoull(text, NULL, 10);
        return 1;
}

uint64_t stats_key(const char *text, const char *key) {
        size_t len = strlen(key);

        for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
                if (!strncmp(p, key, len) && p[len] == ' ')
                        return strtoull(p + len + 1, NULL, 10);
        return 0;
}

int stats_set(json_t *object, const char *key, json_t *value, Error *err) {
        return json_object_set_new(object, key, value) < 0 ? error_oom(err) : 0;
}

int stats_set_number(json_t *object, const char *key, uint64_t value, Error *err) {
        return stats_set(object, key, value > INT64_MAX ? json_real((double) value) : json_integer((json_int_t) value), err);
}

int stats_set_unless_zero(json_t *object, const char *key, uint64_t value, Error *err) {
        return value == 0 ? 0 : stats_set_number(object, key, value, err);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static int psi_line(const char *line, json_t *psi, Error *err) {
        double ten, sixty, three_hundred;
        unsigned long long total;
        char name[8];

        if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", name, &ten, &sixty, &three_hundred, &total) != 5)
                return 0;
        return stats_set(psi, name,
                         json_pack("{s:f, s:f, s:f, s:I}", "avg10", ten, "avg60", sixty, "avg300", three_hundred, "total", (json_int_t) total),
                         err);
}

int stats_psi(const CgroupTarget *target, const char *file, json_t *object, Error *err) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *psi = NULL;
        char *p, *line;

        if (stats_read(target, CONTROLLER_CORE, file, &text, err) < 0)
                return -1;
        if (!text || !text[0])
                return 0;
        psi = json_object();
        p = text;
        while ((line = strsep(&p, "\n")))
                if (psi_line(line, psi, err) < 0)
                        return -1;
        return json_object_size(psi) > 0 ? stats_set(object, "psi", TAKE(psi), err) : 0;
}

static int per_processor(const CgroupTarget *target, json_t *usage, Error *err) {
        _cleanup_json_ json_t *total = json_array(), *kernel = json_array(), *user = json_array();
        _cleanup_free_ char *text = NULL, *all = NULL;
        char *p, *line;
        unsigned n = 0;

        if (stats_read(target, CONTROLLER_CPUACCT, "cpuacct.usage_percpu", &text, err) < 0 ||
            stats_read(target, CONTROLLER_CPUACCT, "cpuacct.usage_all", &all, err) < 0)
                return -1;
        for (char *q = text, *end; q && n < PROCESSORS_MAX; q = end, n++) {
                unsigned long long value = strtoull(q, &end, 10);

                if (end == q)
                        break;
                if (json_array_append_new(total, json_integer((json_int_t) value)) < 0)
                        return error_oom(err);
        }
        p = all;
        while ((line = strsep(&p, "\n"))) {
                unsigned long long u, k;

                if (sscanf(line, "%*u %llu %llu", &u, &k) == 2 &&
                    (json_array_append_new(user, json_integer((json_int_t) u)) < 0 ||
                     json_array_append_new(kernel, json_integer((json_int_t) k)) < 0))
                        return error_oom(err);
        }
        if ((json_array_size(total) > 0 && stats_set(usage, "percpu", TAKE(total), err) < 0) ||
            (json_array_size(kernel) > 0 && stats_set(usage, "percpu_kernel", TAKE(kernel), err) < 0) ||
            (json_array_size(user) > 0 && stats_set(usage, "percpu_user", TAKE(user), err) < 0))
                return -1;
        return 0;
}

static int v1_usage(const CgroupTarget *target, json_t *usage, Error *err) {
        uint64_t total, ticks = (uint64_t) sysconf(_SC_CLK_TCK);
        _cleanup_free_ char *text = NULL;

        if (stats_number(target, CONTROLLER_CPUACCT, "cpuacct.usage", &total, err) < 0 ||
            stats_read(target, CONTROLLER_CPUACCT, "cpuacct.stat", &text, err) < 0)
                return -1;
        return stats_set_unless_zero(usage, "total", total, err) < 0 || per_processor(target, usage, err) < 0 ||
               stats_set_number(usage, "kernel", stats_key(text, "system") * NS_PER_S / ticks, err) < 0 ||
               stats_set_number(usage, "user", stats_key(text, "user") * NS_PER_S / ticks, err) < 0 ? -1 : 0;
}

/* cpu.stat is in every v2 cgroup, with or without the controller. */
static int cpu_stats(const CgroupTarget *target, json_t *data, Error *err) {
        _cleanup_json_ json_t *cpu = json_object(), *usage = json_object(), *throttling = json_object();
        bool v1 = target->at[CONTROLLER_CPUACCT].fd >= 0;
        bool v1_throttles = target->at[CONTROLLER_CPU].fd >= 0 && !target->at[CONTROLLER_CPU].v2;
        _cleanup_free_ char *text = NULL, *limits = NULL;

        if (stats_read(target, CONTROLLER_CORE, "cpu.stat", &text, err) < 0 ||
            (v1_throttles && stats_read(target, CONTROLLER_CPU, "cpu.stat", &limits, err) < 0))
                return -1;
        if (v1 && v1_usage(target, usage, err) < 0)
                return -1;
        if (!v1 && (stats_set_unless_zero(usage, "total", stats_key(text, "usage_usec") * NS_PER_US, err) < 0 ||
                    stats_set_number(usage, "kernel", stats_key(text, "system_usec") * NS_PER_US, err) < 0 ||
                    stats_set_number(usage, "user", stats_key(text, "user_usec") * NS_PER_US, err) < 0))
                return -1;
        if (stats_set_unless_zero(throttling, "periods", stats_key(limits ?: text, "nr_periods"), err) < 0 ||
            stats_set_unless_zero(throttling, "throttledPeriods", stats_key(limits ?: text, "nr_throttled"), err) < 0 ||
            stats_set_unless_zero(throttling, "throttledTime",
                                  limits ? stats_key(limits, "throttled_time") : stats_key(text, "throttled_usec") * NS_PER_US, err) < 0)
                return -1;
        return stats_set(cpu, "usage", TAKE(usage), err) < 0 || stats_set(cpu, "throttling", TAKE(throttling), err) < 0 ||
               stats_psi(target, "cpu.pressure", cpu, err) < 0 || stats_set(data, "cpu", TAKE(cpu), err) < 0 ? -1 : 0;
}

/* No limit is 0 in runc's JSON. */
static int pids_stats(const CgroupTarget *target, json_t *data, Error *err) {
        _cleanup_json_ json_t *pids = json_object();
        uint64_t current, limit;

        if (stats_number(target, CONTROLLER_PIDS, "pids.current", &current, err) < 0 ||
            stats_number(target, CONTROLLER_PIDS, "pids.max", &limit, err) < 0)
                return -1;
        return stats_set_unless_zero(pids, "current", current, err) < 0 ||
               stats_set_unless_zero(pids, "limit", limit == UINT64_MAX ? 0 : limit, err) < 0 ||
               stats_set(data, "pids", TAKE(pids), err) < 0 ? -1 : 0;
}

/* One page size; @prefix is "hugetlb.2MB", with ".rsvd" where that is counted. */
static int hugetlb_entry(const CgroupTarget *target, const char *prefix, const char *size, json_t *all, Error *err) {
        _cleanup_json_ json_t *entry = json_object();
        bool v2 = target->at[CONTROLLER_HUGETLB].v2;
        uint64_t usage, max = 0, failed = 0;
        _cleanup_free_ char *events = NULL;
        char file[NAME_MAX + 1];

        (void) snprintf(file, sizeof(file), "%.200s.%s", prefix, v2 ? "current" : "usage_in_bytes");
        if (stats_number(target, CONTROLLER_HUGETLB, file, &usage, err) < 0)
                return -1;
        if (v2) {
                (void) snprintf(file, sizeof(file), "hugetlb.%.200s.events", size);
                if (stats_read(target, CONTROLLER_HUGETLB, file, &events, err) < 0)
                        return -1;
                failed = stats_key(events, "max");
        } else {
                (void) snprintf(file, sizeof(file), "%.200s.max_usage_in_bytes", prefix);
                if (stats_number(target, CONTROLLER_HUGETLB, file, &max, err) < 0)
                        return -1;
                (void) snprintf(file, sizeof(file), "%.200s.failcnt", prefix);
                if (stats_number(target, CONTROLLER_HUGETLB, file, &failed, err) < 0)
                        return -1;
        }
        return stats_set_unless_zero(entry, "usage", usage, err) < 0 || stats_set_unless_zero(entry, "max", max, err) < 0 ||
               stats_set_number(entry, "failcnt", failed, err) < 0 || stats_set(all, size, TAKE(entry), err) < 0 ? -1 : 0;
}

/* The page sizes are those that the directory has files for. */
static int hugetlb_stats(const CgroupTarget *target, json_t *data, Error *err) {
        const char *limit = target->at[CONTROLLER_HUGETLB].v2 ? ".max" : ".limit_in_bytes";
        _cleanup_json_ json_t *all = json_object();
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (target->at[CONTROLLER_HUGETLB].fd >= 0 && dir_read(target->at[CONTROLLER_HUGETLB].fd, &dir, err) < 0)
                return -1;
        while (dir && (entry = dir_next(dir))) {
                const char *end = strstr(entry->d_name, limit), *size = entry->d_name + strlen("hugetlb.");
                char prefix[NAME_MAX + 1], name[NAME_MAX + 1];

                if (strncmp(entry->d_name, "hugetlb.", strlen("hugetlb.")) || !end || strcmp(end, limit) || end < size ||
                    memchr(size, '.', (size_t) (end - size)))
                        continue;
                (void) snprintf(name, sizeof(name), "%.*s", (int) (end - size), size);
                (void) snprintf(prefix, sizeof(prefix), "hugetlb.%.100s.rsvd%s", name, limit);
                if (target_has(target, CONTROLLER_HUGETLB, prefix))
                        (void) snprintf(prefix, sizeof(prefix), "hugetlb.%.100s.rsvd", name);
                else
                        (void) snprintf(prefix, sizeof(prefix), "hugetlb.%.100s", name);
                if (hugetlb_entry(target, prefix, name, all, err) < 0)
                        return -1;
        }
        return stats_set(data, "hugetlb", TAKE(all), err);
}

/* runc prints none of these; the names are those of its own structures. */
static int rdma_list(const CgroupTarget *target, const char *file, const char *key, json_t *rdma, Error *err) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (stats_read(target, CONTROLLER_RDMA, file, &text, err) < 0)
                return -1;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                char device[65], handles[24], objects[24];
                _cleanup_json_ json_t *entry = NULL;

                if (sscanf(line, "%64s hca_handle=%23s hca_object=%23s", device, handles, objects) != 3)
                        continue;
                entry = json_pack("{s:s}", "device", device);
                /* no limit is the greatest number of the 32 bits that the spec has for it */
                if (stats_set_number(entry, "hca_handles", !strcmp(handles, "max") ? UINT32_MAX : strtoull(handles, NULL, 10), err) < 0 ||
                    stats_set_number(entry, "hca_objects", !strcmp(objects, "max") ? UINT32_MAX : strtoull(objects, NULL, 10), err) < 0)
                        return -1;
                if (json_array_append_new(list, TAKE(entry)) < 0)
                        return error_oom(err);
        }
        return json_array_size(list) > 0 ? stats_set(rdma, key, TAKE(list), err) : 0;
}

static int rdma_stats(const CgroupTarget *target, json_t *data, Error *err) {
        _cleanup_json_ json_t *rdma = json_object();

        if (rdma_list(target, "rdma.max", "rdma_limit", rdma, err) < 0 || rdma_list(target, "rdma.current", "rdma_current", rdma, err) < 0)
                return -1;
        return json_object_size(rdma) > 0 ? stats_set(data, "rdma", TAKE(rdma), err) : 0;
}

int cgroup_stats(char *const *directories, json_t **ret, Error *err) {
        static int (*const parts[])(const CgroupTarget *target, json_t *data, Error *err) = {
                cpu_stats, cpuset_stats, memory_stats, pids_stats, io_stats, hugetlb_stats, rdma_stats,
        };
        _cleanup_json_ json_t *data = json_object();
        _cleanup_target_ CgroupTarget target;

        cgroup_target_init(&target);
        if (cgroup_target_open(directories, &target, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (parts[i](&target, data, err) < 0)
                        return -1;
        if (stats_set(data, "intel_rdt", json_object(), err) < 0 || stats_set(data, "network_interfaces", json_null(), err) < 0)
                return -1;
        *ret = TAKE(data);
        return 0;
}
