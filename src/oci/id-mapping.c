/* Mappings of ids, out of the configuration's JSON. */

#include "oci/id-mapping.h"

#include <stdlib.h>

#include "base/cleanup.h"

IdMapping *id_mapping_free(IdMapping *mapping) {
        if (!mapping)
                return NULL;
        free(mapping->uids.ranges);
        free(mapping->gids.ranges);
        free(mapping);
        return NULL;
}

static int load_map(const json_t *linux_part, const char *key, IdMap *map, Error *err) {
        json_t *array = json_object_get(linux_part, key), *entry;
        size_t i;

        map->ranges = calloc(json_array_size(array) ?: 1, sizeof(*map->ranges));
        if (!map->ranges)
                return error_oom(err);
        json_array_foreach(array, i, entry) {
                json_int_t container = json_integer_value(json_object_get(entry, "containerID"));
                json_int_t host = json_integer_value(json_object_get(entry, "hostID"));
                json_int_t size = json_integer_value(json_object_get(entry, "size"));

                /* The highest number is no id: it says "leave as it is" to chown(2). */
                if (size < 1 || container < 0 || host < 0 || container + size > UINT32_MAX || host + size > UINT32_MAX)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "%s: %lld:%lld:%lld is not a range of ids", key,
                                         (long long) container, (long long) host, (long long) size);
                map->ranges[map->n++] = (IdRange) { .container = (uint32_t) container, .host = (uint32_t) host, .size = (uint32_t) size };
        }
        return 0;
}

int id_mapping_load(const json_t *linux_part, IdMapping **ret, Error *err) {
        _cleanup_(id_mapping_freep) IdMapping *mapping = NULL;

        if (json_array_size(json_object_get(linux_part, "uidMappings")) == 0) {
                *ret = NULL;
                return 0;
        }
        mapping = calloc(1, sizeof(*mapping));
        if (!mapping)
                return error_oom(err);
        if (load_map(linux_part, "uidMappings", &mapping->uids, err) < 0 || load_map(linux_part, "gidMappings", &mapping->gids, err) < 0)
                return -1;
        *ret = TAKE(mapping);
        return 0;
}

bool id_map_host(const IdMap *map, uint32_t id, uint32_t *ret) {
        for (size_t i = 0; i < map->n; i++)
                if (id >= map->ranges[i].container && id - map->ranges[i].container < map->ranges[i].size) {
                        *ret = map->ranges[i].host + (id - map->ranges[i].container);
                        return true;
                }
        return false;
}
