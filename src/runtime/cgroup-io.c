/* `linux.resources.blockIO` for v1 and v2. Sources: runtime-spec, config-linux.md "Block IO"; kernel, cgroup-v1/blkio-controller.rst, cgroup-v2.rst */

#include "base/json.h"
#include "runtime/cgroup-settings.h"

#define BLOCK_IO   "linux.resources.blockIO"
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000
#define DEVICE_MAX UINT32_MAX /* numbers of a device */
#define PLACE_MAX  96         /* bytes of "linux.resources.blockIO.throttleWriteIOPSDevice[N].rate" */

uint64_t io_weight_from_blkio(uint64_t weight) {
        if (weight <= WEIGHT_MIN)
                return 1;
        return weight >= WEIGHT_MAX ? 10000 : 1 + (weight - WEIGHT_MIN) * 9999 / 990;
}

/* The files for weights that this kernel has; which ones depends on the IO schedulers it was built with. */
typedef struct WeightFiles {
        const char *all, *device;
        bool convert; /* to io.weight's scale */
        const char *reset;
} WeightFiles;

static WeightFiles find_weight_files(const CgroupTarget *target) {
        if (target->at[CONTROLLER_IO].v2) {
                if (target_has(target, CONTROLLER_IO, "io.bfq.weight"))
                        return (WeightFiles) { "io.bfq.weight", "io.bfq.weight", false, "default" };
                return (WeightFiles) { "io.weight", "io.weight", true, "default" };
        }
        if (target_has(target, CONTROLLER_IO, "blkio.weight") || !target_has(target, CONTROLLER_IO, "blkio.bfq.weight"))
                return (WeightFiles) { "blkio.weight", "blkio.weight_device", false, "0" };
        return (WeightFiles) { "blkio.bfq.weight", "blkio.bfq.weight_device", false, "0" };
}

static int weight_field(const json_t *object, const char *key, const char *where, uint64_t *ret, Error *err) {
        if (spec_unsigned(object, key, where, ret, err) < 0)
                return -1;
        if (*ret != 0 && (*ret < WEIGHT_MIN || *ret > WEIGHT_MAX))
                return error_set(err, ERROR_INVALID_SPEC, "%s.%s: %llu is not between %d and %d", where, key, (unsigned long long) *ret,
                                 WEIGHT_MIN, WEIGHT_MAX);
        return 0;
}

static int device_numbers(const json_t *entry, const char *where, int64_t *ret_major, int64_t *ret_minor, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_SPEC };

        return json_need_integer(entry, "major", place, 0, DEVICE_MAX, ret_major, err) < 0 ||
               json_need_integer(entry, "minor", place, 0, DEVICE_MAX, ret_minor, err) < 0 ? -1 : 0;
}

static int leaf_weight(const char *file, const char *place, const char *prefix, uint64_t weight, const CgroupTarget *target,
                       CgroupSettings *settings, Error *err) {
        NewSetting setting = {
                .controller = CONTROLLER_IO,
                .flags = prefix[0] ? SETTING_KEYED : 0,
                .file = file,
                .place = place,
                .lack = "this kernel has no leaf weights (CFQ left with Linux 5.0)",
                .reset = prefix[0] ? "0" : NULL,
        };

        if (weight == 0)
                return 0;
        if (target->at[CONTROLLER_IO].v2)
                return setting_unsupported(place, err, "cgroup v2 has no leaf weights");
        return setting_add(settings, setting, err, "%s%llu", prefix, (unsigned long long) weight);
}

static int weights(const json_t *block_io, const WeightFiles *files, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting setting = {
                .controller = CONTROLLER_IO,
                .file = files->all,
                .place = BLOCK_IO ".weight",
                .lack = "this kernel has no weights of block IO (BFQ, or io.cost on cgroup v2)",
        };
        uint64_t weight = 0, leaf = 0;

        if (weight_field(block_io, "weight", BLOCK_IO, &weight, err) < 0 || weight_field(block_io, "leafWeight", BLOCK_IO, &leaf, err) < 0)
                return -1;
        if (weight != 0 &&
            setting_add(settings, setting, err, "%llu", (unsigned long long) (files->convert ? io_weight_from_blkio(weight) : weight)) < 0)
                return -1;
        return leaf_weight("blkio.leaf_weight", BLOCK_IO ".leafWeight", "", leaf, target, settings, err);
}

