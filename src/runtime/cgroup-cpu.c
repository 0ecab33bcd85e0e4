/* `linux.resources.cpu` for v1 and v2. Sources: runtime-spec, config-linux.md "CPU"; kernel, sched-bwc.rst, cgroup-v1/cpusets.rst, cgroup-v2.rst */

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "runtime/cgroup-settings.h"

#define CPU            "linux.resources.cpu"
#define SHARES_MIN     2
#define SHARES_MAX     262144
#define PERIOD_DEFAULT 100000 /* microseconds */

typedef struct CpuLimits {
        uint64_t shares, period, burst, rt_period;
        int64_t quota, rt_runtime, idle;
        bool has_burst, has_idle;
        const char *cpus, *mems;
} CpuLimits;

static bool is_said(const json_t *object, const char *key) {
        const json_t *value = json_object_get(object, key);

        return value && !json_is_null(value);
}

static int parse(const json_t *cpu, CpuLimits *ret, Error *err) {
        const JsonPlace place = { CPU, ERROR_INVALID_SPEC };
        CpuLimits limits = {};

        if (spec_unsigned(cpu, "shares", CPU, &limits.shares, err) < 0 || spec_unsigned(cpu, "period", CPU, &limits.period, err) < 0 ||
            spec_unsigned(cpu, "burst", CPU, &limits.burst, err) < 0 || spec_limit(cpu, "quota", CPU, &limits.quota, err) < 0 ||
            spec_unsigned(cpu, "realtimePeriod", CPU, &limits.rt_period, err) < 0 ||
            spec_limit(cpu, "realtimeRuntime", CPU, &limits.rt_runtime, err) < 0 ||
            json_opt_integer(cpu, "idle", place, 0, 1, &limits.idle, err) < 0 || json_opt_string(cpu, "cpus", place, &limits.cpus, err) < 0 ||
            json_opt_string(cpu, "mems", place, &limits.mems, err) < 0)
                return -1;
        limits.has_burst = is_said(cpu, "burst");
        limits.has_idle = is_said(cpu, "idle");
        *ret = limits;
        return 0;
}

/* log2(x) for x >= 1, by squaring: each square that passes 2 is a bit of the fraction. */
static double log2_of(double x) {
        double whole = 0, fraction = 0;

        for (; x >= 2; x /= 2)
                whole++;
        for (double bit = 0.5; bit > 0x1p-50; bit /= 2) {
                x *= x;
                if (x >= 2) {
                        x /= 2;
                        fraction += bit;
                }
        }
        return whole + fraction;
}

/* 10^x for 0 <= x <= 4, by the series of e^x. */
static double power_of_ten(double x) {
        double term = 1, sum = 1, y = x * 2.302585092994045684;

        for (unsigned n = 1; n < 64; n++) {
                term *= y / n;
                sum += term;
        }
        return sum;
}

/* Without libm, which no other part of the program needs: the quadratic that meets v1's least, default and greatest value. */
uint64_t cpu_weight_from_shares(uint64_t shares) {
        double l, exact;
        uint64_t weight;

        if (shares <= SHARES_MIN)
                return 1;
        if (shares >= SHARES_MAX)
                return 10000;
        l = log2_of((double) shares);
        exact = power_of_ten((l * l + 125 * l) / 612 - 7.0 / 34);
        weight = (uint64_t) exact;
        /* rounded up, but not for the last digits of a double: 1024 is 100 */
        return exact - (double) weight > 1e-9 ? weight + 1 : weight;
}

static int add(CgroupSettings *settings, CgroupController controller, unsigned flags, const char *file, const char *place, long long value,
               Error *err) {
        NewSetting setting = { .controller = controller, .flags = flags, .file = file, .place = place };

        return setting_add(settings, setting, err, "%lld", value);
}

static int v1_shares(const CpuLimits *limits, CgroupSettings *settings, Error *err) {
        if (limits->shares == 0)
                return 0;
        /* the kernel would take the nearest in silence */
        if (limits->shares < SHARES_MIN || limits->shares > SHARES_MAX)
                return error_set(err, ERROR_INVALID_SPEC, CPU ".shares: %llu is not between %d and %d", (unsigned long long) limits->shares,
                                 SHARES_MIN, SHARES_MAX);
        return add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.shares", CPU ".shares", (long long) limits->shares, err);
}

static int v1_realtime(const CpuLimits *limits, CgroupSettings *settings, Error *err) {
        NewSetting setting = {
                .controller = CONTROLLER_CPU,
                .flags = SETTING_LATER, /* the runtime is at most the period, old or new */
                .file = "cpu.rt_period_us",
                .place = CPU ".realtimePeriod",
                .lack = "this kernel does not give out realtime by cgroup (CONFIG_RT_GROUP_SCHED)",
        };

        if (limits->rt_period != 0 && setting_add(settings, setting, err, "%llu", (unsigned long long) limits->rt_period) < 0)
                return -1;
        setting.file = "cpu.rt_runtime_us";
        setting.place = CPU ".realtimeRuntime";
        return limits->rt_runtime != 0 ? setting_add(settings, setting, err, "%lld", (long long) limits->rt_runtime) : 0;
}

