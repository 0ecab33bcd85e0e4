/* The id maps of our own user namespace. Source: user_namespaces(7) */

#include "base/user.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define MAP_MAX 65536 /* bytes; 340 lines */

typedef struct Range {
        uint32_t inner, outer, size;
} Range;

/* The first range of a map for which @wanted is true; a kernel without user namespaces has no maps. */
static bool map_find(const char *path, bool (*wanted)(const Range *range, const void *userdata), const void *userdata, Range *ret) {
        _cleanup_free_ char *map = NULL;

        if (file_read_at(AT_FDCWD, path, MAP_MAX, &map, NULL, NULL) < 0)
                return false;
        for (char *p = map, *line; (line = strsep(&p, "\n"));)
                if (sscanf(line, "%u %u %u", &ret->inner, &ret->outer, &ret->size) == 3 && wanted(ret, userdata))
                        return true;
        return false;
}

static bool has_id(const Range *range, const void *userdata) {
        const uint32_t *id = userdata;

        return *id >= range->inner && *id - range->inner < range->size;
}

static bool is_any(const Range *range, const void *userdata) {
        (void) range;
        (void) userdata;
        return true;
}

bool user_is_nested(void) {
        Range range;

        return map_find("/proc/self/uid_map", is_any, NULL, &range) && range.size != UINT32_MAX;
}

uid_t user_outer_id(void) {
        uint32_t uid = geteuid();
        Range range;

        return map_find("/proc/self/uid_map", has_id, &uid, &range) ? range.outer + (uid - range.inner) : uid;
}

static uint32_t count_ids(const char *path) {
        uint32_t n = 0;
        Range range;

        while (n < UINT32_MAX && map_find(path, has_id, &n, &range))
                n = range.inner + range.size;
        return n;
}

uint32_t user_id_count(void) {
        uint32_t users = count_ids("/proc/self/uid_map"), groups = count_ids("/proc/self/gid_map");

        return users < groups ? users : groups;
}
