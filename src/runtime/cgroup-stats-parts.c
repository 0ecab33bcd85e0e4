/* Statistics of memory, block IO and cpusets, on v1 and v2. Source: opencontainers/cgroups, for what runc reads them from */

#include <string.h>

#include "base/json.h"
#include "runtime/cgroup-settings.h"
#include "runtime/cgroup-stats.h"

/* v1: one counter of the memory controller, such as "memory.memsw". */
static int v1_counter(const CgroupTarget *target, const char *counter, const char *key, json_t *memory, Error *err) {
        static const struct {
                const char *file, *key;
                bool always;
        } rows[] = {
                { "limit_in_bytes",     "limit",   true },
                { "usage_in_bytes",     "usage",   false },
                { "max_usage_in_bytes", "max",     false },
                { "failcnt",            "failcnt", true },
        };
        _cleanup_json_ json_t *entry = json_object();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char file[64];
                uint64_t value;

                (void) snprintf(file, sizeof(file), "%s.%s", counter, rows[i].file);
                if (stats_number(target, CONTROLLER_MEMORY, file, &value, err) < 0)
                        return -1;
                if ((rows[i].always || value != 0) && stats_set_number(entry, rows[i].key, value, err) < 0)
                        return -1;
        }
        return stats_set(memory, key, TAKE(entry), err);
}

static int entry_set(json_t *memory, const char *key, uint64_t limit, uint64_t usage, uint64_t max, Error *err) {
        _cleanup_json_ json_t *entry = json_object();

        return stats_set_number(entry, "limit", limit, err) < 0 || stats_set_unless_zero(entry, "usage", usage, err) < 0 ||
               stats_set_unless_zero(entry, "max", max, err) < 0 || stats_set_number(entry, "failcnt", 0, err) < 0 ||
               stats_set(memory, key, TAKE(entry), err) < 0 ? -1 : 0;
}

/* Swap is memory and swap together, as v1 has it. */
static int v2_counters(const CgroupTarget *target, json_t *memory, Error *err) {
        uint64_t usage, limit, peak, swap, swap_limit;
        int counted;

        if (stats_number(target, CONTROLLER_MEMORY, "memory.current", &usage, err) < 0 ||
            stats_number(target, CONTROLLER_MEMORY, "memory.max", &limit, err) < 0 ||
            stats_number(target, CONTROLLER_MEMORY, "memory.peak", &peak, err) < 0 ||
            stats_number(target, CONTROLLER_MEMORY, "memory.swap.max", &swap_limit, err) < 0)
                return -1;
        counted = stats_number(target, CONTROLLER_MEMORY, "memory.swap.current", &swap, err);
        if (counted < 0)
                return -1;
        if (swap_limit != UINT64_MAX)
                swap_limit = limit == UINT64_MAX ? UINT64_MAX : swap_limit + limit;
        return entry_set(memory, "usage", limit, usage, peak, err) < 0 ||
               entry_set(memory, "swap", counted ? swap_limit : limit, swap + usage, 0, err) < 0 ||
               entry_set(memory, "kernel", 0, 0, 0, err) < 0 || entry_set(memory, "kernelTCP", 0, 0, 0, err) < 0 ? -1 : 0;
}

static int raw(const char *text, json_t *memory, Error *err) {
        _cleanup_json_ json_t *all = json_object();

        for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
                char key[64];
                unsigned long long value;

                if (sscanf(p, "%63s %llu", key, &value) == 2 && stats_set_number(all, key, value, err) < 0)
                        return -1;
        }
        return json_object_size(all) > 0 ? stats_set(memory, "raw", TAKE(all), err) : 0;
}

int memory_stats(const CgroupTarget *target, json_t *data, Error *err) {
        _cleanup_json_ json_t *memory = json_object();
        bool v2 = target->at[CONTROLLER_MEMORY].v2;
        _cleanup_free_ char *text = NULL;

        if (stats_read(target, CONTROLLER_MEMORY, "memory.stat", &text, err) < 0 ||
            stats_set_unless_zero(memory, "cache", stats_key(text, v2 ? "file" : "cache"), err) < 0)
                return -1;
        if (v2 ? v2_counters(target, memory, err) < 0
               : v1_counter(target, "memory", "usage", memory, err) < 0 || v1_counter(target, "memory.memsw", "swap", memory, err) < 0 ||
                         v1_counter(target, "memory.kmem", "kernel", memory, err) < 0 ||
                         v1_counter(target, "memory.kmem.tcp", "kernelTCP", memory, err) < 0)
                return -1;
        return raw(text, memory, err) < 0 || stats_psi(target, "memory.pressure", memory, err) < 0 ||
               stats_set(data, "memory", TAKE(memory), err) < 0 ? -1 : 0;
}

static int io_entry(json_t *list, unsigned major, unsigned minor, const char *op, uint64_t value, Error *err) {
        _cleanup_json_ json_t *entry = json_object();

        if (stats_set_unless_zero(entry, "major", major, err) < 0 || stats_set_unless_zero(entry, "minor", minor, err) < 0 ||
            (op[0] && stats_set(entry, "op", json_string(op), err) < 0) || stats_set_unless_zero(entry, "value", value, err) < 0)
                return -1;
        return json_array_append_new(list, TAKE(entry)) < 0 ? error_oom(err) : 0;
}

