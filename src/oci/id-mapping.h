#pragma once

/* What ids a container's user namespace has, and which of the host's they are. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

typedef struct IdRange {
        uint32_t container, host, size;
} IdRange;

typedef struct IdMap {
        IdRange *ranges;
        size_t n;
} IdMap;

typedef struct IdMapping {
        IdMap uids, gids;
} IdMapping;

IdMapping *id_mapping_free(IdMapping *mapping);
static inline void id_mapping_freep(IdMapping **mapping) {
        id_mapping_free(*mapping);
}

/**
 * id_mapping_load() - from uidMappings and gidMappings of a configuration's linux part
 * @ret: NULL when it has none
 *
 * Errors: InvalidArgument for a range without ids or past the highest one, OutOfMemory
 */
int id_mapping_load(const json_t *linux_part, IdMapping **ret, Error *err);

/** id_map_host() - the host's id for one of the container; false when it has none */
bool id_map_host(const IdMap *map, uint32_t id, uint32_t *ret);
