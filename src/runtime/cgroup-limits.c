/* The small parts of `linux.resources`: processes, huge pages, network, RDMA, and v2's files by their own names. Source: runtime-spec, config-linux.md */

#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "runtime/cgroup-settings.h"

#define RESOURCES "linux.resources"
#define PLACE_MAX 256 /* bytes */

int pids_settings(const json_t *pids, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting setting = { .controller = CONTROLLER_PIDS, .file = "pids.max", .place = RESOURCES ".pids.limit" };
        int64_t limit = 0;

        if (json_opt_integer(pids, "limit", (JsonPlace) { RESOURCES ".pids", ERROR_INVALID_SPEC }, INT64_MIN, INT64_MAX, &limit, err) < 0)
                return -1;
        /* 0 is "not said" to crun and to runc up to 1.3; below it there is no limit, which a host without the controller has anyway */
        if (limit == 0 || (limit < 0 && target->at[CONTROLLER_PIDS].fd < 0))
                return 0;
        if (target_need(target, CONTROLLER_PIDS, setting.place, err) < 0)
                return -1;
        return limit < 0 ? setting_add(settings, setting, err, "max") : setting_add(settings, setting, err, "%lld", (long long) limit);
}

/* v1 reads signed numbers, and -1 as none. */
static int hugepage_limit(CgroupSettings *settings, NewSetting setting, bool v2, uint64_t limit, Error *err) {
        if (limit >= INT64_MAX)
                return setting_add(settings, setting, err, "%s", v2 ? "max" : "-1");
        return setting_add(settings, setting, err, "%llu", (unsigned long long) limit);
}

int hugepage_settings(const json_t *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        const char *end = target->at[CONTROLLER_HUGETLB].v2 ? "max" : "limit_in_bytes";
        const json_t *entry;
        size_t i;

        json_array_foreach(limits, i, entry) {
                char where[PLACE_MAX], file[NAME_MAX + 1];
                const char *size;
                uint64_t limit = 0;
                NewSetting setting = {
                        .controller = CONTROLLER_HUGETLB,
                        .file = file,
                        .place = where,
                        .lack = "this kernel has no huge pages of that size",
                };

                (void) snprintf(where, sizeof(where), RESOURCES ".hugepageLimits[%zu]", i);
                if (json_need_string(entry, "pageSize", (JsonPlace) { where, ERROR_INVALID_SPEC }, &size, err) < 0 ||
                    spec_unsigned(entry, "limit", where, &limit, err) < 0)
                        return -1;
                if (strlen(size) > 32 || strchr(size, '/'))
                        return error_set(err, ERROR_INVALID_SPEC, "%s: '%.40s' is not a page size", where, size);
                if (target_need(target, CONTROLLER_HUGETLB, where, err) < 0)
                        return -1;
                (void) snprintf(file, sizeof(file), "hugetlb.%s.%s", size, end);
                if (hugepage_limit(settings, setting, target->at[CONTROLLER_HUGETLB].v2, limit, err) < 0)
                        return -1;
                /* As runc: the reservation too, where it is counted (Linux 5.7). */
                (void) snprintf(file, sizeof(file), "hugetlb.%s.rsvd.%s", size, end);
                setting.flags = SETTING_HARMLESS;
                if (hugepage_limit(settings, setting, target->at[CONTROLLER_HUGETLB].v2, limit, err) < 0)
                        return -1;
        }
        return 0;
}

int network_settings(const json_t *network, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        NewSetting class_id = { .controller = CONTROLLER_NET_CLS, .file = "net_cls.classid", .place = RESOURCES ".network.classID" };
        json_t *list = NULL;
        const json_t *entry;
        uint64_t id = 0;
        size_t i;

        if (spec_unsigned(network, "classID", RESOURCES ".network", &id, err) < 0 ||
            json_opt_array(network, "priorities", (JsonPlace) { RESOURCES ".network", ERROR_INVALID_SPEC }, &list, err) < 0)
                return -1;
        if (id != 0 && (target_need(target, CONTROLLER_NET_CLS, class_id.place, err) < 0 ||
                        setting_add(settings, class_id, err, "%llu", (unsigned long long) id) < 0))
                return -1;
        json_array_foreach(list, i, entry) {
                char where[PLACE_MAX];
                const char *name;
                uint64_t priority = 0;
                NewSetting setting = {
                        .controller = CONTROLLER_NET_PRIO,
                        .flags = SETTING_KEYED,
                        .file = "net_prio.ifpriomap",
                        .place = where,
                        .reset = "0",
                };

                (void) snprintf(where, sizeof(where), RESOURCES ".network.priorities[%zu]", i);
                if (json_need_string(entry, "name", (JsonPlace) { where, ERROR_INVALID_SPEC }, &name, err) < 0 ||
                    spec_unsigned(entry, "priority", where, &priority, err) < 0)
                        return -1;
                if (!name[0] || name[strcspn(name, " \t\n")])
                        return error_set(err, ERROR_INVALID_SPEC, "%s: not the name of an interface", where);
                if (target_need(target, CONTROLLER_NET_PRIO, where, err) < 0 ||
                    setting_add(settings, setting, err, "%s %llu", name, (unsigned long long) priority) < 0)
                        return -1;
        }
        return 0;
}

