/* Limits and device rules in systemd's words. Sources: org.freedesktop.systemd1(5), systemd.resource-control(5) */

#include "runtime/unit-properties.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"

#define US_PER_S         1000000
#define QUOTA_STEP       10000   /* systemd keeps whole percents of a second */
#define PERIOD_DEFAULT   100000  /* microseconds */
#define CPUS_MAX         8192    /* NR_CPUS of the largest kernels */
#define PROC_DEVICES_MAX (64u << 10)

void unit_properties_free(UnitProperties *properties) {
        for (size_t i = 0; i < properties->n; i++) {
                free(properties->all[i].name);
                strv_free(properties->all[i].strings);
                free(properties->all[i].bytes);
        }
        free(properties->all);
        *properties = (UnitProperties) {};
}

static int add(UnitProperties *properties, const char *name, const char *type, UnitProperty **ret, Error *err) {
        UnitProperty *all = reallocarray(properties->all, properties->n + 1, sizeof(*all));

        if (!all)
                return error_oom(err);
        properties->all = all;
        all[properties->n] = (UnitProperty) { .type = type };
        if (string_copy(name, &all[properties->n].name, err) < 0)
                return -1;
        *ret = &all[properties->n++];
        return 0;
}

int property_add_number(UnitProperties *properties, const char *name, const char *type, uint64_t number, Error *err) {
        UnitProperty *p;

        if (add(properties, name, type, &p, err) < 0)
                return -1;
        p->number = number;
        return 0;
}

int property_add_strings(UnitProperties *properties, const char *name, const char *type, char **strings, Error *err) {
        UnitProperty *p;

        if (add(properties, name, type, &p, err) < 0) {
                strv_free(strings);
                return -1;
        }
        p->strings = strings;
        return 0;
}

int property_add_string(UnitProperties *properties, const char *name, const char *text, Error *err) {
        char **strings = NULL;

        return strv_push(&strings, text, err) < 0 ? -1 : property_add_strings(properties, name, "s", strings, err);
}

/* A list such as "0-2,7" as bits, the least first. */
static int add_cpu_list(UnitProperties *properties, const char *name, const char *place, const char *list, Error *err) {
        _cleanup_free_ uint8_t *bits = calloc(1, CPUS_MAX / 8);
        size_t n = 0;
        UnitProperty *p;

        if (!bits)
                return error_oom(err);
        for (const char *c = list + strspn(list, ", "); *c; c += strspn(c, ", ")) {
                char *end;
                unsigned long from = strtoul(c, &end, 10), to = from;
                bool wrong = end == c;

                if (*end == '-') {
                        c = end + 1;
                        to = strtoul(c, &end, 10);
                        wrong = wrong || end == c;
                }
                if (wrong || from > to || to >= CPUS_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "%s: '%s' is not a list such as '0-3,7'", place, list);
                for (; from <= to; from++)
                        bits[from / 8] |= (uint8_t) (1u << from % 8);
                n = to / 8 + 1 > n ? to / 8 + 1 : n;
                c = end;
        }
        if (n == 0)
                return 0;
        if (add(properties, name, "ay", &p, err) < 0)
                return -1;
        p->bytes = TAKE(bits);
        p->n_bytes = n;
        return 0;
}

/* "50000 100000" of cpu.max. */
static int add_quota(UnitProperties *properties, uint64_t quota, uint64_t period, Error *err) {
        uint64_t per_second = UINT64_MAX;

        if (quota != UINT64_MAX && period > 0) {
                per_second = (uint64_t) ((unsigned __int128) quota * US_PER_S / period);
                /* rounded up: below a whole percent, systemd would cut it */
                per_second = (per_second + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
        }
        return property_add_number(properties, "CPUQuotaPeriodUSec", "t", period, err) < 0 ||
               property_add_number(properties, "CPUQuotaPerSecUSec", "t", per_second, err) < 0 ? -1 : 0;
}

/* The files of v1 and v2 that systemd would write itself, and by which of its properties; all are of 64 bits without a sign. */
static const struct PropertyRow {
        const char *file, *property;
} rows[] = {
        { "memory.max",            "MemoryMax" },
        { "memory.low",            "MemoryLow" },
        { "memory.high",           "MemoryHigh" },
        { "memory.min",            "MemoryMin" },
        { "memory.swap.max",       "MemorySwapMax" },
        { "memory.limit_in_bytes", "MemoryLimit" },
        { "cpu.weight",            "CPUWeight" },
        { "cpu.shares",            "CPUShares" },
        { "pids.max",              "TasksMax" },
        { "io.weight",             "IOWeight" },
        { "blkio.weight",          "BlockIOWeight" },
};

/* "max" and v1's -1 are systemd's infinity. */
static uint64_t limit_number(const char *text) {
        return !strncmp(text, "max", 3) || text[0] == '-' ? UINT64_MAX : strtoull(text, NULL, 10);
}

static const CgroupSetting *last_of(const CgroupSettings *settings, const char *file) {
        for (size_t i = settings->n; i-- > 0;)
                if (!strcmp(settings->all[i].file, file) && !(settings->all[i].flags & SETTING_KEYED))
                        return &settings->all[i];
        return NULL;
}

static int add_rows(const CgroupSettings *settings, bool idle, UnitProperties *properties, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const CgroupSetting *s = last_of(settings, rows[i].file);
                uint64_t number;

                if (!s || (idle && !strcmp(rows[i].file, "cpu.weight")))
                        continue;
                number = limit_number(s->value);
                /* systemd takes no limit of 0 tasks */
                if (!strcmp(rows[i].file, "pids.max") && number == 0)
                        number = 1;
                if (property_add_number(properties, rows[i].property, "t", number, err) < 0)
                        return -1;
        }
        return 0;
}