static int device_weights(const json_t *list, const WeightFiles *files, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        const json_t *entry;
        size_t i;

        json_array_foreach(list, i, entry) {
                char where[PLACE_MAX], prefix[32];
                uint64_t weight = 0, leaf = 0;
                int64_t major, minor;
                NewSetting setting = {
                        .controller = CONTROLLER_IO,
                        .flags = SETTING_KEYED,
                        .file = files->device,
                        .place = where,
                        .lack = "this kernel has no weights by device",
                        .reset = files->reset,
                };

                (void) snprintf(where, sizeof(where), BLOCK_IO ".weightDevice[%zu]", i);
                if (device_numbers(entry, where, &major, &minor, err) < 0 || weight_field(entry, "weight", where, &weight, err) < 0 ||
                    weight_field(entry, "leafWeight", where, &leaf, err) < 0)
                        return -1;
                (void) snprintf(prefix, sizeof(prefix), "%lld:%lld ", (long long) major, (long long) minor);
                if (weight != 0 && setting_add(settings, setting, err, "%s%llu", prefix,
                                               (unsigned long long) (files->convert ? io_weight_from_blkio(weight) : weight)) < 0)
                        return -1;
                if (leaf_weight("blkio.leaf_weight_device", where, prefix, leaf, target, settings, err) < 0)
                        return -1;
        }
        return 0;
}

static const struct ThrottleRow {
        const char *key, *v1, *v2;
} throttles[] = {
        { "throttleReadBpsDevice",   "blkio.throttle.read_bps_device",   "rbps" },
        { "throttleWriteBpsDevice",  "blkio.throttle.write_bps_device",  "wbps" },
        { "throttleReadIOPSDevice",  "blkio.throttle.read_iops_device",  "riops" },
        { "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops" },
};

/* A rate of 0 is none on v1, where v2 says "max". */
static int throttle_settings(const struct ThrottleRow *row, const json_t *list, const CgroupTarget *target, CgroupSettings *settings,
                             Error *err) {
        bool v2 = target->at[CONTROLLER_IO].v2;
        const json_t *entry;
        size_t i;

        json_array_foreach(list, i, entry) {
                char where[PLACE_MAX], text[32] = "max";
                int64_t major, minor;
                uint64_t rate = 0;
                NewSetting setting = {
                        .controller = CONTROLLER_IO,
                        .flags = SETTING_KEYED,
                        .file = v2 ? "io.max" : row->v1,
                        .place = where,
                        .lack = "this kernel does not throttle block IO (CONFIG_BLK_DEV_THROTTLING)",
                        .reset = v2 ? "rbps=max wbps=max riops=max wiops=max" : "0",
                };

                (void) snprintf(where, sizeof(where), BLOCK_IO ".%s[%zu]", row->key, i);
                if (device_numbers(entry, where, &major, &minor, err) < 0 || spec_unsigned(entry, "rate", where, &rate, err) < 0)
                        return -1;
                if (rate != 0 || !v2)
                        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) rate);
                if (setting_add(settings, setting, err, "%lld:%lld %s%s%s", (long long) major, (long long) minor, v2 ? row->v2 : "",
                                v2 ? "=" : "", text) < 0)
                        return -1;
        }
        return 0;
}

static int array_field(const json_t *object, const char *key, json_t **ret, Error *err) {
        return json_opt_array(object, key, (JsonPlace) { BLOCK_IO, ERROR_INVALID_SPEC }, ret, err);
}

int io_settings(const json_t *block_io, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        WeightFiles files = find_weight_files(target);
        json_t *devices = NULL;
        size_t before = settings->n;

        if (weights(block_io, &files, target, settings, err) < 0 || array_field(block_io, "weightDevice", &devices, err) < 0 ||
            device_weights(devices, &files, target, settings, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
                json_t *list = NULL;

                if (array_field(block_io, throttles[i].key, &list, err) < 0 ||
                    throttle_settings(&throttles[i], list, target, settings, err) < 0)
                        return -1;
        }
        return settings->n > before ? target_need(target, CONTROLLER_IO, BLOCK_IO, err) : 0;
}