static bool is_said(const json_t *object, const char *key) {
        const json_t *value = json_object_get(object, key);

        return value && !json_is_null(value);
}

int rdma_settings(const json_t *rdma, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        const char *device;
        json_t *limits;

        json_object_foreach((json_t *) rdma, device, limits) {
                uint64_t handles = 0, objects = 0;
                char where[PLACE_MAX], text[64] = "";
                NewSetting setting = {
                        .controller = CONTROLLER_RDMA,
                        .flags = SETTING_KEYED,
                        .file = "rdma.max",
                        .place = where,
                        .reset = "hca_handle=max hca_object=max",
                };

                (void) snprintf(where, sizeof(where), RESOURCES ".rdma.%s", device);
                if (spec_unsigned(limits, "hcaHandles", where, &handles, err) < 0 ||
                    spec_unsigned(limits, "hcaObjects", where, &objects, err) < 0)
                        return -1;
                if (!device[0] || device[strcspn(device, " \t\n")])
                        return error_set(err, ERROR_INVALID_SPEC, "%s: not the name of a device", where);
                if (is_said(limits, "hcaHandles"))
                        (void) snprintf(text, sizeof(text), " hca_handle=%llu", (unsigned long long) handles);
                if (is_said(limits, "hcaObjects"))
                        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), " hca_object=%llu", (unsigned long long) objects);
                if (!text[0])
                        continue;
                if (target_need(target, CONTROLLER_RDMA, where, err) < 0 || setting_add(settings, setting, err, "%s%s", device, text) < 0)
                        return -1;
        }
        return 0;
}

/* A file by its own name; a value of several lines is as many writes. */
static int unified_file(const char *file, const char *value, CgroupSettings *settings, Error *err) {
        char where[PLACE_MAX];
        NewSetting setting = {
                .controller = CONTROLLER_CORE,
                .file = file,
                .place = where,
                .lack = "the container's cgroup has no such file, or not its controller",
        };

        (void) snprintf(where, sizeof(where), RESOURCES ".unified.%s", file);
        for (const char *line = value; *line; line += strspn(line, "\n")) {
                size_t len = strcspn(line, "\n");
                size_t key = strcspn(line, " \n");

                /* "8:0 rbps=…" is a line of its own in the file */
                setting.flags = memchr(line, ':', key) && key < len ? SETTING_KEYED : 0;
                if (len > 0 && setting_add(settings, setting, err, "%.*s", (int) len, line) < 0)
                        return -1;
                line += len;
        }
        return 0;
}

int unified_settings(const json_t *unified, const CgroupTarget *target, CgroupSettings *settings, Error *err) {
        const char *file;
        json_t *value;

        json_object_foreach((json_t *) unified, file, value) {
                if (!json_is_string(value))
                        return error_set(err, ERROR_INVALID_SPEC, RESOURCES ".unified.%s: not a string", file);
                if (target_need(target, CONTROLLER_CORE, RESOURCES ".unified", err) < 0)
                        return -1;
                if (strchr(file, '/') || !strchr(file, '.') || file[0] == '.' || strlen(file) > NAME_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, RESOURCES ".unified: '%s' is not the name of a cgroup file", file);
                /* they move processes, of the host too, and are no resources */
                if (!strcmp(file, "cgroup.procs") || !strcmp(file, "cgroup.threads"))
                        return error_set(err, ERROR_INVALID_SPEC, RESOURCES ".unified: '%s' is not a resource", file);
                if (unified_file(file, json_string_value(value), settings, err) < 0)
                        return -1;
        }
        return 0;
}