/* Burst, quota and period are checked against each other and against the parent's at each write. */
static int v1_time(const CpuLimits *limits, CgroupSettings *settings, Error *err) {
        if (limits->period != 0 &&
            add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.cfs_period_us", CPU ".period", (long long) limits->period, err) < 0)
                return -1;
        if (limits->has_burst &&
            add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.cfs_burst_us", CPU ".burst", (long long) limits->burst, err) < 0)
                return -1;
        if (limits->quota != 0 && add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.cfs_quota_us", CPU ".quota", limits->quota, err) < 0)
                return -1;
        return 0;
}

/* "QUOTA PERIOD" in one file; a lone first number leaves the period as it is. */
static int v2_time(const CpuLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting max = { .controller = CONTROLLER_CPU, .flags = SETTING_LATER, .file = "cpu.max", .place = CPU ".quota" };
        unsigned long long period = limits->period;

        if (limits->has_burst &&
            add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.max.burst", CPU ".burst", (long long) limits->burst, err) < 0)
                return -1;
        if (limits->quota == 0 && limits->period == 0)
                return 0;
        if (limits->quota == 0 && target->update) {
                uint64_t quota = UINT64_MAX;

                max.place = CPU ".period";
                if (target_read(target, CONTROLLER_CPU, "cpu.max", &quota, err) < 0)
                        return -1;
                if (quota != UINT64_MAX)
                        return setting_add(settings, max, err, "%llu %llu", (unsigned long long) quota, period);
        }
        if (period == 0 && !target->update)
                period = PERIOD_DEFAULT;
        if (limits->quota > 0 && period != 0)
                return setting_add(settings, max, err, "%lld %llu", (long long) limits->quota, period);
        if (limits->quota > 0)
                return setting_add(settings, max, err, "%lld", (long long) limits->quota);
        return period != 0 ? setting_add(settings, max, err, "max %llu", period) : setting_add(settings, max, err, "max");
}

static int time_settings(const CpuLimits *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting idle = {
                .controller = CONTROLLER_CPU,
                .file = "cpu.idle",
                .place = CPU ".idle",
                .lack = "this kernel has no idle cgroups (Linux 5.15)",
        };
        bool v2 = target->at[CONTROLLER_CPU].v2;

        if (limits->shares == 0 && limits->period == 0 && limits->quota == 0 && !limits->has_burst && limits->rt_period == 0 &&
            limits->rt_runtime == 0 && !limits->has_idle)
                return 0;
        if (target->at[CONTROLLER_CPU].fd < 0 && limits->shares == 0 && limits->quota <= 0 && limits->burst == 0 && limits->rt_period == 0 &&
            limits->rt_runtime <= 0 && limits->idle == 0)
                return 0;
        if (target_need(target, CONTROLLER_CPU, CPU, err) < 0)
                return -1;
        if (v2 && (limits->rt_period != 0 || limits->rt_runtime != 0))
                return setting_unsupported(limits->rt_runtime != 0 ? CPU ".realtimeRuntime" : CPU ".realtimePeriod", err,
                                           "cgroup v2 does not give out realtime");
        /* An idle cgroup takes no weight: idle stands behind it, and the weight is tried again. */
        if (v2 && limits->shares != 0 &&
            add(settings, CONTROLLER_CPU, SETTING_LATER, "cpu.weight", CPU ".shares", (long long) cpu_weight_from_shares(limits->shares),
                err) < 0)
                return -1;
        if (!v2 && v1_shares(limits, settings, err) < 0)
                return -1;
        if (limits->has_idle && setting_add(settings, idle, err, "%lld", (long long) limits->idle) < 0)
                return -1;
        if (v2)
                return v2_time(limits, target, settings, err);
        return v1_time(limits, settings, err) < 0 || v1_realtime(limits, settings, err) < 0 ? -1 : 0;
}

static int list_setting(const char *file, const char *place, const char *list, const CgroupTarget *target, CgroupSettings *settings,
                        Error *err) {
        NewSetting setting = { .controller = CONTROLLER_CPUSET, .file = file, .place = place };

        if (!list || !list[0])
                return 0;
        if (list[strspn(list, "0123456789,- ")] != '\0')
                return error_set(err, ERROR_INVALID_SPEC, "%s: '%s' is not a list such as '0-3,7'", place, list);
        return target_need(target, CONTROLLER_CPUSET, place, err) < 0 ? -1 : setting_add(settings, setting, err, "%s", list);
}

int cpu_settings(const json_t *cpu, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        CpuLimits limits;

        if (parse(cpu, &limits, err) < 0 || time_settings(&limits, target, settings, err) < 0)
                return -1;
        /* Memory nodes first: a cgroup of v1 without any has no use for processors. */
        if (list_setting("cpuset.mems", CPU ".mems", limits.mems, target, settings, err) < 0)
                return -1;
        return list_setting("cpuset.cpus", CPU ".cpus", limits.cpus, target, settings, err);
}