/* One file of v1: "8:0 Read 1024" or "8:0 1024" a line. 1; 0 when there is no such file, or nothing in it; -1. */
static int v1_io_file(const CgroupTarget *target, const char *file, const char *key, json_t *io, Error *err) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (stats_read(target, CONTROLLER_IO, file, &text, err) < 0)
                return -1;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                unsigned long long value;
                unsigned major, minor;
                char op[16] = "";

                if (sscanf(line, "%u:%u %15[A-Za-z] %llu", &major, &minor, op, &value) != 4 &&
                    (op[0] = '\0', sscanf(line, "%u:%u %llu", &major, &minor, &value) != 3))
                        continue;
                if (io_entry(list, major, minor, op, value, err) < 0)
                        return -1;
        }
        if (json_array_size(list) == 0)
                return 0;
        return stats_set(io, key, TAKE(list), err) < 0 ? -1 : 1;
}

/* Which files count depends on the IO scheduler; the first of these that has numbers is taken, as runc does. */
static int v1_io(const CgroupTarget *target, json_t *io, Error *err) {
        static const char *const schedulers[] = { "blkio.bfq.", "blkio.", "blkio.throttle." };
        static const char *const ends[] = { "_recursive", "" };
        static const struct {
                const char *file, *key;
        } files[] = {
                { "io_service_bytes", "ioServiceBytesRecursive" },
                { "io_serviced",      "ioServicedRecursive" },
                { "io_queued",        "ioQueueRecursive" },
                { "io_service_time",  "ioServiceTimeRecursive" },
                { "io_wait_time",     "ioWaitTimeRecursive" },
                { "io_merged",        "ioMergedRecursive" },
                { "time",             "ioTimeRecursive" },
                { "sectors",          "sectorsRecursive" },
        };

        for (size_t s = 0; s < ARRAY_SIZE(schedulers); s++)
                for (size_t e = 0; e < ARRAY_SIZE(ends); e++)
                        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                                char file[64];
                                int r;

                                (void) snprintf(file, sizeof(file), "%s%s%s", schedulers[s], files[i].file, ends[e]);
                                r = v1_io_file(target, file, files[i].key, io, err);
                                if (r < 0)
                                        return -1;
                                if (r == 0 && i == 0)
                                        break;
                                if (i + 1 == ARRAY_SIZE(files))
                                        return 0;
                        }
        return 0;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" becomes v1's tables. */
static int v2_io(const CgroupTarget *target, json_t *io, Error *err) {
        _cleanup_json_ json_t *bytes = json_array(), *operations = json_array();
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (stats_read(target, CONTROLLER_IO, "io.stat", &text, err) < 0)
                return -1;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                static const struct {
                        const char *key, *op;
                        bool bytes;
                } rows[] = { { "rbytes=", "Read", true }, { "wbytes=", "Write", true }, { "rios=", "Read", false }, { "wios=", "Write", false } };
                unsigned major, minor;

                if (sscanf(line, "%u:%u ", &major, &minor) != 2)
                        continue;
                for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                        const char *value = strstr(line, rows[i].key);

                        if (value && io_entry(rows[i].bytes ? bytes : operations, major, minor, rows[i].op,
                                              strtoull(value + strlen(rows[i].key), NULL, 10), err) < 0)
                                return -1;
                }
        }
        if ((json_array_size(bytes) > 0 && stats_set(io, "ioServiceBytesRecursive", TAKE(bytes), err) < 0) ||
            (json_array_size(operations) > 0 && stats_set(io, "ioServicedRecursive", TAKE(operations), err) < 0))
                return -1;
        return 0;
}

int io_stats(const CgroupTarget *target, json_t *data, Error *err) {
        _cleanup_json_ json_t *io = json_object();

        if ((target->at[CONTROLLER_IO].v2 ? v2_io : v1_io)(target, io, err) < 0 || stats_psi(target, "io.pressure", io, err) < 0)
                return -1;
        return stats_set(data, "blkio", TAKE(io), err);
}

/* "0-2,5" as [0, 1, 2, 5] */
static int id_list(const CgroupTarget *target, const char *file, const char *key, json_t *cpuset, Error *err) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;

        if (stats_read(target, CONTROLLER_CPUSET, file, &text, err) < 0)
                return -1;
        for (char *p = text, *end; p && *p >= '0' && *p <= '9'; p = end + (*end == ',')) {
                unsigned long from = strtoul(p, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;

                for (; from <= to && from <= UINT16_MAX; from++)
                        if (json_array_append_new(list, json_integer((json_int_t) from)) < 0)
                                return error_oom(err);
        }
        return json_array_size(list) > 0 ? stats_set(cpuset, key, TAKE(list), err) : 0;
}

int cpuset_stats(const CgroupTarget *target, json_t *data, Error *err) {
        static const char *const flags[] = { "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
                                             "memory_spread_slab", "memory_pressure", "sched_load_balance" };
        _cleanup_json_ json_t *cpuset = json_object();
        _cleanup_free_ char *level = NULL;
        bool v1 = !target->at[CONTROLLER_CPUSET].v2;

        /* runc has these of v1 only */
        if (v1 && (id_list(target, "cpuset.cpus", "cpus", cpuset, err) < 0 || id_list(target, "cpuset.mems", "mems", cpuset, err) < 0))
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                char file[64];
                uint64_t value = 0;

                (void) snprintf(file, sizeof(file), "cpuset.%s", flags[i]);
                if ((v1 && stats_number(target, CONTROLLER_CPUSET, file, &value, err) < 0) ||
                    stats_set_number(cpuset, flags[i], value, err) < 0)
                        return -1;
        }
        if (v1 && stats_read(target, CONTROLLER_CPUSET, "cpuset.sched_relax_domain_level", &level, err) < 0)
                return -1;
        return stats_set(cpuset, "sched_relax_domain_level", json_integer(level ? strtoll(level, NULL, 10) : 0), err) < 0 ||
               stats_set(data, "cpuset", TAKE(cpuset), err) < 0 ? -1 : 0;
}