int properties_from_settings(const CgroupSettings *settings, bool v2, UnitProperties *properties, Error *err) {
        const CgroupSetting *idling = last_of(settings, "cpu.idle"), *max = last_of(settings, "cpu.max");
        const CgroupSetting *quota = last_of(settings, "cpu.cfs_quota_us"), *period = last_of(settings, "cpu.cfs_period_us");
        const CgroupSetting *cpus = last_of(settings, "cpuset.cpus"), *mems = last_of(settings, "cpuset.mems");

        bool idle = v2 && idling && idling->value[0] == '1';

        /* on v2 a weight of 0 is systemd's word for idle */
        if (add_rows(settings, idle, properties, err) < 0 || (idle && property_add_number(properties, "CPUWeight", "t", 0, err) < 0))
                return -1;
        if (max) {
                const char *second = strchr(max->value, ' ');

                if (add_quota(properties, limit_number(max->value), second ? strtoull(second, NULL, 10) : PERIOD_DEFAULT, err) < 0)
                        return -1;
        }
        if ((quota || period) && add_quota(properties, quota ? limit_number(quota->value) : UINT64_MAX,
                                           period ? strtoull(period->value, NULL, 10) : PERIOD_DEFAULT, err) < 0)
                return -1;
        if ((cpus && add_cpu_list(properties, "AllowedCPUs", cpus->place, cpus->value, err) < 0) ||
            (mems && add_cpu_list(properties, "AllowedMemoryNodes", mems->place, mems->value, err) < 0))
                return -1;
        return 0;
}

/* The name of a major number, for "char-NAME"; false when /proc/devices has none. */
static bool device_group(const char *devices, bool block, int64_t major, char *ret, size_t size) {
        const char *p = strstr(devices, block ? "Block devices:" : "Character devices:");

        for (p = p ? strchr(p, '\n') : NULL; p && p[1] && p[1] != '\n'; p = strchr(p + 1, '\n')) {
                long long number;
                char name[64];

                if (sscanf(p, "%lld %63s", &number, name) == 2 && number == major) {
                        (void) snprintf(ret, size, "%s-%s", block ? "block" : "char", name);
                        return true;
                }
        }
        return false;
}

/* One exception in systemd's words; false when it has none for it. */
static bool device_node(const CgroupDeviceRule *rule, const char *devices, char *ret, size_t size) {
        bool block = rule->type == 'b';

        if (rule->major < 0 && rule->minor >= 0)
                return false;
        if (rule->major < 0) {
                (void) snprintf(ret, size, "%s-*", block ? "block" : "char");
                return true;
        }
        if (rule->minor < 0)
                return device_group(devices, block, rule->major, ret, size);
        (void) snprintf(ret, size, "/dev/%s/%lld:%lld", block ? "block" : "char", (long long) rule->major, (long long) rule->minor);
        return true;
}

/* DeviceAllow's pairs; *ret is NULL when they cannot be said. */
static int device_pairs(const DeviceFilter *filter, char ***ret, Error *err) {
        _cleanup_strv_ char **pairs = calloc(1, sizeof(*pairs));
        _cleanup_free_ char *devices = NULL;

        *ret = NULL;
        if (!pairs)
                return error_oom(err);
        if (filter->allow)
                return 0;
        if (file_read_at(AT_FDCWD, "/proc/devices", PROC_DEVICES_MAX, &devices, NULL, err) < 0)
                return -1;
        for (size_t i = 0; i < filter->n; i++) {
                const CgroupDeviceRule *rule = &filter->exceptions[i];
                char node[80], access[4];

                if (!device_node(rule, devices, node, sizeof(node)))
                        return 0;
                (void) snprintf(access, sizeof(access), "%s%s%s", rule->access & CGROUP_DEVICE_READ ? "r" : "",
                                rule->access & CGROUP_DEVICE_WRITE ? "w" : "", rule->access & CGROUP_DEVICE_MKNOD ? "m" : "");
                if (strv_push(&pairs, node, err) < 0 || strv_push(&pairs, access, err) < 0)
                        return -1;
        }
        *ret = TAKE(pairs);
        return 0;
}

int properties_from_devices(const DeviceFilter *filter, UnitProperties *properties, Error *err) {
        char **pairs = NULL;
        bool said;

        if (device_pairs(filter, &pairs, err) < 0)
                return -1;
        said = pairs;
        /* Setting the list adds to it; an empty one empties it. */
        if (said && property_add_strings(properties, "DeviceAllow", "a(ss)", NULL, err) < 0) {
                strv_free(pairs);
                return -1;
        }
        if (property_add_strings(properties, "DeviceAllow", "a(ss)", pairs, err) < 0)
                return -1;
        return property_add_string(properties, "DevicePolicy", said ? "strict" : "auto", err);
}
